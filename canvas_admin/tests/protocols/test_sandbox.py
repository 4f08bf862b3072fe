"""The sandbox: what runs there, what does not, and how each run ends (security P52-P55)."""

import base64
import gzip
import json
import multiprocessing
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from canvas_admin.protocols import sandbox as sandboxes
from canvas_admin.protocols.inside import attempts, frames, system_calls
from canvas_admin.protocols.sandbox import Broken, Sandbox, Unavailable, decoded
from canvas_admin.tests.protocols.running import job


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as made:
        yield made


def test_a_result_comes_back_as_data(sandbox):
    ran = sandbox.run(
        job(
            """
result.status = 'due'
result.due_in = 7
result.add_narrative(self.patient.patient['firstName'] + self.settings.WORD)
result.add_recommendation(key='K', title='Call', button='Plan')
self.set_updates([{'integration_type': 'Group', 'to': self.field_changes['to']}])
print('hello')
""",
            settings={"WORD": "!"},
            field_changes={"to": 3},
        )
    )
    said = ran.message
    assert said["kind"] == "result", said
    assert (said["status"], said["narrative"], said["due_in"]) == ("due", "Ann!", 7)
    assert said["recommendations"][0]["title"] == "Call"
    assert said["updates"] == [{"integration_type": "Group", "to": 3}]
    assert said["next_review"] > "2026"
    assert ran.log == "hello\n"
    assert ran.used["memory"] > 0


def test_an_error_says_what_and_on_which_line(sandbox):
    said = sandbox.run(job("raise Exception('no luck')")).message
    assert (said["kind"], said["error"]) == ("error", "Exception: no luck")
    source = job("raise Exception('no luck')")["source"]
    assert source.splitlines()[said["line"] - 1].strip() == "raise Exception('no luck')"
    assert said["traceback"].splitlines()[1:] == [
        f'  File "<string>", line {said["line"]}, in compute_results',
        "    raise Exception('no luck')",
        "Exception: no luck",
    ]
    said = sandbox.run(job("") | {"source": "x = 1\ny = ("}).message
    assert (said["kind"], said["line"]) == ("error", 2)


def test_a_class_is_checked_without_running(sandbox):
    said = sandbox.run(job("return 1 / 0", kind="check")).message
    assert said["kind"] == "checked"
    assert (said["name"], said["computes"]) == ("One", True)
    assert said["meta"]["version"] == "1"


def test_runs_know_nothing_of_each_other(sandbox):
    keep = "type(self.patient).seen = getattr(type(self.patient), 'seen', 0) + 1\n"
    tell = "result.add_narrative(str(type(self.patient).seen))"
    for _time in range(2):
        assert sandbox.run(job(keep + tell)).message["narrative"] == "1"


def test_no_attempt_succeeds_inside(sandbox):
    assert sandbox.run({"kind": "attempts"}).message["open"] == []
    assert len(attempts.ATTEMPTS) >= 20


def _tried(name, found):
    found.put(attempts._succeeds(attempts.ATTEMPTS[name]))


@pytest.mark.parametrize("name", ["read a file", "connect by TCP", "make a pipe"])
def test_an_attempt_succeeds_where_nothing_holds_it(name):
    context = multiprocessing.get_context("fork")
    found = context.Queue()
    process = context.Process(target=_tried, args=[name, found])
    process.start()
    assert found.get(timeout=10)
    process.join()


def test_the_web_is_answered_by_the_broker(sandbox):
    asked = []

    def broker(request):
        asked.append(request)
        body = base64.b64encode(json.dumps({"ok": len(asked)}).encode()).decode()
        kind = ["Content-Type", "application/json"]
        return {"status": 200, "headers": [kind], "body": body}

    ran = sandbox.run(
        job(
            """
import requests, urllib.request
one = requests.post('https://a.example/b?c=d', json={'e': 1}, timeout=3).json()
two = requests.Session().get('https://a.example:8443/').json()
three = urllib.request.urlopen('http://a.example/').read().decode()
result.add_narrative(f"{one['ok']} {two['ok']} {three}")
"""
        ),
        broker,
    )
    assert ran.message.get("narrative") == '1 2 {"ok": 3}', ran.message
    assert [each["url"] for each in asked] == [
        "https://a.example/b?c=d",
        "https://a.example:8443/",
        "http://a.example/",
    ]
    assert base64.b64decode(asked[0]["body"]) == b'{"e": 1}'
    assert ["Content-Type", "application/json"] in asked[0]["headers"]


