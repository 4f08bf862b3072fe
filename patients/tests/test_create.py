"""A new patient: what is saved, who gets access by it, and what the creator is told."""

import re
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_group
from patients import intake
from patients.decisions import decide
from patients.models import Patient, PatientContactPoint, PatientGroupMember

NEW = "/patients/new/"
RECEIPT = "/patients/new/receipt/"


def blank(client):
    """The fields of a form just opened."""
    form = client.get(NEW).context["form"]
    return {
        "form_token": form["form_token"].value(),
        "first_name": "Dora",
        "last_name": "Díaz",
        "birth_date": "1999-12-31",
        "sex_at_birth": "F",
        "gender": "female",
        "groups": form["groups"].value(),
    }


def create(client, **fields):
    return client.post(NEW, blank(client) | fields)


@pytest.fixture
def nora(cast, signed_in):
    give(cast.nora, "Patient create")
    return signed_in("nora")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        (None, 302),
        ("nora", 403),
        ("nil", 403),
        ("ruth", 403),
        ("max", 403),
        ("olga", 200),
    ],
)
def test_who_may_create(cast, signed_in, name, status):
    client = signed_in(name)
    assert client.get(NEW).status_code == status
    assert client.post(NEW).status_code == status
    link = 'href="/patients/new/"' in client.get("/account/").content.decode()
    assert link == (status == 200)
    assert Patient.objects.count() == 3


def test_all_that_was_typed_is_saved(cast, nora):
    response = create(
        nora, middle_name="Eva", phone="555-0123", email="dora@example.org"
    )
    patient = Patient.objects.get(last_name="Díaz")
    assert response.url == f"/patient/{patient.key}/"
    assert "The patient was created." in nora.get(response.url).content.decode()
    assert (patient.name, str(patient.birth_date)) == ("Dora Eva Díaz", "1999-12-31")
    assert (patient.gender, patient.sex_at_birth) == ("female", "F")
    name = patient.names.get()
    assert (name.use, name.given, name.family) == ("official", "Dora Eva", "Díaz")
    points = patient.contact_points.values_list("system", "value", "rank")
    assert list(points) == [
        ("phone", "555-0123", 1),
        ("email", "dora@example.org", 2),
    ]
    row = AuditRow.objects.get(action="patient.create", patient=patient.key)
    assert (row.outcome, row.access_path) == ("done", "patient-group")


def test_the_creators_own_groups_are_offered_and_the_first_is_ticked(cast, nora):
    east = make_group("East")
    make_group("West")
    make_group("Easter", use_for_permissions=False)
    cast.nora.grant(east.auth_group)
    form = nora.get(NEW).context["form"]
    ids = [str(g.externally_exposable_id) for g in (east, cast.north)]
    assert [key for key, _name in form.fields["groups"].choices] == ids
    assert form["groups"].value() == ids[:1]
    create(nora, groups=ids)
    patient = Patient.objects.get(last_name="Díaz")
    members = PatientGroupMember.objects.in_force().filter(member=patient)
    assert {m.patient_group for m in members} == {east, cast.north}


def test_creating_gives_no_access_by_itself(cast, nora):
    response = create(nora, groups=[])
    patient = Patient.objects.get(last_name="Díaz")
    assert not decide(cast.nora.user, "access", patient).allowed
    assert response.url == RECEIPT
    html = nora.get(RECEIPT).content.decode()
    assert "Dora Díaz" in html
    assert "31 Dec 1999" in html
    assert "“Staff Permissions”" in html
    assert patient.key not in html
    assert patient.mrn not in html
    assert nora.get(f"/patient/{patient.key}/").status_code == 403


def test_the_receipt_names_whom_to_ask(cast, signed_in):
    cast.ruth.user.set_password("a-long-enough-one")
    cast.ruth.user.save()
    olga = signed_in("olga")
    assert olga.get(RECEIPT).url == NEW
    assert create(olga).url == RECEIPT
    assert "Ruth Example" in olga.get(RECEIPT).content.decode()
    cast.olga.grant(cast.north.auth_group)
    cast.north.add(Patient.objects.get(last_name="Díaz"))
    assert olga.get(RECEIPT).url.endswith("/profile/")


def test_a_receipt_is_the_creators_own(cast, signed_in):
    create(signed_in("olga"))
    give(cast.sam, "Patient create")
    assert signed_in("sam").get(RECEIPT).url == NEW


def test_somebody_elses_group_is_refused_and_nothing_is_saved(cast, nora, signed_in):
    forged = [str(cast.south.externally_exposable_id)]
    for client, groups in (
        (nora, forged),
        (nora, [str(cast.north.externally_exposable_id), *forged]),
        (nora, [str(cast.north.pk)]),
        (nora, ["x" * 10_000]),
        (signed_in("olga"), forged),
    ):
        response = create(client, groups=groups)
        assert response.status_code == 200
        assert "Choose among the groups" in response.content.decode()
    assert Patient.objects.count() == 3
    assert PatientGroupMember.objects.count() == 2


def test_a_revoked_group_is_refused(cast, nora):
    fields = blank(nora)
    cast.nora.revoke(cast.north.auth_group)
    assert "Choose among" in nora.post(NEW, fields).content.decode()
    assert Patient.objects.count() == 3


