"""A version is tried over many, and nothing is done (security A13)."""

import csv
from io import StringIO

import pytest
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols.models import (
    DryRow,
    ProtocolResult,
    ProtocolRun,
    Recompute,
)
from canvas_admin.protocols.recomputing import recompute_some
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.testing import give
from canvas_admin.tests.protocols.running import measure, protocol
from patients.models import PatientGroup
from tasks.models import Task

RIGHTS = ("Profile read", "Tasking access", "Staff Permissions", "All Patients")
DOES = """
from canvas_workflow_kit.internal.integration_messages import (
    create_task_payload, ensure_patient_in_group)
key = self.patient.patient["key"]
self.set_updates([
    ensure_patient_in_group(key, "{group}"),
    create_task_payload(patient_key=key, title="Call " + self.patient.patient["lastName"],
                        created_by_key=""),
])
result.status = "due"
"""


def page(name, *arguments):
    """The address of a page about protocols."""
    return reverse(f"admin:protocols_protocol_{name}", args=arguments)


@pytest.fixture
def clinic(cast, signed_in):
    """nora administers programs and reaches North; a protocol with another version."""
    give(cast.nora, "Integrations")
    cast.east = PatientGroup.objects.create(name="East")
    cast.one = protocol(measure("pass"), *RIGHTS)
    source = measure(DOES.format(group=cast.east.externally_exposable_id))
    cast.version = cast.one.versions.create(number="2", source=source)
    cast.nurse = signed_in("nora")
    return cast


def work():
    """All that workers have to do."""
    with Sandbox() as sandbox:
        while recompute_some(sandbox):
            pass


def tried(clinic, **over):
    """A dry run over these, wanted on the page and done by workers."""
    begin = page("try", clinic.one.key, clinic.version.key)
    answer = clinic.nurse.post(begin, over)
    assert answer.status_code == 302, answer.context["form"].errors
    work()
    return Recompute.objects.latest("id")


def test_nothing_is_done_and_all_is_counted(clinic):
    ProtocolResult.objects.create(
        protocol=clinic.one,
        patient=clinic.ben,
        status="satisfied",
        run=ProtocolRun.objects.create(
            protocol=clinic.one,
            version=clinic.one.current,
            patient=clinic.ben,
            kind="computed",
            started="2026-01-02T00:00Z",
            milliseconds=1,
        ),
    )
    before = ChangeEvent.objects.count()
    run = tried(clinic)
    assert (run.patients, run.handled, run.dry) == (3, 3, True)
    assert not clinic.east.memberships.exists()
    assert not Task.objects.exists()
    assert ChangeEvent.objects.count() == before
    assert ProtocolRun.objects.count() == ProtocolResult.objects.count() == 1
    assert DryRow.objects.count() == 3
    shown = clinic.nurse.get(page("dry_run", run.key))
    assert shown.context["effects"] == [
        ("a task made", 3),
        ("put into “East”", 3),
    ]
    assert [tuple(c) for c in shown.context["changes"]] == [
        ("–", "due", 2),
        ("satisfied", "due", 1),
    ]
    assert shown.context["kinds"] == [("computed", 3)]
    row = AuditRow.objects.filter(action="protocol.dry_run", patient=clinic.ben.key)
    assert row.get().actor == clinic.one.application.staff.user.key


def test_rows_are_those_within_reach_and_totals_name_nobody(clinic, signed_in):
    run = tried(clinic)
    shown = clinic.nurse.get(page("dry_run", run.key)).text
    assert "Call Alvarez" in shown
    for name in ("Brandt", "Castillo", clinic.ben.key):
        assert name not in shown
    assert AuditRow.objects.filter(
        action="protocol.dry_rows", patient=clinic.ada.key
    ).exists()
    file = clinic.nurse.get(page("dry_file", run.key))
    lines = list(csv.reader(StringIO(file.content.decode("utf-8-sig"))))
    assert lines[1:] == [
        [
            clinic.ada.key,
            "Ada Alvarez",
            "computed",
            "–",
            "due",
            "put into “East”; task “Call Alvarez” made",
            "",
        ]
    ]
    give(clinic.olga, "Integrations", "All Patients")
    desk = signed_in("olga")
    shown = desk.get(page("dry_run", run.key)).text
    assert "a task made: 3" in shown
    assert "Alvarez" not in shown
    assert desk.get(page("dry_file", run.key)).status_code == 403


def test_over_a_group_or_one_patient(clinic):
    give(clinic.nora, "Patients: South")
    group = clinic.south.externally_exposable_id
    assert [r.patient for r in tried(clinic, patient_group=group).rows.all()] == [
        clinic.ben
    ]
    run = tried(clinic, patient=clinic.ada.key)
    assert [row.patient for row in run.rows.all()] == [clinic.ada]
    begin = page("try", clinic.one.key, clinic.version.key)
    hidden, missing = (
        clinic.nurse.post(begin, {"patient": key}) for key in (clinic.cyn.key, "0" * 32)
    )
    for answer in (hidden, missing):
        assert "no such patient within your reach" in answer.text
    other = {"patient_group": clinic.east.externally_exposable_id}
    assert "patient_group" in clinic.nurse.post(begin, other).context["form"].errors
    assert Recompute.objects.count() == 2


def test_totals_of_one_patient_are_for_who_may_open_the_chart(clinic, signed_in):
    run = tried(clinic, patient=clinic.ada.key)
    use = page("use", clinic.one.key, clinic.version.key)
    assert "It has not been tried." in clinic.nurse.get(use).text
    give(clinic.sam, "Integrations")
    give(clinic.olga, "Integrations", "All Patients")
    begin = page("try", clinic.one.key, clinic.version.key)
    for name in ("sam", "olga"):
        other = signed_in(name)
        assert other.get(page("dry_run", run.key)).status_code == 404
        answer = other.post(begin, {"patient": clinic.ada.key})
        assert "no such patient within your reach" in answer.text
    assert Recompute.objects.count() == 1


def test_before_a_version_is_used_the_difference_is_shown(clinic):
    use = page("use", clinic.one.key, clinic.version.key)
    assert "It has not been tried." in clinic.nurse.get(use).text
    tried(clinic)
    shown = clinic.nurse.get(use).text
    assert "has found" in shown
    assert "put into “East”: 3" in shown


def test_a_version_is_offered_for_use_until_it_is_in_use(clinic):
    run = tried(clinic)
    offered = page("use", clinic.one.key, clinic.version.key)
    assert offered in clinic.nurse.get(page("dry_run", run.key)).text
    clinic.nurse.post(offered)
    assert offered not in clinic.nurse.get(page("dry_run", run.key)).text


def test_one_that_is_stopped_ends_and_a_failing_one_says_so(clinic):
    begin = page("try", clinic.one.key, clinic.version.key)
    clinic.nurse.post(begin)
    run = Recompute.objects.get()
    clinic.nurse.post(page("dry_stop", run.key))
    work()
    run.refresh_from_db()
    assert (run.stopped, run.rows.count()) == (True, 0)
    clinic.version.source = measure("raise Exception('no')")
    clinic.version.save()
    run = tried(clinic)
    shown = clinic.nurse.get(page("dry_run", run.key))
    assert shown.context["kinds"] == [("failed", 3)]
    assert "Exception: no" in shown.text


def test_it_does_not_stop_what_is_computed_really(clinic):
    clinic.nurse.post(page("recompute", clinic.one.key))
    run = tried(clinic)
    real = Recompute.objects.get(dry=False)
    assert not real.stopped
    assert real.runs.count() == run.rows.count() == 3
