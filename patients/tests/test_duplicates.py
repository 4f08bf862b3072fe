"""The duplicate warning: yes or no, whoever the other patient is (S2; security A4)."""

from datetime import date

import pytest

from canvas_admin.audit.models import AuditRow, RationedUse
from canvas_admin.testing import give, make_patient
from canvas_admin.tests.masking import masked
from patients import intake
from patients.models import Patient, PatientName

NEW = "/patients/new/"
BORN = date(1975, 3, 4)


def blank(client, **fields):
    form = client.get(NEW).context["form"]
    return {
        "form_token": form["form_token"].value(),
        "first_name": "Ben",
        "last_name": "Brandt",
        "birth_date": "1975-03-04",
        "sex_at_birth": "UNK",
        "gender": "unknown",
    } | fields


@pytest.fixture
def nora(cast, signed_in):
    give(cast.nora, "Patient create")
    return signed_in("nora")


def warned(response):
    return response.status_code == 200 and b"Create anyway" in response.content


@pytest.mark.parametrize(
    ("first", "last", "born", "expected"),
    [
        ("Ben", "Brandt", "1975-03-04", True),
        (" bEN", "BRÀNDT ", "1975-03-04", True),
        ("B’en", "Brandt", "03/04/1975", True),
        ("Benn", "Brandt", "1975-03-04", False),
        ("Be", "Brandt", "1975-03-04", False),
        ("Ben", "Bran", "1975-03-04", False),
        ("Ben%", "Brandt", "1975-03-04", True),
        ("B%", "Brandt", "1975-03-04", False),
        ("B_n", "Brandt", "1975-03-04", False),
        ("Brandt", "Ben", "1975-03-04", False),
        ("Ben", "Brandt", "1975-03-05", False),
    ],
)
def test_the_same_name_and_date_of_birth_are_warned_of(
    nora, first, last, born, expected
):
    fields = blank(nora, first_name=first, last_name=last, birth_date=born)
    assert warned(nora.post(NEW, fields)) == expected
    assert Patient.objects.count() == (3 if expected else 4)


def test_long_names_are_compared_to_their_end(cast):
    long = "x" * 80
    make_patient(long + "a", "Brandt", BORN)
    assert intake.duplicates(long + "a", "Brandt", BORN)
    assert not intake.duplicates(long + "b", "Brandt", BORN)
    make_patient("Ada", long + "a", BORN)
    assert intake.duplicates("Ada", long + "a", BORN)
    assert not intake.duplicates("Ada", long + "b", BORN)


@pytest.mark.parametrize(
    ("first", "middle", "typed", "expected"),
    [
        ("Mary", "Ann", "Mary Ann", True),
        ("Mary", "Ann", "MÀRY-ann", True),
        ("Mary", "Ann", "Mary", True),
        ("Jose Luis", "", "José", True),
        ("Jose Luis", "", "Jose Maria", True),
        ("", "Ann", "Ann", True),
        ("–", "Ann", "Ann", True),
        ("Mary", "Ann", "Ann", False),
        ("Maryann", "", "Mary", False),
        ("Mary", "Ann", "Maryann", False),
        ("", "", "Ann", False),
    ],
)
def test_a_name_in_two_words_is_found_however_it_is_divided(
    cast, first, middle, typed, expected
):
    make_patient(first, "Brandt", BORN, middle_name=middle)
    assert bool(intake.duplicates(typed, "Brandt", BORN)) == expected


def test_an_imported_name_in_two_words_is_warned_of(nora):
    patient = make_patient("", "Brandt", BORN)
    patient.take_name(PatientName(given="Mary Ann", family="Brandt"))
    patient.save()
    assert warned(nora.post(NEW, blank(nora, first_name="Mary Ann")))


def test_many_relatives_of_the_same_day_hide_nobody(cast):
    for number in range(30):
        make_patient(f"Aaron{number}", "Brandt", BORN)
    assert intake.duplicates("Ben", "Brandt", BORN) == [cast.ben]