WAYS = {
    "a redirect": ("answer = requests.get('https://a.example/elsewhere').url", "/x"),
    "cookies": (
        "s = requests.Session()\ns.get('https://a.example/cookie')\n"
        "answer = s.get('https://a.example/tell').text",
        "a=b",
    ),
    "packed": ("answer = requests.get('https://a.example/packed').text", "packed"),
    "in parts": (
        "r = requests.get('https://a.example/x', stream=True)\n"
        "answer = b''.join(r.iter_content(3)).decode()",
        "well",
    ),
    "sent in parts": (
        "answer = requests.post('https://a.example/tell', data=iter([b'ab', b'c'])).text",
        "abc",
    ),
    "a form with a file": (
        "f = {'file': ('x.txt', b'in it')}\n"
        "answer = requests.post('https://a.example/tell', files=f).text",
        "in it",
    ),
    "the head": ("answer = requests.head('https://a.example/x').headers['X-One']", "1"),
    "nothing": (
        "answer = requests.delete('https://a.example/empty').status_code",
        "204",
    ),
    "again": (
        "from urllib3.util.retry import Retry\ns = requests.Session()\n"
        "a = requests.adapters.HTTPAdapter(max_retries=Retry(3, status_forcelist=[503]))\n"
        "s.mount('https://', a)\nanswer = s.get('https://a.example/twice').text",
        "well",
    ),
    "a pool": (
        "import urllib3\n"
        "answer = urllib3.PoolManager().request('GET', 'https://a.example/x').data.decode()",
        "well",
    ),
    "a connection": (
        "import http.client\nc = http.client.HTTPSConnection('a.example')\n"
        "c.request('GET', '/x')\nanswer = c.getresponse().read().decode()",
        "well",
    ),
    "the kit's own": (
        "from canvas_workflow_kit.utils import send_notification\n"
        "answer = send_notification('https://a.example/tell', {'a': 1}).text",
        "a=1",
    ),
}


class Elsewhere:
    """A web of a few pages, as a broker has it."""

    def __init__(self):
        self.times = 0

    def __call__(self, request):
        path = urlsplit(request["url"]).path
        sent = base64.b64decode(request["body"]).decode()
        cookie = dict(request["headers"]).get("Cookie", "")
        self.times += 1
        return {
            "/x": self.says("well", X_One="1"),
            "/elsewhere": self.says("", 302, Location="/x"),
            "/cookie": self.says("", Set_Cookie="a=b; Path=/"),
            "/tell": self.says(sent + cookie),
            "/packed": self.says(gzip.compress(b"packed"), Content_Encoding="gzip"),
            "/empty": self.says("", 204),
            "/twice": self.says("well", 503 if self.times == 1 else 200),
        }[path]

    def says(self, body, status=200, **headers):
        data = body.encode() if isinstance(body, str) else body
        return {
            "status": status,
            "headers": [[name.replace("_", "-"), v] for name, v in headers.items()],
            "body": base64.b64encode(data).decode(),
        }


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_ask_the_web_works(sandbox, way):
    body, told = WAYS[way]
    lines = f"import requests, requests.adapters\n{body}\n"
    ran = sandbox.run(job(f"{lines}result.add_narrative(str(answer))"), Elsewhere())
    assert told in ran.message.get("narrative", ""), ran.message


def test_what_the_broker_refuses_is_an_error_of_the_run(sandbox):
    said = sandbox.run(job("import requests\nrequests.get('https://a.example/')"))
    assert "may not ask the web" in said.message["error"]


def test_a_web_that_answers_late_costs_the_run_its_time_and_no_more(
    sandbox, monkeypatch
):
    """The run is over by then: that is its own failure, and nothing more is asked."""
    asked = []

    def broker(request):
        asked.append(request)
        time.sleep(1)
        return sandboxes.refused(request)

    process = sandbox._process
    lines = f'{FRAME}m = b\'{{"kind": "http"}}\'\nfor _n in range(40): {SEND}'
    monkeypatch.setattr(sandboxes, "LATE", 0.2)
    waits = f"{lines}import time\ntime.sleep(9)"
    ran = sandbox.run(job(waits), broker, seconds=0.5)
    assert "when its 0.5 seconds are over" in ran.message["error"], ran.message
    assert len(asked) == 1
    asks = "import requests\nrequests.get('https://a.example/')"
    ran = sandbox.run(job(asks), broker, seconds=0.5)
    assert "longer than 0.5 seconds" in ran.message["error"], ran.message
    assert len(asked) == 2
    assert sandbox._process is process


