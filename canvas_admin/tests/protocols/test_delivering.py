"""From a change to what protocols do about it, once (security P44-P47)."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from canvas_admin.events import turns
from canvas_admin.events.models import ChangeEvent, Turn
from canvas_admin.events.tracking import caused_by
from canvas_admin.protocols import delivering
from canvas_admin.protocols.abroad import Abroad
from canvas_admin.protocols.delivering import deliver_some, retry
from canvas_admin.protocols.keeping import Run
from canvas_admin.protocols.models import BrokeredWrite, ProtocolResult, ProtocolRun
from canvas_admin.protocols.sandbox import Died, Sandbox, Unavailable
from canvas_admin.testing import give
from canvas_admin.tests.protocols.running import (
    EXAMPLES,
    deliver_all,
    measure,
    protocol,
    setting,
)
from patients.models import Consent, PatientAddress, PatientGroup
from patients.tests.test_consents import coding
from staffing.groups import managed_group
from tasks.models import Task

READS = ("Profile read", "Patients: North")
WRITES = (*READS, "Tasking access", "Staff Permissions")
MAKES_A_TASK = """
from canvas_workflow_kit.internal.integration_messages import create_task_payload
self.set_updates([create_task_payload(
    patient_key=self.patient.patient['key'], title=type(self).__name__, created_by_key='')])
"""
POSTS_A_TASK = """
from canvas_workflow_kit.fhir import FumageHelper
answer = FumageHelper(self.settings).create("Task", {
    "resourceType": "Task", "status": "requested", "intent": "unknown",
    "description": "by HTTP",
    "for": {"reference": "Patient/" + self.patient.patient["key"]},
    "requester": {"reference": "Practitioner/" + self.settings.STAFF},
})
result.add_narrative(str(answer.status_code))
"""
WAITING, DONE, PARKED = ChangeEvent.State


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as made:
        yield made


@pytest.fixture
def quiet(cast):
    """Nothing waits."""
    ChangeEvent.objects.all().delete()
    return cast


def change(patient):
    """A change of a patient's record, and its event."""
    PatientAddress.objects.create(patient=patient, city="Salem")
    return ChangeEvent.objects.order_by("-id").first()


def states():
    return list(ChangeEvent.objects.order_by("id").values_list("state", flat=True))


def test_a_change_runs_who_wants_it(quiet, sandbox):
    says = measure("result.status = 'due'\nresult.add_narrative('is due')")
    one = protocol(says, *READS, change_types=["patient"])
    protocol(says, *READS, name="Other", change_types=["consent"])
    event = change(quiet.ada)
    assert deliver_all(sandbox) == 1
    event.refresh_from_db()
    assert (event.state, event.attempts, event.error) == (DONE, 1, "")
    run = ProtocolRun.objects.get()
    assert (run.protocol, run.version, run.event) == (one, one.current, event)
    assert (run.kind, run.status, run.patient) == ("computed", "due", quiet.ada)
    result = ProtocolResult.objects.get()
    assert (result.run, result.status, result.narrative) == (run, "due", "is due")
    row = AuditRow.objects.filter(action="protocol.run", patient=quiet.ada.key).get()
    assert row.actor == one.application.staff.user.key


def test_it_is_told_what_has_changed(quiet, sandbox):
    told = "result.add_narrative(repr(self.field_changes['fields'].get('city')))"
    protocol(measure(told), *READS)
    address = change(quiet.ada)
    row = PatientAddress.objects.get(pk=address.record)
    row.city = "Lynn"
    row.save()
    assert deliver_all(sandbox) == 2
    assert ProtocolResult.objects.get().narrative == "['Salem', 'Lynn']"
    runs = ProtocolRun.objects.order_by("id").values_list("event__created", flat=True)
    assert list(runs) == [True, False]


def test_where_nothing_runs_nothing_waits(quiet, sandbox):
    change(quiet.ada)
    off = protocol(measure("pass"), *READS)
    off.active = False
    off.save()
    assert deliver_all(sandbox) == 1
    assert states() == [DONE]
    assert not ProtocolRun.objects.exists()


