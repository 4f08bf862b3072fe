"""A group's memberships as pages: their states, their order, and where a page ends."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.models import Patient, PatientGroup, PatientGroupMember
from patients.models.stream_keys import stream_of
from patients.search import reveal, streams
from patients.search.searching import Query

ROWS = 50


@dataclass(frozen=True)
class State:
    """One state of a membership: its code in an address, its name, its rows."""

    code: str
    label: Any
    rows: Callable[[QuerySet], QuerySet]


def _to_come(rows: QuerySet) -> QuerySet:
    return rows.going_on().filter(start_date__gt=clock.now(), kept_out=False)


def _kept_out(rows: QuerySet) -> QuerySet:
    return rows.going_on().filter(kept_out=True)


def _over(rows: QuerySet) -> QuerySet:
    return rows.filter(Q(end_date__lte=clock.now()) | Q(end_date__lte=F("start_date")))


ENDED = "ended"
STATES = {
    state.code: state
    for state in (
        State("current", _("Members now"), lambda rows: rows.in_force()),
        State("future", _("To come"), _to_come),
        State(ENDED, _("Ended"), _over),
        State("excluded", _("Kept out by an exclusion"), _kept_out),
    )
}


@dataclass(frozen=True)
class Page:
    """Some memberships in order, and whether there are more."""

    rows: list[PatientGroupMember]
    more: bool

    @property
    def last(self) -> str:
        """The key of the last membership shown, behind which the next page begins."""
        return self.rows[-1].key


def state_code(text: str) -> str:
    """A state's code; members now for anything that is none."""
    return text if text in STATES else "current"


def page(
    group: PatientGroup,
    state: str,
    query: Query | None = None,
    after: PatientGroupMember | None = None,
) -> Page:
    """The memberships of up to 50 patients in a state, by name; the ended, latest first.

    Nothing is counted, and a page costs the same in a group of any size: those that go on
    are found by the group's stream keys, those that have ended by the index of their end.
    """
    if state == ENDED:
        return _ended(group, query, after)
    halves = [stream_of(group.pk, listed) for listed in (True, False)]
    walk = streams.Walk(halves, partial(_rows_of, group, STATES[state]))
    start = after.member if after else None
    found = walk.everybody(start, ROWS + 1)
    if query is not None:
        found = walk.meant_by(query, start, ROWS + 1)
    people = streams.first(ROWS + 1, found)
    more = len(people) > ROWS
    if more:
        people.popitem()
    return Page(_told([row for rows in people.values() for row in rows]), more)


def _rows_of(
    group: PatientGroup, state: State, patients: Collection[int]
) -> dict[Patient, list[PatientGroupMember]]:
    """The memberships in this state of these patients, the later ones first."""
    rows = state.rows(_all(group)).filter(member__in=patients).order_by("-pk")
    found: dict[Patient, list[PatientGroupMember]] = {}
    for row in rows:
        found.setdefault(row.member, []).append(row)
    return found


def _ended(
    group: PatientGroup, query: Query | None, after: PatientGroupMember | None
) -> Page:
    rows = STATES[ENDED].rows(_all(group))
    if query is not None:
        rows = rows.filter(member__in=reveal.meant_by(query))
    if after is not None:
        end = after.end_date
        rows = rows.filter(Q(end_date__lt=end) | Q(end_date=end, pk__lt=after.pk))
    shown = list(rows.order_by("-end_date", "-pk")[: ROWS + 1])
    return Page(_told(shown[:ROWS]), more=len(shown) > ROWS)


def _all(group: PatientGroup) -> QuerySet:
    exclusions = group.exclusions.filter(patient=OuterRef("member"))
    rows = group.memberships.annotate(kept_out=Exists(exclusions))
    return rows.select_related("member")


def _told(rows: list[PatientGroupMember]) -> list[PatientGroupMember]:
    """The rows, each with the word for its state."""
    for row in rows:
        row.state = _state_of(row)
    return rows


def _state_of(row: PatientGroupMember) -> Any:
    """The word for a row's state, by the same instant and rules as the filters."""
    if not row.goes_on:
        return _("ended")
    if row.kept_out:
        return _("excluded")
    return _("to come") if row.start_date > clock.now() else _("member now")
