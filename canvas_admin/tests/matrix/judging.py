"""What is surprising in an answer: that it was given or refused, or what the trail says."""

from collections.abc import Iterator

from canvas_admin.audit.models import AuditRow
from canvas_admin.tests.matrix.expected import PLACES, URLS, belongs_to
from canvas_admin.tests.matrix.observing import Observed

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
OPENED = {200, 302, 400, 409}
DENIED = "You do not have permission to view this data"
Row = AuditRow.Outcome


def verdict(name: str, method: str, groups: frozenset[str], reached: bool) -> str:
    """What the tables written by hand say: opened, refused, no such method, or alike."""
    area = belongs_to(name)
    if area == "own":
        return "alike for all"
    if area == "administration":
        return "refused"
    asked = {"get": "GET", "head": "GET", "post": "POST"}.get(method)
    if asked not in URLS[name]:
        return "no such method"
    opened = PLACES[URLS[name][asked]].opens_to(groups, reached)
    return "opened" if opened else "refused"


def answered(observed: Observed) -> str:
    """What the answer says, in the words of verdict()."""
    if observed.status == 405:
        return "no such method"
    if observed.status == 403 and _is_denied(observed):
        return "refused"
    return "opened" if observed.status in OPENED else f"status {observed.status}"


def _is_denied(observed: Observed) -> bool:
    # An answer to HEAD has no body to read.
    bare = observed.response.request["REQUEST_METHOD"] == "HEAD"
    return bare or DENIED in observed.response.content.decode()


def disagreements(observed: Observed) -> Iterator[str]:
    """Where the trail does not say what was shown, changed or refused, once each."""
    shown, done = observed.events(Row.SHOWN), observed.events(Row.DONE)
    if observed.response.request["REQUEST_METHOD"] != "HEAD":
        yield from _not_alike("shown", observed.shown, shown)
    yield from _not_alike("changed", observed.changed, done)
    acts = [row for row in observed.trail if not row.patient]
    refusals = [row for row in acts if row.outcome == Row.REFUSED]
    if observed.status == 403 and len(refusals) != 1:
        yield f"{len(refusals)} refusals on the trail"
    if observed.status == 403 and (shown or done):
        yield "refused, and yet on the trail as given"


def _not_alike(
    what: str, patients: frozenset[str], acts: dict[str, list[str]]
) -> Iterator[str]:
    if unsaid := patients - acts.keys():
        yield f"{len(unsaid)} patients {what} and not on the trail"
    if invented := acts.keys() - patients:
        yield f"{len(invented)} patients on the trail and not {what}"
    # To make a patient who joins a group is two acts; no act is there twice.
    if any(len(found) > len(set(found)) for found in acts.values()):
        yield f"{what} once, and on the trail more than once"
    if what == "shown" and any(len(found) > 1 for found in acts.values()):
        yield "shown once, and on the trail as several acts"
