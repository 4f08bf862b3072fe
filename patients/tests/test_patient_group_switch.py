"""Making, naming, switching and deleting patient groups in the administration."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from canvas_admin.audit import trail
from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_group, make_patient
from patients import effects
from patients.decisions import decide
from patients.models import Patient, PatientGroup
from staffing.models import GroupChange

CONFIRM = 'name="confirmed" value="'


def at(page, *arguments):
    return reverse(f"admin:patients_patientgroup_{page}", args=arguments)


def form_of(group, **changes):
    """What the form of a group posts as it stands, with these fields otherwise."""
    group.refresh_from_db()
    posted = {"name": group.name, "form_version": group.version, "_save": "1"}
    if group.use_for_permissions:
        posted["use_for_permissions"] = "on"
    posted |= changes
    return {name: value for name, value in posted.items() if value is not None}


def confirmation_in(response):
    return response.content.decode().split(CONFIRM)[1].split('"')[0]


def reaches(staff, patient):
    return Patient.objects.accessible_to(staff.user).filter(pk=patient.pk).exists()


@pytest.fixture
def ruth(signed_in):
    return signed_in("ruth")


@pytest.fixture
def off(cast):
    """North, switched off at the shell, while nora holds it."""
    cast.north.use_for_permissions = False
    cast.north.save()
    return cast.north


# Works


def test_a_group_for_permissions_makes_its_auth_group(cast, ruth):
    ruth.post(at("add"), {"name": " West  side ", "use_for_permissions": "on"})
    group = PatientGroup.objects.get(name="West side")
    assert group.auth_group.name == "Patients: West side"
    give(cast.nora, "Patients: West side")
    group.add(cast.cyn)
    assert reaches(cast.nora, cast.cyn)


def test_switching_off_asks_first_and_says_who_loses_how_many(cast, ruth):
    for number in range(2):
        patient = make_patient("Dee", f"Number {number}", cast.ada.birth_date)
        cast.north.add(patient)
    cast.south.add(patient)
    give(cast.sam, "Patients: North")
    change = at("change", cast.north.public_id)
    response = ruth.post(change, form_of(cast.north, use_for_permissions=None))
    text = response.content.decode()
    assert "2 people lose access at once" in text
    assert "Nora Example: 3 patients" in text
    assert "Sam Example: 2 patients" in text
    cast.north.refresh_from_db()
    assert cast.north.use_for_permissions
    assert reaches(cast.nora, cast.ada)
    assert AuditRow.objects.filter(action="patient_group.effect").count() == 1


def test_confirmed_the_access_stops_at_once_and_on_again_restores_it(cast, ruth):
    change = at("change", cast.north.public_id)
    for on, said in ((None, "1 person loses"), ("on", "1 person gains")):
        post = form_of(cast.north, use_for_permissions=on)
        asked = ruth.post(change, post)
        assert said in asked.content.decode()
        answer = ruth.post(change, {**post, "confirmed": confirmation_in(asked)})
        assert answer.status_code == 302
        assert reaches(cast.nora, cast.ada) == bool(on)
        assert cast.nora.user.groups.filter(pk=cast.north.auth_group_id).exists()


def test_switching_on_without_holders_asks_nothing(cast, ruth):
    group = make_group("Later", [cast.cyn], use_for_permissions=False)
    change = at("change", group.public_id)
    response = ruth.post(change, form_of(group, use_for_permissions="on"))
    assert response.status_code == 302
    group.refresh_from_db()
    assert group.auth_group.name == "Patients: Later"


def test_a_rename_follows_to_the_auth_group(cast, ruth):
    ruth.post(
        at("change", cast.north.public_id), form_of(cast.north, name="North wing")
    )
    cast.north.refresh_from_db()
    assert cast.north.auth_group.name == "Patients: North wing"
    assert reaches(cast.nora, cast.ada)


def test_deleting_says_what_it_takes_away_and_keeps_the_history(cast, ruth):
    nurse = cast.nora.staff_roles.get().role
    nurse.default_auth_groups.add(cast.north.auth_group)
    text = ruth.get(at("delete", cast.north.public_id)).content.decode()
    assert "Nora Example: 1 patient" in text
    assert "1 person holds" in text
    assert "Nurse" in text
    ruth.post(at("delete", cast.north.public_id), {"post": "yes"})
    assert not reaches(cast.nora, cast.ada)
    assert not Group.objects.filter(name="Patients: North").exists()
    assert cast.north.memberships.count() == 1
    taken = GroupChange.objects.get(user=cast.nora.user, added=False)
    assert (taken.via, taken.by) == ("retired", "ruth")
    ruth.get(at("changelist"))  # takes the message that the group is deleted
    assert "North" not in ruth.get(at("changelist")).content.decode()


def test_the_name_of_a_deleted_group_is_free_again(cast, ruth):
    ruth.post(at("delete", cast.north.public_id), {"post": "yes"})
    ruth.post(at("add"), {"name": "North", "use_for_permissions": "on"})
    again = PatientGroup.objects.get(name="North", retired__isnull=True)
    assert again.pk != cast.north.pk
    assert not reaches(cast.nora, cast.ada)


def test_the_list_takes_the_same_queries_at_any_length(cast, ruth):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert ruth.get(at("changelist")).status_code == 200
        return len(captured)

    queries()  # the first request of a session has a few more
    few = queries()
    for number in range(20):
        make_group(f"Group {number}", [cast.ada])
    assert queries() == few


def test_the_list_counts_live_holders(cast, ruth):
    text = ruth.get(at("changelist")).content.decode()
    assert text.count('field-held_by">1<') == 2, "ines is inactive"


# Refusals


@pytest.mark.parametrize(
    "name",
    ["All Patients", "all patients", " CLINICAL  READ ", "north", "NORTH", " ", "\x00"],
)
def test_managed_and_taken_names_are_refused(cast, ruth, name):
    before = PatientGroup.objects.count(), Group.objects.count()
    response = ruth.post(at("add"), {"name": name, "use_for_permissions": "on"})
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    rename = ruth.post(
        at("change", cast.south.public_id), form_of(cast.south, name=name)
    )
    assert rename.status_code == 200
    assert (PatientGroup.objects.count(), Group.objects.count()) == before
    cast.south.refresh_from_db()
    assert cast.south.name == "South"


def test_a_name_of_ten_thousand_letters_is_refused(cast, ruth):
    response = ruth.post(at("add"), {"name": "x" * 10_000})
    assert response.status_code == 200
    assert PatientGroup.objects.count() == 2


def _for_another_group(cast, ruth, asked):
    other = ruth.post(
        at("change", cast.south.public_id),
        form_of(cast.south, use_for_permissions=None),
    )
    return confirmation_in(other)


def _of_another_person(cast, ruth, asked):
    give(cast.nil, "Staff Permissions")
    client = type(ruth)()
    client.force_login(cast.nil.user, backend="staffing.backends.StaffBackend")
    post = form_of(cast.north, use_for_permissions=None)
    return confirmation_in(client.post(at("change", cast.north.public_id), post))


def _of_an_older_version(cast, ruth, asked):
    cast.north.save()
    return confirmation_in(asked)


@pytest.mark.parametrize(
    "forged",
    [
        lambda *_: "yes",
        lambda *_: "\x00",
        lambda *_: "x" * 10_000,
        lambda cast, ruth, asked: confirmation_in(asked)[:-2],
        _for_another_group,
        _of_another_person,
        _of_an_older_version,
    ],
)
def test_a_forged_confirmation_asks_again(cast, ruth, forged):
    change = at("change", cast.north.public_id)
    asked = ruth.post(change, form_of(cast.north, use_for_permissions=None))
    confirmed = forged(cast, ruth, asked)
    post = form_of(cast.north, use_for_permissions=None, confirmed=confirmed)
    response = ruth.post(change, post)
    assert response.status_code == 200
    assert CONFIRM in response.content.decode() or confirmed == "\x00"
    cast.north.refresh_from_db()
    assert cast.north.use_for_permissions


def test_a_confirmation_to_switch_off_does_not_switch_on(cast, ruth, off):
    change = at("change", off.public_id)
    asked = ruth.post(change, form_of(off, use_for_permissions="on"))
    token = confirmation_in(asked)
    off.use_for_permissions = True
    off.save()
    ruth.post(change, form_of(off, use_for_permissions=None, confirmed=token))
    off.refresh_from_db()
    assert off.use_for_permissions


def test_two_people_at_once_both_versions_are_shown(cast, ruth):
    post = form_of(cast.north, name="Mine")
    cast.north.name = "Theirs"
    cast.north.save()
    response = ruth.post(at("change", cast.north.public_id), post)
    text = response.content.decode()
    assert "Mine" in text
    assert "Theirs" in text
    cast.north.refresh_from_db()
    assert cast.north.name == "Theirs"


def test_one_may_not_switch_on_a_group_that_one_holds(cast, ruth, off):
    """Held from before, and with a patient whom ruth cannot open."""
    cast.ruth.grant(off.auth_group)
    change = at("change", off.public_id)
    for confirmed in ("", "yes"):
        post = form_of(off, use_for_permissions="on", confirmed=confirmed)
        response = ruth.post(change, post)
        assert "You hold this group yourself" in response.content.decode()
        off.refresh_from_db()
        assert not off.use_for_permissions
    rows = AuditRow.objects.filter(outcome="refused")
    assert [(row.action, row.patient, row.detail) for row in rows] == [
        (
            "patient_group.changed",
            "",
            {"group": off.public_id, "reason": "self_gain"},
        )
    ] * 2


def test_that_refusal_is_recorded_after_the_transaction(cast, ruth, off, monkeypatch):
    cast.ruth.grant(off.auth_group)
    depth, depths = len(connection.savepoint_ids), []
    monkeypatch.setattr(
        trail,
        "refused",
        lambda *_arguments, **_detail: depths.append(len(connection.savepoint_ids)),
    )
    change = at("change", off.public_id)
    ruth.post(change, form_of(off, use_for_permissions="on"))
    assert depths == [depth]


def test_one_may_when_its_patients_are_within_reach_already(cast, ruth, off):
    cast.ruth.grant(off.auth_group)
    cast.ruth.grant(cast.south.auth_group)
    cast.south.add(cast.ada)
    change = at("change", off.public_id)
    post = form_of(off, use_for_permissions="on")
    asked = ruth.post(change, post)
    ruth.post(change, {**post, "confirmed": confirmation_in(asked)})
    off.refresh_from_db()
    assert off.use_for_permissions


def test_a_member_to_come_counts_too(cast, ruth, off):
    cast.ruth.grant(off.auth_group)
    off.remove(cast.ada)
    row = off.memberships.model(patient_group=off, member=cast.cyn)
    row.start_date = row.start_date.replace(year=row.start_date.year + 1)
    row.save()
    response = ruth.post(
        at("change", off.public_id), form_of(off, use_for_permissions="on")
    )
    assert "You hold this group yourself" in response.content.decode()


# The numbers


def test_the_numbers_equal_what_the_decisions_say(cast):
    """Counted person by person, with the switch on and with it off."""
    give(cast.sam, "Patients: North")
    give(cast.max, "Patients: North")
    cast.north.add(cast.ben)
    cast.north.add(cast.cyn)
    people = [cast.nora, cast.sam, cast.max, cast.ines]

    def reach():
        return {
            (staff.name, patient.pk)
            for staff in people
            for patient in Patient.objects.all()
            if decide(staff.user, "access", patient).allowed
        }

    said = effects.effect_of(cast.north)
    before = reach()
    cast.north.use_for_permissions = False
    cast.north.save()
    lost = [name for name, _patient in before - reach()]
    counted = {share.name: share.patients for share in said.shares}
    assert counted == {name: lost.count(name) for name in set(lost)}
    assert effects.effect_of(cast.north) == said, "on again they gain the same"


def test_a_large_groups_numbers_are_loaded_after_the_page(cast, ruth, monkeypatch):
    monkeypatch.setattr(effects, "MOST", 0)
    change = at("change", cast.north.public_id)
    text = ruth.post(
        change, form_of(cast.north, use_for_permissions=None)
    ).content.decode()
    assert "Nora Example" not in text
    address = at("effect", cast.north.public_id)
    assert f'hx-get="{address}"' in text
    later = ruth.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "Nora Example: more than 10,000 patients" in later
    assert "<html" not in later