def test_a_protocol_does_not_hear_of_what_it_did(quiet, sandbox):
    one = protocol(measure(MAKES_A_TASK), *WRITES)
    two = protocol(measure(MAKES_A_TASK), *WRITES, name="Two")
    change(quiet.ada)
    deliver_all(sandbox)
    chains = [row.chain for row in ChangeEvent.objects.order_by("id")]
    assert chains == [
        [],
        [one.key],
        [two.key],
        [one.key, two.key],
        [two.key, one.key],
    ]
    assert set(states()) == {DONE}
    assert quiet.ada.tasks.count() == 4


def test_a_chain_that_goes_too_deep_is_parked(quiet, sandbox):
    protocol(measure("pass"), *READS)
    event = change(quiet.ada)
    event.chain = ["a"] * 5
    event.save()
    deliver_all(sandbox)
    event.refresh_from_db()
    assert (event.state, event.attempts) == (PARKED, 0)
    assert "5 deep" in event.error


def test_one_that_fails_is_parked_and_the_later_ones_go_on(quiet, sandbox):
    fails = protocol(measure("raise Exception('no')"), *READS)
    good = protocol(measure("result.status = 'due'"), *READS, name="Good")
    first, second = change(quiet.ada), change(quiet.ada)
    assert deliver_all(sandbox) == 2
    assert states() == [PARKED, PARKED]
    first.refresh_from_db()
    assert first.error == "Failed: One"
    failed = first.runs.get(protocol=fails)
    assert (failed.kind, failed.line) == ("failed", 11)
    assert "Exception: no" in failed.error
    assert first.runs.get(protocol=good).kind == "computed"
    fails.current.source = measure("print('now')")
    fails.current.save()
    retry(ChangeEvent.objects.filter(pk=first.pk))
    assert deliver_all(sandbox) == 1
    assert states() == [DONE, PARKED]
    failed.refresh_from_db()
    assert (failed.kind, failed.log, failed.error) == ("computed", "now\n", "")
    assert ProtocolRun.objects.count() == 4
    assert second.runs.get(protocol=fails).kind == "failed"


def test_out_of_reach_it_does_not_run(quiet, sandbox):
    protocol(measure("print('ran')"), *READS)
    change(quiet.ben)
    deliver_all(sandbox)
    run = ProtocolRun.objects.get()
    assert (run.kind, run.log, states()) == ("out of reach", "", [DONE])
    assert not ProtocolResult.objects.exists()
    assert not AuditRow.objects.filter(patient=quiet.ben.key, action="protocol.run")


class Ends:
    """A sandbox that ends at every run."""

    def run(self, *_given):
        raise Died("gone")


def test_trouble_of_ours_is_tried_again_for_ten_minutes(quiet, sandbox, monkeypatch):
    protocol(measure("pass"), *READS)
    event, later = change(quiet.ada), change(quiet.ada)
    for attempt in (1, 2):
        assert deliver_some(Ends()) == 0
        event.refresh_from_db()
        assert (event.state, event.attempts) == (WAITING, attempt)
        assert event.error == "Died: gone"
        assert not delivering.waiting().exists()
        turns.free(quiet.ada.pk)
    event.first_attempt = timezone.now() - timedelta(minutes=10)
    event.save()
    assert deliver_all(Ends()) == 1
    assert states() == [PARKED, WAITING]
    turns.free(quiet.ada.pk)
    deliver_all(sandbox)
    assert states() == [PARKED, DONE]
    assert later.runs.count() == 1
    retry(ChangeEvent.objects.filter(pk=event.pk))
    deliver_all(sandbox)
    assert states() == [DONE, DONE]