@pytest.mark.parametrize(
    "others",
    [
        [],
        [{}] * 6,
        [{"active": False}],
        [{"deceased": True, "middle_name": "Q", "gender": "male"}] * 30,
    ],
)
@pytest.mark.parametrize("within_reach", [True, False])
def test_the_answer_is_the_same_for_one_and_seven_and_whatever_the_reach(
    cast, nora, others, within_reach
):
    fields = blank(nora)
    plain = masked(nora.post(NEW, fields))
    if within_reach:
        cast.north.add(cast.ben)
    for other in others:
        patient = make_patient("Ben", "Brandt", BORN, **other)
        if within_reach:
            cast.north.add(patient)
    assert masked(nora.post(NEW, fields)) == plain
    assert cast.ben.key.encode() not in plain[2]
    assert cast.ben.mrn.encode() not in plain[2]


@pytest.mark.parametrize("fields", [{"active": False}, {"deceased": True}])
def test_inactive_and_deceased_count(cast, nora, fields):
    make_patient("Eve", "Gone", BORN, **fields)
    assert warned(nora.post(NEW, blank(nora, first_name="Eve", last_name="Gone")))


def test_create_anyway_is_a_second_click(cast, nora):
    fields = blank(nora)
    page = nora.post(NEW, fields)
    assert Patient.objects.count() == 3
    confirmation = page.context["form"].confirmation
    assert confirmation in page.content.decode()
    assert nora.post(NEW, fields | {"create_anyway": confirmation}).status_code == 302
    assert Patient.objects.filter(last_name="Brandt").count() == 2


@pytest.mark.parametrize("forged", ["1", "", "x" * 10_000, "\x00", "é"])
def test_a_confirmation_cannot_be_invented(nora, forged):
    response = nora.post(NEW, blank(nora, create_anyway=forged))
    assert response.status_code == 200
    assert Patient.objects.count() == 3


def test_a_confirmation_is_for_that_name_alone(cast, nora, signed_in):
    confirmation = nora.post(NEW, blank(nora)).context["form"].confirmation
    fields = blank(nora, first_name="Ada", last_name="Alvarez", birth_date="1980-01-02")
    assert warned(nora.post(NEW, fields | {"create_anyway": confirmation}))
    olga = signed_in("olga")
    assert warned(olga.post(NEW, blank(olga, create_anyway=confirmation)))


def test_enter_does_not_create_anyway(nora):
    html = nora.post(NEW, blank(nora)).content.decode()
    form = html[html.index('action="/patients/new/"') :]
    assert form.index('type="submit">Check again') < form.index('name="create_anyway"')


def test_sixty_checks_an_hour(cast, nora):
    nora.post(NEW, blank(nora))
    uses = [
        RationedUse(actor=cast.nora.user.key, act="duplicate-check") for _ in range(59)
    ]
    RationedUse.objects.bulk_create(uses)
    AuditRow.objects.all().delete()
    for fields in (blank(nora), blank(nora, first_name="Nobody")):
        response = nora.post(NEW, fields)
        assert response.status_code == 429
        assert "nothing was saved" in response.content.decode()
        assert fields["first_name"] in response.content.decode()
    rows = AuditRow.objects.filter(action="patient.duplicate_check")
    assert [(row.outcome, row.detail) for row in rows] == [
        ("refused", {"reason": "ration"})
    ] * 2
    assert Patient.objects.count() == 3


def test_each_check_is_audited_with_what_it_found(cast, nora):
    AuditRow.objects.all().delete()
    nora.post(NEW, blank(nora))
    rows = AuditRow.objects.filter(action="patient.duplicate_check")
    assert rows.get(patient="").detail == {"known": True}
    assert rows.exclude(patient="").get().patient == cast.ben.key
    nora.post(NEW, blank(nora, first_name="Nobody"))
    assert rows.filter(patient="", detail={"known": False}).count() == 1


def test_without_patient_create_nothing_is_checked(cast, signed_in):
    client = signed_in("sam")
    assert client.post(NEW, {"first_name": "Ben"}).status_code == 403
    assert not RationedUse.objects.exists()
