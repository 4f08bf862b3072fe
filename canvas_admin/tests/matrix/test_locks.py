"""Each lock by itself: every set of groups that just fails to open, and what holds when
the lock in front of it is broken.

The matrix asks the many; here the few are asked that tell one lock from another. `.ci/
guards.py` removes each guard in turn and expects these tests, or others, to notice.
`make test` walks a part, drawn by the seed; the proof and the guards walk all.
"""

import random
import time
from datetime import date
from itertools import product

import pytest
from django.db import connection

from canvas_admin.testing import make_patient
from canvas_admin.tests import proof
from canvas_admin.tests.masking import masked
from canvas_admin.tests.matrix.expected import PLACES, TWELVE, URLS
from canvas_admin.tests.matrix.judging import Row, answered, verdict
from canvas_admin.tests.test_noninterference import MARK, link_everything
from patients import gate
from patients.models import Patient
from tasks import gate as tasks_gate

pytestmark = pytest.mark.proof

NOBODY = "0123456789abcdef" * 2
# How many are asked where a walk is not whole.
SETS, CELLS, FORMS = 12, 50, 20
OTHERS = ("get", "post", "put", "delete")
# All addresses in one test; while guards are removed one in each, to be quick.
BY_ADDRESS = (
    [[name] for name in URLS] if proof.GUARDS else [proof.some(URLS, CELLS // 2)]
)


@pytest.fixture
def foreign(clinic):
    """Another patient, out of pat's reach, with a row of everything."""
    clinic.cast.pat = clinic.pat
    patient = make_patient("Zoe", "Zorn", date(1931, 7, 7))
    link_everything(random.Random(1), clinic.cast, "pat", patient)
    return patient


@pytest.fixture
def told(request):
    """told(asked, found): for the record of the proof; fails where something was found."""
    started = time.monotonic()

    def tell(asked, found):
        proof.record(
            "locks",
            connection.vendor,
            proof.SEED,
            asked,
            len(found),
            time.monotonic() - started,
            part=request.node.name.removeprefix("test_"),
        )
        assert not found, "\n".join(found)

    return tell


def asked(clinic, *methods):
    """(address, method, URL, data): every address, and every form filled in."""
    for name in URLS:
        for method in methods:
            yield name, method, clinic.addresses[name], None
    for form in clinic.forms:
        yield form.name, "post", form.action, form.filled()


def just_too_few(area):
    """The largest sets of the twelve that do not open an area."""
    hitting = {frozenset(chosen) for chosen in product(*PLACES[area].alternatives)}
    return [
        frozenset(TWELVE) - chosen
        for chosen in hitting
        if not any(other < chosen for other in hitting)
    ]


def test_one_group_too_few_opens_nothing(clinic, told):
    found, count = [], 0
    every = [(area, groups) for area in PLACES for groups in just_too_few(area)]
    for area, groups in proof.some(every, SETS):
        observer = clinic.observer(clinic.sign_in(groups, reached=True))
        for name, method, url, data in asked(clinic, "get", "post"):
            if URLS[name].get(method.upper()) != area:
                continue
            count += 1
            said = answered(observer.ask(method, url, data))
            expected = verdict(name, method, groups, reached=True)
            if said != expected:
                missing = sorted(frozenset(TWELVE) - groups)
                found.append(f"without {missing}: {method} {name}: {said}")
    told(count, found)


def test_every_group_opens_nothing_out_of_reach(clinic, told):
    observer = clinic.observer(clinic.sign_in(frozenset(TWELVE), reached=False))
    found = []
    every = [each for each in asked(clinic, "get", "post") if clinic.subject(each[2])]
    some = proof.some(every, CELLS)
    for name, method, url, data in some:
        key = clinic.subject(url)
        observed = observer.ask(method, url, data)
        missing = observer.ask(method, url.replace(key, NOBODY), data)
        if observed.shown or observed.changed:
            found.append(f"{method} {name}: shown or changed")
        if masked(observed.response, key) != masked(missing.response, NOBODY):
            found.append(f"{method} {name}: a missing patient is answered otherwise")
    told(len(some), found)


@pytest.mark.parametrize("names", BY_ADDRESS)
def test_no_other_method_is_taken(clinic, told, names):
    observer, found = clinic.observer(clinic.session), []
    everything, cells = frozenset(TWELVE), [*product(names, OTHERS)]
    for name, method in cells:
        said = answered(observer.ask(method, clinic.addresses[name]))
        if said != (expected := verdict(name, method, everything, reached=True)):
            found.append(f"{method} {name}: {said}, not {expected}")
    told(len(cells), found)


def test_where_the_gate_forgets_reach_no_row_is_shown_and_nothing_saved(
    clinic, foreign, monkeypatch, told
):
    """Rows are narrowed by the rule once more, and a write asks it anew."""
    monkeypatch.setattr(
        gate, "find_patient", lambda request, key: Patient.objects.get(key=key)
    )
    ada, found = clinic.cast.ada.key, []
    observer = clinic.observer(clinic.session)
    some = proof.some((each for each in asked(clinic, "get") if ada in each[2]), CELLS)
    for name, method, url, data in some:
        observed = observer.ask(method, url.replace(ada, foreign.key), data)
        if MARK in body_of(observed.response):
            found.append(f"{method} {name} shows a row")
        if observed.changed:
            found.append(f"{method} {name} changes something")
    told(len(some), found)


# What a request asks on its way to a write: after each the patient may be lost.
STEPS = ((gate, "find_patient"), (gate, "find_row"), (tasks_gate, "find_row"))


def test_a_patient_who_leaves_the_reach_meanwhile_is_not_written_to(clinic, told):
    """Between the gate and the write: the rule is asked again in the write itself."""
    found, lost = [], set()
    forms = proof.some((f for f in clinic.forms if clinic.subject(f.action)), FORMS)
    for form in forms:
        for place, step in STEPS:
            times = []
            with pytest.MonkeyPatch.context() as patch:
                losing(clinic, patch, place, step, lambda t=times: t.append(1))
                observed = clinic.observer(clinic.session).ask(
                    "post", form.action, form.filled()
                )
            by_pat = [r for r in observed.trail if r.actor == clinic.pat.user.key]
            done = {r.action for r in by_pat if r.outcome == Row.DONE}
            lost |= {form.name} if times else set()
            if times and done:
                found.append(f"{form.name} after {step}: {done}")
    never = {form.name for form in forms} - lost
    assert not never, f"these ask nothing: {never}"
    told(len(forms) * len(STEPS), found)


def losing(clinic, patch, place, step, note):
    """After this step ada is in North no more."""
    taken, membership = getattr(place, step), clinic.cast.north.memberships.get()

    def then_lost(*args):
        found = taken(*args)
        if found is not None:
            membership.patient_group.remove(membership.member)
            note()
        return found

    patch.setattr(place, step, then_lost)


def test_pages_of_one_patient_show_no_row_of_another(clinic, foreign, told):
    """Of somebody within reach as well: the wrong chart is no chart."""
    clinic.cast.north.add(foreign)
    every = {*clinic.addresses.values(), *(form.page for form in clinic.forms)}
    some = proof.some(sorted(u for u in every if clinic.cast.ada.key in u), CELLS)
    found = [url for url in some if MARK in body_of(clinic.session.get(url))]
    told(len(some), found)


def body_of(response):
    content = b"".join(response) if response.streaming else response.content
    return content.decode(errors="replace")