def test_a_sandbox_that_cannot_be_started_again_is_trouble(quiet, monkeypatch):
    """And says nothing about protocols: what waits is not parked for it."""
    protocol(measure("pass"), *READS)
    event = change(quiet.ada)

    def refuses(_sandbox):
        raise Unavailable("no memory")

    with Sandbox() as lame:
        lame.close()
        monkeypatch.setattr(Sandbox, "_start", refuses)
        assert deliver_some(lame) == 0
    event.refresh_from_db()
    assert (event.state, event.error) == (WAITING, "Died: no memory")


def test_a_failure_of_ours_ends_the_run_and_no_worker(quiet, sandbox, monkeypatch):
    """It is kept with its traceback, and what comes later goes on."""
    wrong = protocol(measure("pass"), *READS)
    setting(wrong, "INSTANCE_NAME", "a/b")
    right = protocol(measure("pass"), *READS, name="Two")
    event = change(quiet.ada)
    deliver_all(sandbox)
    assert states() == [PARKED]
    run = event.runs.get(protocol=wrong)
    assert (run.kind, run.error) == (
        "failed",
        "ValueError: INSTANCE_NAME: “a/b” cannot be one.",
    )
    assert "check_instance" in run.traceback
    assert event.runs.get(protocol=right).kind == "computed"


def test_one_patients_trouble_is_nobody_elses(quiet, sandbox):
    protocol(measure("pass"), *READS, "All Patients")
    for patient in [quiet.ada] * 3 + [quiet.ben]:
        change(patient)
    turn = turns.take(quiet.ada.pk, 60)
    assert deliver_all(sandbox) == 1
    assert states() == [WAITING] * 3 + [DONE]
    turns.release(turn)
    assert deliver_all(sandbox) == 3


def test_who_was_away_too_long_overwrites_nothing(quiet, sandbox, monkeypatch):
    """Another took the turn while this one was away, and finished (security P45)."""
    count = "result.add_narrative(str(len(self.patient.patient['addresses'])))"
    protocol(measure(count + MAKES_A_TASK), *WRITES)
    change(quiet.ada)
    taken = sandbox.run

    def away(*given):
        monkeypatch.setattr(sandbox, "run", taken)
        ran = taken(*given)
        Turn.objects.update(until=turns.FREE)
        with caused_by([]):
            PatientAddress.objects.create(patient=quiet.ada, city="Lynn")
            assert deliver_all(sandbox) == 4
        return ran

    monkeypatch.setattr(sandbox, "run", away)
    assert deliver_some(sandbox) == 0
    assert ProtocolResult.objects.get().narrative == "2"
    assert quiet.ada.tasks.count() == 2
    assert set(states()) == {DONE}


def test_what_is_written_by_http_is_written_once(quiet, sandbox, monkeypatch):
    """The worker ends after the call and before the run is kept."""
    one = protocol(measure(POSTS_A_TASK), *WRITES)
    setting(one, "STAFF", quiet.nora.key)
    change(quiet.ada)
    keep = Run.keep

    def fails(*_given):
        raise OperationalError("gone")

    monkeypatch.setattr(Run, "keep", fails)
    assert deliver_some(sandbox) == 0
    assert (Task.objects.count(), BrokeredWrite.objects.count()) == (1, 1)
    turns.free(quiet.ada.pk)
    monkeypatch.setattr(Run, "keep", keep)
    deliver_all(sandbox)
    assert ProtocolResult.objects.get().narrative == "201"
    assert (Task.objects.count(), BrokeredWrite.objects.count()) == (1, 0)
    assert set(states()) == {DONE}


def test_what_was_written_elsewhere_is_written_once(quiet, sandbox, monkeypatch):
    """As far as that can be: the answer is kept before the run is."""
    sends = "import requests\nrequests.post('https://far.example.org/', json={})"
    one = protocol(measure(sends), *READS)
    one.hosts = "far.example.org"
    one.save()
    asked = []

    def sent(self, *request):
        assert not connection.in_atomic_block or connection.savepoint_ids == outside
        asked.append(request)
        return {"status": 200, "headers": [], "body": ""}

    monkeypatch.setattr(Abroad, "_sent", sent)
    keep, outside = Run.keep, list(connection.savepoint_ids)

    def fails(*_given):
        raise OperationalError("gone")

    change(quiet.ada)
    monkeypatch.setattr(Run, "keep", fails)
    assert deliver_some(sandbox) == 0
    turns.free(quiet.ada.pk)
    monkeypatch.setattr(Run, "keep", keep)
    deliver_all(sandbox)
    assert len(asked) == 1
    assert states() == [DONE]


