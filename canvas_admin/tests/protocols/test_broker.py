"""What a run may ask of the web: the clinic's own API, as its application (P54)."""

import base64
import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from oauth2_provider.models import AccessToken

from canvas_admin.audit.models import AuditRow
from canvas_admin.protocols.abroad import Abroad
from canvas_admin.protocols.broker import Broker
from canvas_admin.protocols.patient_data import patient_data
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.testing import make_application
from canvas_admin.tests.protocols.running import job
from staffing.models import Team
from tasks.models import Task, TaskComment, TaskLabel

TITLE = "Refer patient to Psychiatry (TBD)"


@pytest.fixture
def application(cast):
    return make_application("Protocol", "Tasking access", "Patients: North")


@pytest.fixture
def broker(application):
    with Broker(application, "our-clinic") as made:
        yield made


def ask(broker, method, url, body=b"", **headers):
    answer = broker(
        {
            "kind": "http",
            "method": method,
            "url": url,
            "headers": [[name.replace("_", "-"), v] for name, v in headers.items()],
            "body": base64.b64encode(body).decode(),
        }
    )
    if "body" in answer:
        answer["said"] = json.loads(base64.b64decode(answer["body"]) or "null")
    return answer


def token(broker, **wrong):
    known = broker.settings | wrong
    body = (
        f"grant_type=client_credentials&client_id={known['CLIENT_ID']}"
        f"&client_secret={known['CLIENT_SECRET']}"
    )
    home = f"https://{broker.instance}.canvasmedical.com/auth/token/"
    return ask(broker, "POST", home, body.encode())


def bearer(broker):
    return {"Authorization": f"Bearer {token(broker)['said']['access_token']}"}


FHIR = "https://fumage-our-clinic.canvasmedical.com"


def test_a_run_reads_by_its_own_token_what_its_application_may(cast, broker):
    inside, outside = (
        Task.objects.create(patient=patient, title=TITLE)
        for patient in (cast.ada, cast.ben)
    )
    headers = bearer(broker)
    for task, status in ((inside, 200), (outside, 404)):
        url = f"{FHIR}/Task/{task.externally_exposable_id}"
        assert ask(broker, "GET", url, **headers)["status"] == status
        assert ask(broker, "GET", url)["status"] == 401
        for false in ("Bearer x", f"{headers['Authorization']}0"):
            assert ask(broker, "GET", url, Authorization=false)["status"] == 401
    read = AuditRow.objects.get(action="fhir:Task.read", patient=cast.ada.key)
    assert read.actor == broker.application.staff.user.key
    found = ask(broker, "GET", f"{FHIR.replace('fumage', 'fhir')}/Task", **headers)
    assert [e["resource"]["id"] for e in found["said"]["entry"]] == [
        str(inside.externally_exposable_id)
    ]
    assert ask(broker, "GET", f"{FHIR}/Patient", **headers)["status"] == 403


def test_the_token_is_gone_with_the_run(application):
    with Broker(application, "our-clinic") as broker:
        bearer(broker)
        bearer(broker)
        assert AccessToken.objects.filter(application=application).count() == 1
    assert not AccessToken.objects.filter(application=application).exists()


def test_a_wrong_secret_gets_none(broker, application):
    for wrong in ({"CLIENT_ID": "x"}, {"CLIENT_SECRET": application.secret}):
        assert token(broker, **wrong)["status"] == 401
    assert broker.token == ""


def test_another_applications_token_is_none_here(cast, broker):
    other = Broker(make_application("Other", "Tasking access", "All Patients"), "other")
    headers = bearer(other)
    assert ask(other, "GET", f"{FHIR.replace('our-clinic', 'other')}/Task", **headers)
    assert ask(broker, "GET", f"{FHIR}/Task", **headers)["status"] == 401


