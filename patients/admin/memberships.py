"""A group's memberships as pages: their states, their order, and where a page ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients import reveal
from patients.models import PatientGroup, PatientGroupMember
from patients.searching import Query

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


def _ended(rows: QuerySet) -> QuerySet:
    over = Q(end_date__lte=clock.now()) | Q(end_date__lte=F("start_date"))
    return rows.filter(over)


STATES = {
    state.code: state
    for state in (
        State("current", _("Members now"), lambda rows: rows.in_force()),
        State("future", _("To come"), _to_come),
        State("ended", _("Ended"), _ended),
        State("excluded", _("Kept out by an exclusion"), _kept_out),
        State("all", _("All"), lambda rows: rows),
    )
}


@dataclass(frozen=True)
class Page:
    """Some memberships in order of the patients' names, and whether there are more."""

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
    """Up to 50 memberships in a state, by name; nothing is counted, at any size."""
    exclusions = group.exclusions.filter(patient=OuterRef("member"))
    rows = group.memberships.annotate(kept_out=Exists(exclusions))
    rows = STATES[state].rows(rows).select_related("member")
    if query is not None:
        rows = rows.filter(member__in=reveal.meant_by(query))
    if after is not None:
        name = after.member.sort_name
        rows = rows.filter(
            Q(member__sort_name__gt=name) | Q(member__sort_name=name, pk__lt=after.pk)
        )
    shown = list(rows.order_by("member__sort_name", "-pk")[: ROWS + 1])
    for row in shown:
        row.state = _state_of(row)
    return Page(shown[:ROWS], more=len(shown) > ROWS)


def _state_of(row: PatientGroupMember) -> Any:
    """The word for a row's state, by the same instant and rules as the filters."""
    if not row.goes_on:
        return _("ended")
    if row.kept_out:
        return _("excluded")
    return _("to come") if row.start_date > clock.now() else _("member now")