def test_what_was_refused_by_http_is_asked_again(quiet, sandbox, monkeypatch):
    one = protocol(measure(POSTS_A_TASK), *READS)
    setting(one, "STAFF", quiet.nora.key)
    change(quiet.ada)
    deliver_all(sandbox)
    assert ProtocolResult.objects.get().narrative == "403"
    assert not BrokeredWrite.objects.exists()


def test_unchanged_leaves_the_result_as_it_was(quiet, sandbox):
    one = protocol(measure("result.status = 'due'"), *READS)
    change(quiet.ada)
    deliver_all(sandbox)
    one.current.source = measure("result.status = 'unchanged'")
    one.current.save()
    change(quiet.ada)
    deliver_all(sandbox)
    assert ProtocolResult.objects.get().status == "due"
    assert ProtocolRun.objects.first().status == "unchanged"


def test_the_rights_and_the_version_are_those_of_the_moment(
    quiet, sandbox, monkeypatch
):
    """Between two events of one patient somebody takes the rights away."""
    one = protocol(measure(MAKES_A_TASK), *WRITES, change_types=["patient"])
    change(quiet.ada)
    change(quiet.ada)
    keep = Run.keep

    def then_revokes(*given):
        keep(*given)
        one.application.staff.revoke(managed_group("tasking-access"))

    monkeypatch.setattr(Run, "keep", then_revokes)
    deliver_all(sandbox)
    kinds = ProtocolRun.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["computed", "failed"]
    assert quiet.ada.tasks.count() == 1


def test_what_is_printed_can_be_kept(quiet, sandbox):
    protocol(
        measure(r"import sys; sys.stdout.write('a\x00b\udcff' + chr(0x1f600))"), *READS
    )
    change(quiet.ada)
    deliver_all(sandbox)
    run = ProtocolRun.objects.get()
    assert "\x00" not in run.log
    assert run.kind == "failed" or run.log.startswith("a\ufffdb")


def test_settings_are_stored_encrypted_and_given_in_clear(quiet, sandbox):
    one = protocol(measure("result.add_narrative(self.settings.API)"), *READS)
    setting(one, "API", "hush-hush")
    change(quiet.ada)
    deliver_all(sandbox)
    assert ProtocolResult.objects.get().narrative == "hush-hush"
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM protocols_protocolsetting")
        assert "hush-hush" not in repr(cursor.fetchall())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "SECRET_KEY", "another" * 8)
        assert one.settings.get().value == ""


def test_a_consent_closes_and_opens_a_chart_from_the_profile(quiet, sandbox, signed_in):
    """S1, from page to page: who saw the patient through the group sees nothing at once."""
    east = PatientGroup.objects.create(name="East", use_for_permissions=True)
    give(quiet.nora, "Patients: East")
    give(quiet.max, "Profile read", "Profile write")
    source = (EXAMPLES / "consent_group.py").read_text()
    one = protocol(source, *WRITES, "All Patients", change_types=["consent"])
    setting(one, "CONSENT", "A1")
    setting(one, "GROUP", str(east.externally_exposable_id))
    kind = coding("A1")
    quiet.north.remove(quiet.ada)
    nurse, chart = signed_in("nora"), f"/patient/{quiet.ada.key}/"
    assert nurse.get(chart).status_code == 403
    for state, status in (("accepted", 200), ("rejected", 403), ("accepted", 200)):
        Consent.record(quiet.ada, kind, state, timezone.localdate())
        deliver_all(sandbox)
        assert nurse.get(chart).status_code == status
        assert set(states()) == {DONE}
