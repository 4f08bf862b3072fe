"""What a dry run has found: totals for all, rows for who may see the patients (A13)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, QuerySet, Subquery

from canvas_admin.protocols.models import DryRow, ProtocolResult, Recompute
from canvas_admin.protocols.models.runs import Kind, Status
from patients import access

# So many different lines are counted; a protocol that says another for each says nothing.
LINES = 100


class Change(NamedTuple):
    """How many patients have this result now, and would have that one then."""

    now: str
    then: str
    patients: int

    @property
    def differs(self) -> bool:
        return self.now != self.then


def kinds(run: Recompute) -> list[tuple[str, int]]:
    """How the runs ended, and how many."""
    counted = run.rows.values("kind").annotate(n=Count("id")).order_by("kind")
    return [(Kind(row["kind"]).label, row["n"]) for row in counted]


def changes(run: Recompute) -> list[Change]:
    """Results now, by the version in use, and then, and of how many patients."""
    computed = _with_now(run.rows.filter(kind=Kind.COMPUTED), run)
    counted = computed.values("now", "status").annotate(n=Count("id"))
    found = [
        Change(_label(row["now"]), _label(row["status"]), row["n"]) for row in counted
    ]
    return sorted(found, key=lambda change: (not change.differs, -change.patients))


def effects(run: Recompute) -> list[tuple[str, int]]:
    """What would be done, each with how many patients; in words that name nobody."""
    told = run.rows.exclude(counted="").values("counted").annotate(n=Count("id"))
    totals: dict[str, int] = {}
    for row in told.order_by("-n")[:LINES]:
        for line in row["counted"].splitlines():
            totals[line] = totals.get(line, 0) + row["n"]
    return sorted(totals.items(), key=lambda item: -item[1])


def visible(run: Recompute, reach: access.Reach) -> QuerySet[DryRow]:
    """The rows of patients within reach, with the result `now`."""
    rows = DryRow.objects.filter(recompute=run).visible_to(reach)
    return _with_now(rows, run).select_related("patient").order_by("pk")


def lines(rows: Any) -> Iterator[tuple[Any, ...]]:
    """The rows for a file."""
    for row in rows:
        words = (row.get_kind_display(), _label(row.now), _label(row.status))
        done = "; ".join(row.said.splitlines())
        yield (row.patient.key, row.patient.name, *words, done, row.error)


def _with_now(rows: QuerySet, run: Recompute) -> QuerySet:
    present = ProtocolResult.objects.filter(
        patient=OuterRef("patient"), protocol=run.version.protocol
    )
    return rows.annotate(now=Subquery(present.values("status")[:1]))


def _label(status: str | None) -> str:
    return str(Status(status).label) if status else "–"
