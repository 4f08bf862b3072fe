"""No canary is where it must not be: logs, addresses, mail, error pages, the trail's
details, and pages of people who may not see it (security P23)."""

import json
import logging
import random
import re
import time
from html import unescape
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import Client

from canvas_admin.audit import trail
from canvas_admin.testing import make_staff
from canvas_admin.tests import proof
from canvas_admin.tests.matrix.canaries import SEEN_WITH, plant
from canvas_admin.tests.matrix.expected import AREAS, TWELVE, URLS
from canvas_admin.tests.matrix.filling import TEXTS
from canvas_admin.tests.matrix.observing import Observer, about_patients, text_of

# Names are met out of reach too, where A1 to A12 say so.
NAMES = {"Patient.first_name", "Patient.middle_name", "Patient.last_name"}
OF_PLACES = ("href", "action", "src", "hx-get", "hx-post", "data-url")
HELD_BACK = settings.LOGGING["loggers"].keys() - {"django", "canvas_admin"}
SOME = 2
# How many pages each person is shown, and how many requests are read, where a walk is
# not whole; of 40 canaries and more that many are seen.
PAGES, REQUESTS, CANARIES = 50, 120, 40


@pytest.fixture
def planted(clinic):
    return plant(clinic)


@pytest.fixture
def lines():
    """What any logger says from now on, as text: at DEBUG, but for those that the
    settings hold back by name, whatever the general level is."""
    said = []

    class Keeping(logging.Handler):
        def emit(self, record):
            said.append(logging.Formatter().format(record))

    handler, before = Keeping(logging.DEBUG), {}
    names = [None, *logging.root.manager.loggerDict]
    for name in names:
        logger = logging.getLogger(name)
        before[name] = logger.level
        if name not in HELD_BACK:
            logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    yield said
    for name in names:
        logging.getLogger(name).removeHandler(handler)
        logging.getLogger(name).setLevel(before[name])


def body_of(response):
    return unescape(text_of(response))


def test_every_model_about_patients_says_who_may_read_its_texts(clinic, planted):
    assert {model.__name__ for model in about_patients().values()} == SEEN_WITH.keys()
    assert len(planted) >= CANARIES


def test_whoever_may_see_everything_sees_the_canaries(clinic, planted):
    """Else it would prove nothing that others see none."""
    seen = set()
    for url in addresses(clinic):
        seen |= planted.keys() & {*canaries_in(body_of(clinic.session.get(url)))}
        if len(seen) >= CANARIES and not proof.WHOLE:
            break
    assert len(seen) >= CANARIES


def addresses(clinic):
    return [url for name, url in clinic.addresses.items() if name in URLS]


@pytest.mark.proof
def test_pages_show_no_canary_to_who_may_not_see_it(clinic, planted):
    found, asked, started = [], 0, time.monotonic()
    for who, session, may_see in watchers(clinic):
        for name, url in proof.some(clinic.addresses.items(), PAGES):
            asked += 1
            text = body_of(session.get(url))
            for canary in re.findall(r"Zq\d{3}Kx", text):
                if not may_see(planted[canary], name):
                    found.append(f"{who} reads {planted[canary]} at {name}")
    told("pages", asked, found, started, canaries=len(planted))
    assert not found, "\n".join(sorted(set(found))[:30])


def watchers(clinic):
    """(who, session, may_see(field, address)): in reach with one group each, and others."""
    groups = random.Random(proof.seed()).sample(TWELVE, len(TWELVE))
    for code in groups if proof.FULL else groups[:SOME]:
        session = clinic.sign_in(frozenset({code}), reached=True)
        yield code, session, lambda field, _at, c=code: opens(field, c)
    session = clinic.sign_in(frozenset(TWELVE), reached=False)
    yield (
        "out of reach",
        session,
        lambda f, at: f in NAMES and at == "patients:schedule",
    )
    yield "nobody", Client(), lambda _field, _at: False
    for who, group in (("ruth", "Staff Permissions"), ("seth", "Settings")):
        session = Client()
        user = make_staff(f"{who}2", group).user
        session.force_login(user, backend="staffing.backends.StaffBackend")
        yield who, session, administered


def opens(field, code):
    """Whether this group alone shows this field of somebody within reach."""
    areas, groups = SEEN_WITH[field.partition(".")[0]].split(), frozenset({code})
    return any(AREAS[area].opens_to(groups, reached=True) for area in areas)