ELSEWHERE = [
    "https://evil.example/Task",
    "https://other.canvasmedical.com/auth/token/",
    "https://fumage-our-clinic.canvasmedical.com.evil.example/Task",
    "https://u:p@fumage-our-clinic.canvasmedical.com/Task",
    "https://fumage-our-clinic.canvasmedical.com:8443/Task",
    "http://fumage-our-clinic.canvasmedical.com/Task",
    "https://fumage-our-clinic.canvasmedical.com\\@evil.example/Task",
    "https://169.254.169.254/latest/meta-data",
    "https://fumage-our-clinic.canvasmedical.com/Task\r\nX: y",
    "file:///etc/passwd",
    "https://[::1]/",
    "",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_other_address_is_answered(broker, url):
    assert "refused" in ask(broker, "GET", url)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "evil.example/x?",
        "a#",
        "a@b",
        "fumage-x",
        "fhir-x",
        "-a",
        "a-",
        "A",
        "a" * 64,
    ]
    + ["a\n", "a b", "ä", "a/../b", "[::1]"],
)
def test_a_name_that_would_lead_elsewhere_is_refused(cast, application, name):
    with pytest.raises(ValueError, match="INSTANCE_NAME"):
        Broker(application, name)


BROKEN = [
    {},
    {"method": "GET", "url": f"{FHIR}/Task", "headers": 3, "body": ""},
    {"method": "GET", "url": f"{FHIR}/Task", "headers": [["a"]], "body": ""},
    {"method": "GET", "url": f"{FHIR}/Task", "headers": [], "body": "?"},
    {"method": "DELETE", "url": f"{FHIR}/Task", "headers": [], "body": ""},
]


@pytest.mark.parametrize("request_sent", BROKEN)
def test_what_is_no_request_is_refused(broker, request_sent):
    assert "refused" in broker(request_sent)


REFERRAL = """
import requests
from canvas_workflow_kit.fhir import FumageHelper
fhir = FumageHelper(self.settings)
(entry,) = fhir.search('Task', {'_id': self.field_changes['external_id']}).json()['entry']
task = {name: value for name, value in entry['resource'].items() if name != 'note'}
task['extension'] = [*task.get('extension', []), {
    'url': 'http://schemas.canvasmedical.com/fhir/extensions/task-group',
    'valueReference': {'reference': 'Group/' + self.settings.TEAM},
}]
task['input'] = [*task.get('input', []), {
    'type': {'text': 'label'}, 'valueString': 'Internal Referral',
}]
result.add_narrative(str(fhir.update('Task', task['id'], task).status_code))
"""


def test_a_protocol_moves_a_task_by_the_kits_own_helper(cast, broker):
    """S1, section 3: the task ends with the other team and the label."""
    team = Team.objects.create(name="Behavioral Health Coordinators")
    TaskLabel.objects.get_or_create(name="Internal Referral")
    task = Task.objects.create(patient=cast.ada, title=TITLE, creator=cast.nora)
    TaskComment.objects.create(task=task, author=cast.nora, text="kept")
    sent = job(
        REFERRAL,
        patient=patient_data(broker.application.staff.user, cast.ada),
        field_changes={
            "created": True,
            "external_id": str(task.externally_exposable_id),
        },
        settings=broker.settings | {"TEAM": str(team.externally_exposable_id)},
    )
    with Sandbox() as sandbox:
        said = sandbox.run(sent, broker).message
    assert said.get("narrative") == "200", said
    task.refresh_from_db()
    assert task.team == team
    assert [label.name for label in task.labels.all()] == ["Internal Referral"]
    assert [each.text for each in task.comments.all()] == ["kept"]


def test_in_a_dry_run_a_write_is_answered_and_not_kept(cast, application):
    task = Task.objects.create(patient=cast.ada, title=TITLE, creator=cast.nora)
    url = f"{FHIR}/Task/{task.externally_exposable_id}"
    with Broker(application, "our-clinic", dry=True) as broker:
        headers = bearer(broker)
        said = ask(broker, "GET", url, **headers)["said"]
        body = json.dumps(said | {"description": "Other"}).encode()
        headers |= {"Content-Type": "application/json"}
        assert ask(broker, "PUT", url, body, **headers)["status"] == 200
    assert [each.title for each in Task.objects.all()] == [TITLE]
    actions = set(AuditRow.objects.values_list("action", flat=True))
    assert "fhir:Task.read" in actions
    assert "task.change" not in actions


