"""Two people, or two tabs, at once: one request is made, and one decision counts."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from canvas_admin.testing import give
from patients.models import AccessRequest
from patients.tests.asking import (
    LIST,
    MINE,
    REASON,
    decline,
    grant,
    handle_of,
    send,
    state_of,
    withdraw,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    """Run the acts in a thread each, started together; their answers."""
    gate = threading.Barrier(len(acts))

    def run(act):
        try:
            connection.ensure_connection()
            gate.wait(10)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        futures = [pool.submit(run, act) for act in acts]
        return [future.result(timeout=60) for future in futures]


@pytest.mark.parametrize(
    "second", ["grant", "decline", "withdraw"], ids="a grant and a {}".format
)
def test_of_two_decisions_at_once_one_counts(cast, signed_in, second):
    give(cast.nil, "Staff Permissions")
    ruth, nil, nora = (signed_in(name) for name in ("ruth", "nil", "nora"))
    asked = AccessRequest(patient=cast.ben, staff=cast.nora, reason=REASON)
    asked.save()
    acts = {
        "grant": lambda: grant(nil, asked, cast.north),
        "decline": lambda: decline(nil, asked),
        "withdraw": lambda: withdraw(nora, asked),
    }
    answers = at_once(lambda: grant(ruth, asked, cast.north), acts[second])
    told = [a for a in answers if "closed already" in a.content.decode()]
    assert len(told) == 1
    granted = state_of(asked) == "granted"
    assert cast.north.memberships.filter(member=cast.ben).count() == granted
    if second != "withdraw":
        (done,) = (a for a in answers if a not in told)
        assert done["Location"] == LIST


def test_two_tabs_at_once_make_one_request(cast, signed_in):
    nora = signed_in("nora")
    first, other = handle_of(nora), handle_of(nora)
    answers = at_once(
        lambda: send(signed_in("nora"), first), lambda: send(signed_in("nora"), other)
    )
    assert AccessRequest.objects.get().staff == cast.nora
    for answer in answers:
        shown = "You have asked for this patient already" in answer.content.decode()
        assert shown or answer["Location"] == MINE