def test_the_same_form_saves_once(cast, nora):
    fields = blank(nora)
    first = nora.post(NEW, fields)
    second = nora.post(NEW, fields)
    assert first.url == second.url
    assert "nothing was saved again" in nora.get(second.url).content.decode()
    other = nora.post(NEW, fields | {"first_name": "Another"})
    assert other.url == first.url
    assert Patient.objects.count() == 4
    assert Patient.objects.get(last_name="Díaz").group_memberships.count() == 1


def test_the_same_form_of_another_person_is_another_form(cast, nora, signed_in):
    fields = blank(nora)
    nora.post(NEW, fields)
    signed_in("olga").post(NEW, fields | {"groups": [], "first_name": "Eva"})
    assert Patient.objects.count() == 5


@pytest.mark.parametrize("token", ["", "x", "0" * 31, "\x00" * 32, "é" * 32, "0" * 99])
def test_a_damaged_form_saves_nothing(nora, token):
    response = create(nora, form_token=token)
    assert response.status_code == 200
    assert "This form is damaged" in response.content.decode()
    assert Patient.objects.count() == 3


def test_the_key_does_not_follow_from_what_the_browser_knows(cast, nora):
    fields = blank(nora)
    nora.post(NEW, fields)
    patient = Patient.objects.get(last_name="Díaz")
    assert re.fullmatch("[0-9a-f]{32}", patient.key)
    assert fields["form_token"] not in patient.key


@pytest.mark.parametrize(
    ("typed", "saved"),
    [("12/31/1999", "1999-12-31"), ("31 Dec 1999", "1999-12-31"), ("TODAY", "TODAY")],
)
def test_a_date_of_birth_may_be_typed(nora, typed, saved):
    today = timezone.localdate().isoformat()
    create(nora, birth_date=typed.replace("TODAY", today))
    patient = Patient.objects.get(last_name="Díaz")
    assert patient.birth_date.isoformat() == saved.replace("TODAY", today)


@pytest.mark.parametrize("letter", ["x", "王", "👩", "ß", "ﷺ"])
def test_the_longest_names_are_saved(nora, letter):
    names = {"first_name": 100, "middle_name": 99, "last_name": 100}
    response = create(nora, **{name: letter * size for name, size in names.items()})
    assert response.status_code == 302
    patient = Patient.objects.get(first_name=letter * 100)
    assert patient.names.get().given == f"{letter * 100} {letter * 99}"


@pytest.mark.parametrize(
    "fields",
    [
        {"birth_date": ""},
        {"birth_date": "TOMORROW"},
        {"birth_date": "9999-12-31"},
        {"birth_date": "1849-12-31"},
        {"birth_date": "0000-01-01"},
        {"birth_date": "1999-02-30"},
        {"birth_date": "yesterday"},
        {"birth_date": "1999-12-31 and more"},
        {"first_name": ""},
        {"first_name": " \t"},
        {"first_name": "..."},
        {"first_name": "Do\x00ra"},
        {"first_name": "Do\x1fra"},
        {"first_name": "Do\u202era"},
        {"first_name": "x" * 101},
        {"last_name": "x" * 10_000},
        {"middle_name": "\x00"},
        {"middle_name": "x" * 100},
        {"sex_at_birth": "female"},
        {"gender": "F"},
        {"gender": ""},
        {"phone": "call me"},
        {"phone": "5" * 10_000},
        {"email": "nobody"},
        {"email": f"{'x' * 300}@example.org"},
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_saved(nora, fields):
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    ((name, typed),) = fields.items()
    response = create(nora, **{name: typed.replace("TOMORROW", tomorrow)})
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == {name}
    html = response.content.decode()
    assert 'class="error-summary"' in html
    assert "Díaz" in html or name == "last_name"
    assert Patient.objects.count() == 3


def test_everything_or_nothing(cast, nora, monkeypatch):
    def broken(*args, **kwargs):
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(PatientContactPoint.objects, "create", broken)
    nora.raise_request_exception = False
    before = AuditRow.objects.filter(action="patient.create").count()
    assert create(nora, phone="555-0123").status_code == 500
    assert Patient.objects.count() == 3
    assert PatientGroupMember.objects.count() == 2
    assert AuditRow.objects.filter(action="patient.create").count() == before


def test_of_two_savings_at_once_the_second_finds_the_first(cast):
    """Both have passed the first check; the unique key then decides."""
    fields = {
        "creator": cast.nora.user,
        "form_token": "0" * 32,
        "first_name": "Dora",
        "middle_name": "",
        "last_name": "Díaz",
        "birth_date": timezone.localdate(),
        "sex_at_birth": "F",
        "gender": "female",
        "phone": "",
        "email": "",
        "groups": [cast.north],
    }
    patient = intake.create_patient(**fields)
    audited = AuditRow.objects.count()
    with pytest.raises(intake.SavedAlready) as caught:
        intake.create_patient(**fields)
    assert caught.value.patient == patient
    assert Patient.objects.count() == 4
    assert patient.group_memberships.count() == 1
    assert AuditRow.objects.count() == audited
