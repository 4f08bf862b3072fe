"""manage.py try_protocol: what a file would do to one patient."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_application
from canvas_admin.tests.protocols.running import measure
from tasks.models import Task

MAKES_A_TASK = """
from canvas_workflow_kit.internal.integration_messages import create_task_payload
key = self.patient.patient['key']
self.set_updates([create_task_payload(key, '', title=self.settings.TITLE)])
result.status = 'due'
result.due_in = 3
result.add_narrative('Somebody should call.')
result.add_recommendation(key='K', title='Call')
print('hello')
"""


@pytest.fixture
def application(cast):
    return make_application("Protocol", "Tasking access", "Patients: North")


def attempt(tmp_path, body, patient, *more):
    file = tmp_path / "one.py"
    file.write_text(measure(body), encoding="utf-8")
    said = StringIO()
    asked = [str(file), "--patient", patient.key, "--application", "Protocol", *more]
    try:
        call_command("try_protocol", *asked, stdout=said)
    except SystemExit:
        return said.getvalue().splitlines(), False
    return said.getvalue().splitlines(), True


def test_it_says_what_it_would_do_and_does_nothing(cast, application, tmp_path):
    said, well = attempt(tmp_path, MAKES_A_TASK, cast.ada, "--set", "TITLE=Call back")
    assert well
    assert said == [
        "Printed:",
        "hello",
        "Status: due",
        "Somebody should call.",
        "- Call",
        "Due in 3 days.",
        "It would have done:",
        "- task “Call back” made",
    ]
    assert not Task.objects.exists()
    row = AuditRow.objects.get(action="protocol.tried", patient=cast.ada.key)
    assert (row.actor_name, row.access_path) == (
        "manage.py try_protocol",
        "patient-group",
    )


def test_with_apply_it_is_done(cast, application, tmp_path):
    more = ("--set", "TITLE=Call back", "--apply")
    said, _well = attempt(tmp_path, MAKES_A_TASK, cast.ada, *more)
    assert said[-2:] == ["Done:", "- task “Call back” made"]
    assert Task.objects.get().title == "Call back"


def test_a_change_is_told_to_it(cast, application, tmp_path):
    body = "result.add_narrative(self.field_changes['external_id'])"
    said, _well = attempt(tmp_path, body, cast.ada, "--external-id", "abc")
    assert "abc" in said
    assert said[-2:] == ["It would have done:", "- nothing"]


def test_what_fails_says_where(cast, application, tmp_path):
    said, well = attempt(tmp_path, "raise ValueError('no luck')", cast.ada)
    assert not well
    assert said[0] == "Failed: ValueError: no luck (line 11)"
    assert "no luck" in said[-1]


def test_out_of_reach_it_does_not_run(cast, application, tmp_path):
    said, well = attempt(tmp_path, MAKES_A_TASK, cast.ben, "--set", "TITLE=x")
    assert not well
    assert said == ["The patient is out of the application's reach: it does not run."]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"application": "None"}, "no active application"),
        ({"file": "missing.py"}, "cannot be read"),
        ({"said": ["TITLE"]}, "not NAME=VALUE"),
        ({"said": ["INSTANCE_NAME=a/b"]}, "INSTANCE_NAME"),
        ({"patient": "0" * 32}, "patient"),
    ],
)
def test_what_cannot_be_is_told(cast, application, tmp_path, change, told):
    file = tmp_path / "one.py"
    file.write_text(measure("pass"), encoding="utf-8")
    good = {
        "file": str(file),
        "patient": cast.ada.key,
        "application": "Protocol",
        "said": [],
    }
    asked = good | change
    with pytest.raises(CommandError, match=told):
        call_command(
            "try_protocol",
            asked["file"],
            patient=asked["patient"],
            application=asked["application"],
            said=asked["said"],
        )
