"""The resource types that the API serves: each says how, and the rooms register theirs."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase

from canvas_admin.audit import trail
from canvas_admin.fhir.outcomes import FORBIDDEN, NOT_SUPPORTED, Problem
from canvas_admin.fhir.parameters import LogicalId, Parameter, Reference
from canvas_admin.fhir.searching import Rows, Search

KEY = re.compile(r"[0-9a-f]{32}")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Json = dict[str, Any]


@dataclass(frozen=True)
class Include:
    """A reference that `_include` follows: by which path of a row, to which type."""

    path: str
    type: str


class Resource(ABC):
    """One resource type over our rows.

    `permissions` are, by interaction ("read", "search", "create", "update"), the model
    permissions that it needs; an interaction that is not there is not supported. Whose data
    a caller reaches, rows() knows: it asks the one access rule.
    """

    type: str
    permissions: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, Parameter]
    # By the name that _sort has, the fields.
    sorts: Mapping[str, tuple[str, ...]] = {}
    usual_order: tuple[tuple[str, bool], ...] = (("pk", False),)
    includes: Mapping[str, Include] = {}
    # By the element that a file belongs to, the permissions that it needs besides "read".
    files: Mapping[str, tuple[str, ...]] = {}
    # What else is done with one row, by FHIR's name for it; whoever may update it may.
    operations: Mapping[str, str] = {}
    public_field = "key"
    id_pattern = KEY

    @abstractmethod
    def rows(self, request: Any) -> QuerySet:
        """What this caller may read."""

    @abstractmethod
    def to_fhir(self, request: Any, rows: Sequence[Any]) -> list[Json]:
        """These rows as resources: plain data, in a fixed number of queries."""

    def seen(self, request: Any, rows: Sequence[Any]) -> trail.Seen:
        """Whose data these rows are, for the audit trail: (patient's key, path)."""
        return ()

    def read(self, request: Any, row: Any) -> Json:
        """One row as a read by its id answers it; a search may show less."""
        (data,) = self.to_fhir(request, [row])
        return data

    def seen_in_read(self, request: Any, row: Any) -> trail.Seen:
        """Whose data read() gives."""
        return self.seen(request, [row])

    def may(self, account: Any, interaction: str) -> bool:
        """Whether an account has the permissions for an interaction that there is."""
        return account.has_perms(self.permissions[interaction])

    def find(self, request: Any, logical_id: str) -> Any:
        """The row with this id that the caller may read; else None."""
        if not self.id_pattern.fullmatch(logical_id):
            return None
        return self.rows(request).filter(**{self.public_field: logical_id}).first()

    def matches(self, request: Any, search: Search) -> Any:
        """What a search finds: an object with page() and count(), as Rows has them."""
        rows = self.rows(request).filter(search.condition(request))
        return Rows(rows, self.order(search))

    def parameter(self, name: str) -> Parameter | None:
        """The search parameter of this name, or the chain `reference.parameter`."""
        if name in self.parameters:
            return self.parameters[name]
        base, _dot, behind = name.partition(".")
        base, _colon, kind = base.partition(":")
        reference = self.parameters.get(base)
        if not isinstance(reference, Reference) or kind not in ("", reference.type):
            return None
        target = RESOURCES.get(reference.type)
        found = target.parameters.get(behind) if target else None
        if found is None:
            return None
        return Chain(reference.path, reference.type, found, missing=found.missing)

    def order(self, search: Search) -> tuple[tuple[str, bool], ...]:
        """The order that is asked for, made one that no two rows share a place in."""
        asked = [
            (field, down) for name, down in search.sort for field in self.sorts[name]
        ]
        return (*asked, *self.usual_order)

    def referring(self, request: Any, path: str, keys: Any, most: int) -> list[Any]:
        """So many rows that the caller may read of those that refer, by a path, to these."""
        return list(self.rows(request).filter(**{f"{path}__in": keys})[:most])

    def create(self, request: Any, data: Json) -> Any:
        """Make a row of a resource, in one transaction with its audit row.

        A type without this interaction has no such method of its own; update() likewise.
        """
        raise Problem(*NOT_SUPPORTED)

    def update(self, request: Any, row: Any, data: Json, check: Any) -> Any:
        """Change a row to what a resource says, in one transaction with its audit row.

        `check` is called with the locked row before anything is changed.
        """
        raise Problem(*NOT_SUPPORTED)

    def file(self, request: Any, row: Any, element: str) -> HttpResponseBase:
        """The file of an element, as an answer. Raises Http404 where there is none."""
        raise Problem(*NOT_SUPPORTED)

    def operate(self, request: Any, row: Any, operation: str) -> None:
        """Do one of the operations, with its audit row."""
        raise Problem(*NOT_SUPPORTED)

    def modified(self, row: Any) -> datetime | None:
        """When the resource was last changed, where that is known."""
        return getattr(row, "modified", None)

    def id_of(self, row: Any) -> str:
        """The id that the resource has."""
        return str(getattr(row, self.public_field))

    def by_id(self) -> LogicalId:
        """The search parameter _id."""
        return LogicalId(self.public_field, self.type, self.id_pattern)


@dataclass(frozen=True)
class Chain(Parameter):
    """What refers, by `path`, to a resource of another type for which `of` holds.

    Among those that the caller may read, as every search (security P25).
    """

    path: str
    type: str
    of: Parameter
    rows: Any = None

    @property
    def kind(self) -> str:
        return self.of.kind

    @property
    def modifiers(self) -> tuple[str, ...]:
        return self.of.modifiers

    def bound(self, request: Any) -> "Chain":
        rows = permitted(request, self.type).rows(request)
        return replace(self, of=self.of.bound(request), rows=rows.order_by())

    def condition(self, value: str, modifier: str = "") -> Q:
        return self.either([value], modifier)

    def either(self, values: Sequence[str], modifier: str = "") -> Q:
        found = self.rows.filter(self.of.either(values, modifier))
        return Q(**{f"{self.path}__in": found.values("pk")})


RESOURCES: dict[str, Resource] = {}


def permitted(request: Any, name: str, interaction: str = "search") -> Resource:
    """A type for a caller who may do this with it. Raises Problem (403) otherwise."""
    if not may(request, name, interaction):
        raise Problem(*FORBIDDEN)
    return RESOURCES[name]


def may(request: Any, name: str, interaction: str) -> bool:
    """Whether the caller may do this with a type."""
    resource = RESOURCES[name]
    # A token may be for less than what its account may do.
    allows = getattr(request.auth, "allows", None)
    scoped = allows is None or allows(name, interaction)
    there = interaction in resource.permissions
    return there and scoped and resource.may(request.user, interaction)


def register(resource: Resource) -> None:
    """Let the API serve a type. Raises ValueError for one that it serves already."""
    if type(RESOURCES.get(resource.type, resource)) is not type(resource):
        raise ValueError(f"{resource.type} is served already.")
    RESOURCES[resource.type] = resource


def once(request: Any, about: Hashable, ask: Callable[[], Any]) -> Any:
    """What `ask` gives, asked once in a request: the trail and the answer both need it."""
    kept = request.__dict__.setdefault("_once", {})
    if about not in kept:
        kept[about] = ask()
    return kept[about]


def reference(kind: str, logical_id: str, display: str = "") -> Json:
    """A Reference to a resource of ours."""
    found = {"reference": f"{kind}/{logical_id}", "type": kind}
    return found | ({"display": display} if display else {})


def instant(moment: datetime | None) -> str | None:
    """A moment as FHIR writes it, in UTC."""
    return moment.isoformat() if moment else None


def filled(**elements: Any) -> Json:
    """A resource without the elements that have no value: FHIR knows none that are empty."""
    return {
        name.rstrip("_"): value
        for name, value in elements.items()
        if value not in (None, "", [], {})
    }