FRAME = "import os, struct, json\n"
SEND = "os.write(4, struct.pack('>I', len(m)) + m)\n"
BROKEN = {
    "a length of 4 GiB": "os.write(4, b'\\xff' * 4)\nimport time; time.sleep(9)",
    "no JSON": f"m = b'nonsense'\n{SEND}",
    "not an object": f"m = b'[]'\n{SEND}",
    "no number": f'm = b\'{{"kind": "result", "a": NaN}}\'\n{SEND}',
    "infinite": f'm = b\'{{"kind": "result", "a": 1e999}}\'\n{SEND}',
    "a name twice": f'm = b\'{{"kind": "result", "kind": "error"}}\'\n{SEND}',
    "half a character": f'm = b\'{{"kind": "result", "a": "\\\\ud800"}}\'\n{SEND}',
    "a NUL": f'm = b\'{{"kind": "result", "a": "\\\\u0000"}}\'\n{SEND}',
    "deep": f"m = b'[' * 100_000\n{SEND}",
    "no kind": f"m = b'{{}}'\n{SEND}",
    "two answers": f'm = b\'{{"kind": "result"}}\'\n{SEND}{SEND}',
    "asks without end": (
        f'm = b\'{{"kind": "http"}}\'\nfor _n in range(60): {SEND}import time\ntime.sleep(9)'
    ),
    "gone": "os._exit(0)",
    "crash": "import signal\nos.close(4)",
}


def test_an_end_that_comes_too_late_ends_nothing(sandbox):
    """The run that it was for has ended by itself meanwhile."""
    assert sandbox.run(job("pass")).message["kind"] == "result"
    process = sandbox._process
    sandbox._control.send(b"kill")
    assert sandbox.run(job("pass")).message["kind"] == "result"
    assert sandbox._process is process


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_answer_fails_the_run_alone(sandbox, name):
    ran = sandbox.run(job(FRAME + BROKEN[name]), seconds=3)
    assert ran.message["kind"] == "error", ran.message
    assert sandbox.run(job("pass")).message["kind"] == "result"


def test_a_sandbox_that_was_killed_is_started_anew(sandbox):
    process = sandbox._process
    process.kill()
    process.wait()
    assert sandbox.run(job("pass")).message["kind"] == "result"


def test_a_number_of_many_digits_is_refused():
    with pytest.raises(Broken):
        decoded(b"[" + b"1" * 5_000 + b"]")
    assert decoded(frames.encoded({"a": ["x"]})[4:]) == {"a": ["x"]}


def test_the_kit_is_loaded_without_what_the_project_says(sandbox):
    said = sandbox.run(
        job(
            """
import os, sys
from canvas_workflow_kit import settings
names = [name for name in sys.modules if name.startswith(('django', 'canvas_admin'))]
result.add_narrative(repr((dict(os.environ), names, settings.INTEGRATION_SERVICE_ENDPOINT)))
"""
        )
    ).message
    assert said.get("narrative") == "({}, [], '')", said
    assert Path(sandboxes.__file__).exists()


def test_numbers_that_are_none_come_back_as_text(sandbox):
    said = sandbox.run(job("result.due_in = float('nan')")).message
    assert said.get("due_in") == "nan", said


def test_where_there_is_one_wall_it_is_not_used_unless_told(monkeypatch):
    ready = {"walls": ["account"], "missing": []}
    monkeypatch.setattr(
        Sandbox, "_ready", lambda self: self._control.recv(2**16) and ready
    )
    with pytest.raises(Unavailable, match="no second wall"), Sandbox():
        pass
    with Sandbox(one_wall=True) as made:
        assert made.run(job("pass")).message["kind"] == "result"


def test_where_something_is_open_it_is_not_used(monkeypatch):
    monkeypatch.setattr(Sandbox, "_open_doors", lambda _self: ["read a file"])
    with pytest.raises(Unavailable, match="does not hold here: read a file"), Sandbox():
        pass


def test_on_a_machine_that_is_not_known_there_is_no_filter(monkeypatch):
    monkeypatch.setattr(system_calls.platform, "machine", lambda: "riscv64")
    with pytest.raises(OSError, match="riscv64"):
        system_calls.assembled()


WITHOUT = """\
import socket, sys
sys.path += sys.argv[2:]
from inside import system_calls, walls, zygote
{wall} = lambda *_given: ""
zygote.main(socket.socket(fileno=int(sys.argv[1])))
"""


def test_without_the_list_of_system_calls_it_is_not_used(monkeypatch):
    begin = WITHOUT.format(wall="system_calls.allow_only")
    monkeypatch.setattr(sandboxes, "BEGIN", begin)
    with pytest.raises(Unavailable, match="make a pipe"), Sandbox():
        pass


@pytest.mark.parametrize("wall", ["walls.no_files", "walls.another_account"])
def test_the_list_of_system_calls_holds_by_itself(monkeypatch, wall):
    monkeypatch.setattr(sandboxes, "BEGIN", WITHOUT.format(wall=wall))
    with Sandbox(one_wall=True) as made:
        assert made.run({"kind": "attempts"}).message["open"] == []
