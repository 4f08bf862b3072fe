"""Nobody opens a patient to oneself: every way into a group that one holds is refused.

ruth administers and holds North, whether it is switched on or not. ben is out of her
reach; what she reaches already (ada, through North itself) she may handle. Each refusal
is in the audit trail, written when its transaction is over.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from canvas_admin.audit import trail
from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give, make_patient
from patients import handles
from patients.models import Patient, PatientGroupExclusion, PatientGroupMember
from staffing.group_keeping import changing_holders
from staffing.models import User

SAID = "You hold this group yourself"


def at(page, *arguments):
    return reverse(f"admin:patients_patientgroup_{page}", args=arguments)


def local(moment):
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture(params=["on", "off"])
def north(cast, request):
    """North, held by ruth, switched on or off."""
    give(cast.ruth, "Patients: North")
    if request.param == "off":
        cast.north.use_for_permissions = False
        cast.north.save()
    return cast.north


@pytest.fixture
def ruth(signed_in):
    return signed_in("ruth")


@pytest.fixture
def refusals(cast, monkeypatch):
    """What is in the trail as refused: (action, detail, patients), act by act.

    No refusal is written inside a transaction but the test's own.
    """
    depth, write = len(connection.savepoint_ids), trail.refused

    def refused(*arguments, **detail):
        assert len(connection.savepoint_ids) == depth
        write(*arguments, **detail)

    monkeypatch.setattr(trail, "refused", refused)

    def found():
        rows = AuditRow.objects.filter(outcome="refused")
        return [
            (row.action, row.detail, {r.patient for r in rows if r.event == row.event})
            for row in rows.filter(patient="").order_by("pk")
        ]

    return found


def refusal(action, group, *patients):
    detail = {"group": group.public_id, "reason": "self_gain"}
    return (f"patient_group.{action}", detail, {"", *(p.key for p in patients)})


def ends_in_force(group, patient):
    return group.memberships.going_on().filter(member=patient).exists()


def membership(group, patient, days_from, days_until):
    now = clock.now()
    row = PatientGroupMember(patient_group=group, member=patient)
    row.start_date = now + timedelta(days=days_from)
    row.end_date = now + timedelta(days=days_until)
    row.save()
    return row


def post_dates(client, row, start, end):
    row.refresh_from_db()
    post = {"start_date": start, "end_date": end, "form_version": row.version}
    page = at("member", row.patient_group.public_id, row.key)
    return client.post(page, post)


@pytest.mark.parametrize("start", [timedelta(), timedelta(days=400)])
def test_adding_is_refused_also_for_later(cast, ruth, north, refusals, start):
    post = {
        "patient": handles.seal(cast.ruth.user, cast.ben, handles.PICK),
        "start_date": local(clock.now() + start),
        "end_date": "",
        "add": "1",
    }
    response = ruth.post(at("member_add", north.public_id), post)
    assert SAID in response.content.decode()
    assert not north.memberships.filter(member=cast.ben).exists()
    assert refusals() == [refusal("member_added", north, cast.ben)]


def test_a_forged_add_without_the_page_is_refused(cast, ruth, north):
    """No "find" before, other buttons, more fields: the same rule."""
    handle = handles.seal(cast.ruth.user, cast.ben, handles.PICK)
    for button in ({"another": "1"}, {}, {"add": "1", "confirmed": "1"}):
        post = {"patient": handle, "start_date": local(clock.now()), **button}
        ruth.post(at("member_add", north.public_id), post)
    assert not north.memberships.filter(member=cast.ben).exists()


def test_bringing_an_ended_membership_back_is_refused(cast, ruth, north, refusals):
    row = membership(north, cast.ben, -9, -1)
    for end in ("", local(clock.now() + timedelta(days=9))):
        response = post_dates(ruth, row, local(row.start_date), end)
        assert SAID in response.content.decode()
    assert not ends_in_force(north, cast.ben)
    assert refusals() == [refusal("member_changed", north, cast.ben)] * 2


def test_making_a_membership_longer_or_earlier_is_refused(cast, ruth, north):
    row = membership(north, cast.ben, 5, 9)
    now, later = clock.now(), row.end_date + timedelta(days=1)
    for start, end in (
        (local(now), local(row.end_date)),
        (local(row.start_date), local(later)),
        (local(row.start_date), ""),
    ):
        response = post_dates(ruth, row, start, end)
        assert SAID in response.content.decode()
    before = row.start_date, row.end_date
    row.refresh_from_db()
    assert (row.start_date, row.end_date) == before


def test_making_it_shorter_and_taking_out_are_allowed(cast, ruth, north):
    row = membership(north, cast.ben, 5, 9)
    start = local(row.start_date + timedelta(days=1))
    assert post_dates(ruth, row, start, local(row.end_date)).status_code == 302
    row.refresh_from_db()
    ruth.post(at("member_remove", north.public_id, row.key))
    assert not ends_in_force(north, cast.ben)


def test_putting_back_is_refused(cast, ruth, north, refusals):
    """North is the only way to ada; once she is out, ruth cannot open her."""
    row = north.memberships.get()
    ruth.post(at("member_remove", north.public_id, row.key))
    response = ruth.post(at("member_restore", north.public_id, row.key))
    assert SAID in response.content.decode()
    assert not ends_in_force(north, cast.ada)
    assert refusals() == [refusal("member_added", north, cast.ada)]


def test_lifting_an_exclusion_over_a_membership_is_refused(cast, ruth, north, refusals):
    """Both rows stand side by side after two acts at the same moment."""
    kept_out = PatientGroupExclusion(patient_group=north, patient=cast.ben, reason="x")
    PatientGroupExclusion.objects.bulk_create([kept_out])
    PatientGroupMember.objects.bulk_create(
        [PatientGroupMember(patient_group=north, member=cast.ben)]
    )
    lift = at("exclusion_lift", north.public_id, kept_out.key)
    response = ruth.post(lift)
    assert SAID in response.content.decode()
    assert north.exclusions.exists()
    assert refusals() == [refusal("exclusion_lifted", north, cast.ben)]
    north.remove(cast.ben)
    ruth.post(lift)
    assert not north.exclusions.exists(), "nothing comes into force by that"


def test_a_patient_nobody_can_open_is_not_handed_to_oneself(cast, ruth, refusals):
    give(cast.ruth, "Patients: North")
    dot = make_patient("Dot", "Dunn", cast.cyn.birth_date)
    post = {
        "patient": [
            handles.seal(cast.ruth.user, patient, handles.UNREACHABLE)
            for patient in (cast.ada, cast.cyn, dot)
        ],
        "group": cast.north.public_id,
    }
    response = ruth.post(at("unreachable"), post)
    assert SAID in response.content.decode()
    assert refusals() == [refusal("member_added", cast.north, cast.cyn, dot)]
    post["group"] = cast.south.public_id
    ruth.post(at("unreachable"), post)
    assert ends_in_force(cast.south, cast.cyn)


def test_whom_one_reaches_otherwise_one_may_add(cast, ruth, north):
    give(cast.ruth, "Patients: South")
    post = {
        "patient": handles.seal(cast.ruth.user, cast.ben, handles.PICK),
        "start_date": local(clock.now()),
        "end_date": "",
        "add": "1",
    }
    assert ruth.post(at("member_add", north.public_id), post).status_code == 302
    assert ends_in_force(north, cast.ben)


def test_all_patients_reaches_everyone(cast, ruth, north):
    give(cast.ruth, "All Patients")
    post = {
        "patient": handles.seal(cast.ruth.user, cast.cyn, handles.PICK),
        "start_date": local(clock.now()),
        "add": "1",
    }
    assert ruth.post(at("member_add", north.public_id), post).status_code == 302


def test_somebody_who_does_not_hold_the_group_may(cast, signed_in, north):
    give(cast.nil, "Staff Permissions")
    post = {
        "patient": handles.seal(cast.nil.user, cast.ben, handles.PICK),
        "start_date": local(clock.now()),
        "add": "1",
    }
    client = signed_in("nil")
    assert client.post(at("member_add", north.public_id), post).status_code == 302
    assert ends_in_force(north, cast.ben)
    assert not Patient.objects.accessible_to(cast.nil.user).exists()


def test_a_superuser_reaches_everyone_and_may(cast, client, north):
    root = User.objects.create_superuser("root", password="long enough for a test")
    with changing_holders():
        root.groups.add(north.auth_group)
    client.force_login(root, backend="staffing.backends.StaffBackend")
    post = {
        "patient": handles.seal(root, cast.ben, handles.PICK),
        "start_date": local(clock.now()),
        "add": "1",
    }
    assert client.post(at("member_add", north.public_id), post).status_code == 302
    assert ends_in_force(north, cast.ben)