class Far(BaseHTTPRequestHandler):
    """A host far away, which says what it was asked."""

    def do_POST(self):
        self.server.asked.append((self.command, self.path, self.headers["X-Sent"]))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(302 if self.path == "/elsewhere" else 200)
        self.send_header("Location", "https://far.example.org/")
        self.end_headers()
        if self.path == "/drips":
            self.drip()
        else:
            self.wfile.write(b"1" * (2**21 if self.path == "/long" else 3))

    do_GET = do_DELETE = do_POST

    def drip(self):
        """Say something all the time, and come to no end."""
        with contextlib.suppress(OSError):
            for _each in range(200):
                self.wfile.write(b"1")
                time.sleep(0.05)

    def log_message(self, *_what):
        """Nothing."""


@pytest.fixture
def far(monkeypatch):
    """far.example.org, as if it were there: on this machine, without TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Far)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    real, here = requests.Session.request, f"http://127.0.0.1:{server.server_port}"

    def request(self, method, url, **options):
        url = url.replace("https://far.example.org", here)
        return real(self, method, url, **options)

    monkeypatch.setattr(requests.Session, "request", request)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def abroad(application, patient, **of):
    """A broker of a run over this patient that may ask far.example.org."""
    account = application.staff.user
    others = Abroad({"far.example.org"}, account, patient, **of)
    return Broker(application, "our-clinic", of.get("dry", False), None, others)


def test_other_hosts_are_asked_where_that_is_allowed(cast, application, far):
    with abroad(application, cast.ada) as broker:
        sent = {"X_Sent": "it", "Host": "other", "Connection": "close"}
        for method in ("GET", "POST", "DELETE"):
            answer = ask(broker, method, "https://far.example.org/a?b=c", **sent)
            assert answer["status"] == 200
            assert answer["said"] == 111
        elsewhere = ask(broker, "GET", "https://far.example.org/elsewhere")
        assert elsewhere["status"] == 302
        assert (
            "more than" in ask(broker, "GET", "https://far.example.org/long")["refused"]
        )
        for url in (
            "https://far.example.org.evil.example/",
            "https://other.example.org/",
            "http://far.example.org/",
            "https://far.example.org:8000/",
            "https://user@far.example.org/",
        ):
            assert "refused" in ask(broker, "GET", url), url
        assert "refused" in ask(broker, "TRACE", "https://far.example.org/")
        fhir = "https://fumage-our-clinic.canvasmedical.com/Task"
        assert "refused" in ask(broker, "DELETE", fhir)
    assert far.asked[:3] == [(m, "/a?b=c", "it") for m in ("GET", "POST", "DELETE")]
    assert len(far.asked) == 5
    rows = AuditRow.objects.filter(action="protocol.sent", patient=cast.ada.key)
    assert rows.count() == 5
    assert AuditRow.objects.filter(action="protocol.sent").first().detail == {
        "method": "GET",
        "host": "far.example.org",
    }


def test_who_comes_to_no_end_is_not_listened_to_for_ever(
    cast, application, far, monkeypatch
):
    monkeypatch.setattr("canvas_admin.protocols.abroad.WHOLE", 0.5)
    begun = time.monotonic()
    with abroad(application, cast.ada) as broker:
        answer = ask(broker, "GET", "https://far.example.org/drips")
    assert answer == {"refused": "the answer takes longer than 0.5 seconds"}
    assert time.monotonic() - begun < 5


def test_a_dry_run_writes_nothing_elsewhere(cast, application, far):
    with abroad(application, cast.ada, dry=True) as broker:
        for method in ("POST", "DELETE"):
            answer = ask(broker, method, "https://far.example.org/a")
            assert (answer["status"], answer["said"]) == (200, {})
        assert far.asked == []
        ask(broker, "GET", "https://far.example.org/a")
    assert len(far.asked) == 1


def test_who_does_not_answer_is_an_error_of_the_run(cast, application, far):
    far.shutdown()
    far.server_close()
    with abroad(application, cast.ada) as broker:
        answer = ask(broker, "GET", "https://far.example.org/a")
        assert answer == {"refused": "no answer: ConnectionError"}