def administered(field, at):
    """A8 and what administrators write themselves."""
    reasons = {"PatientGroupExclusion.reason", "AccessRequest.reason"}
    return field in NAMES | reasons and at.startswith("admin:patients_")


@pytest.mark.proof
def test_nothing_but_pages_holds_a_canary(clinic, planted, lines, capfd):
    """Every page and every form, with canaries typed into all of its texts."""
    found, started = [], time.monotonic()
    observer = Observer(clinic.session, {})
    typed = dict.fromkeys(TEXTS, next(iter(planted)))
    asked = [("get", url, None) for url in addresses(clinic)]
    asked += [("post", f.action, f.filled()) for f in clinic.forms]
    asked += [("post", f.action, f.filled() | texts(f, typed)) for f in clinic.forms]
    asked = proof.some(asked, REQUESTS)
    for method, url, data in asked:
        observed = observer.ask(method, url, data)
        text = " ".join(
            [*places(observed.response), *map(said_by, observed.trail)],
        )
        found += [f"{method} {url}: {canary}" for canary in canaries_in(text)]
    said = [line for line in lines if canaries_in(line)]
    letters = [str(letter.message()) for letter in mail.outbox]
    told("elsewhere", len(asked), found + said, started, lines=len(lines))
    assert not found, "\n".join(found[:30])
    assert not said, said[:5]
    assert not [letter for letter in letters if canaries_in(letter)]
    assert not canaries_in("".join(capfd.readouterr()))


def told(part, count, found, started, **more):
    """What this part of the proof found, for the record."""
    proof.record(
        "canaries",
        connection.vendor,
        proof.SEED,
        count,
        len(found),
        time.monotonic() - started,
        part=part,
        **more,
    )


def texts(form, typed):
    return {c.name: typed[c.kind] for c in form.controls if c.kind in typed}


def canaries_in(text):
    return re.findall(r"Zq\d{3}Kx", text)


def places(response):
    """Every address in an answer's headers and pages."""
    yield unquote(response.headers.get("Location", ""))
    yield unquote(response.headers.get("Content-Disposition", ""))
    for name in OF_PLACES:
        for value in re.findall(rf'\b{name}="([^"]*)"', body_of(response)):
            if not value.startswith(("mailto:", "tel:")):
                yield unquote(value)


def said_by(row):
    """A row of the trail as text."""
    columns = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
    return json.dumps(columns, default=str)


def broken(error):
    def shown(*args, **kwargs):
        raise error

    return shown


ERRORS = {500: RuntimeError("broken"), 503: trail.AuditUnavailable()}


@pytest.mark.parametrize("status", ERRORS)
def test_a_fault_shows_nothing_of_the_chart(
    clinic, planted, lines, monkeypatch, status
):
    monkeypatch.setattr(trail, "shown", broken(ERRORS[status]))
    clinic.session.raise_request_exception = False
    for name in ("patients:chart", "patients:profile", "patients:documents"):
        answer = clinic.session.get(clinic.addresses[name])
        assert answer.status_code == status
        assert not canaries_in(body_of(answer))
    assert not canaries_in("".join(lines))


def test_refusals_repeat_nothing_that_was_sent(clinic, planted, lines):
    """A canary in the address itself, or in a post that is too large, comes not back."""
    canary, chart = next(iter(planted)), clinic.addresses["patients:chart"]
    many = {f"f{n}": canary for n in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    answers = {
        404: clinic.session.get(f"{chart}results/{canary}/"),
        403: clinic.session.get(f"/patient/{canary}/"),
        400: clinic.session.post(clinic.addresses["patients:search"], many),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert not canaries_in(body_of(answer))
    assert not canaries_in("".join(lines))


def test_the_check_finds_a_log_line_with_a_name(clinic, planted, lines):
    logging.getLogger("patients").debug("opened %s", clinic.cast.ada.name)
    assert canaries_in("".join(lines))


def test_the_check_finds_a_page_that_shows_too_much(clinic, planted, monkeypatch):
    """With the gate's permissions forgotten, who may only find patients reads a chart."""
    session = clinic.sign_in(frozenset({"tasking-access"}), reached=True)
    monkeypatch.setattr(type(clinic.pat.user), "has_perms", lambda *a, **k: True)
    text = body_of(session.get(clinic.addresses["patients:chart"]))
    assert [c for c in canaries_in(text) if not opens(planted[c], "tasking-access")]
