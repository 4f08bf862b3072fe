"""FHIR Practitioner over our staff (facts 5.2)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from canvas_admin.audit import trail
from canvas_admin.fhir.parameters import BOOLEANS, NOTHING, Of, Parameter, Token
from canvas_admin.fhir.resources import Json, filled, may, reference
from canvas_admin.fhir.searching import Rows, Search
from staffing.api import practitioner_writing
from staffing.api.any_program import ForAnyProgram
from staffing.api.practitioner_said import LOCATION, ROLE, ROLES, USERNAME
from staffing.fhir.practitioner import NPI
from staffing.models import Role, Staff, StaffContactPoint, StaffRole

ALL = "include-non-schedulable-practitioners"


@dataclass(frozen=True)
class NameOfStaff(Parameter):
    """Names of which a word begins so, for each word of the value, whatever its case.

    The names of a clinic's staff are few enough to be looked at one by one.
    """

    kind = "string"

    def condition(self, value: str, modifier: str = "") -> Q:
        words = value.casefold().split()
        if not words:
            return NOTHING
        names = Staff.objects.order_by().values_list(
            "pk", "first_name", "middle_name", "last_name"
        )
        found = [pk for pk, *parts in names if _begins(words, " ".join(parts))]
        return Q(pk__in=found)


@dataclass(frozen=True)
class Anybody(Parameter):
    """Whether those who see no patients are meant, too; PractitionerResource looks at it."""

    kind = "token"

    def condition(self, value: str, modifier: str = "") -> Q:
        return Q()


def _begins(words: list[str], name: str) -> bool:
    parts = name.casefold().split()
    return all(any(part.startswith(word) for part in parts) for word in words)


class PractitionerResource(ForAnyProgram):
    """Every staff member; they are no patients.

    Whoever may write them is shown what a write needs and nobody else does: the date of
    birth, and the user name.
    """

    type = "Practitioner"
    permissions = {
        "read": (),
        "search": (),
        "create": ("staffing.add_staff",),
        "update": ("staffing.change_staff",),
    }
    operations = {
        "send-reset-password-email": "Mail a one-time link, by which the person chooses a "
        "password"
    }

    def __init__(self) -> None:
        mail = Q(system=StaffContactPoint.System.EMAIL)
        self.parameters = {
            "_id": self.by_id(),
            "active": Token("active", BOOLEANS),
            "email": Of(StaffContactPoint, "staff", Token("value"), mail),
            "name": NameOfStaff(),
            "npi-number": Token("npi", missing=Q(npi="")),
            ALL: Anybody(
                documentation="Without it, active staff with a clinical role alone"
            ),
        }

    def rows(self, request: Any) -> QuerySet:
        rows = Staff.objects.select_related("user", "primary_location")
        return rows.prefetch_related("contact_points", "staff_roles__role")

    def matches(self, request: Any, search: Search) -> Rows:
        """Without being told otherwise, or an id, those who see patients."""
        found = super().matches(request, search)
        everybody = any("true" in each.values for each in search.given(ALL))
        if everybody or search.given("_id"):
            return found
        clinical = StaffRole.objects.filter(role__domain__in=Role.CLINICAL)
        seeing = Q(active=True, pk__in=clinical.order_by().values("staff"))
        return Rows(found.queryset.filter(seeing), found.order)

    def to_fhir(self, request: Any, rows: Sequence[Staff]) -> list[Json]:
        whole = may(request, self.type, "update")
        return [to_fhir(staff, whole) for staff in rows]

    def create(self, request: Any, data: Json) -> Staff:
        with _recorded(request, "create"):
            return practitioner_writing.create(request, data)

    def update(
        self, request: Any, row: Staff, data: Json, check: Callable[[Staff], None]
    ) -> Staff:
        with _recorded(request, "update", about=f"Practitioner/{row.key}"):
            return practitioner_writing.update(request, row, data, check)

    def operate(self, request: Any, row: Staff, operation: str) -> None:
        with _recorded(request, operation, about=f"Practitioner/{row.key}"):
            practitioner_writing.send_link(request, row)


@contextmanager
def _recorded(request: Any, interaction: str, **detail: str) -> Iterator[None]:
    """What a rule refuses is on the trail, after the rollback (DESIGN section 9)."""
    try:
        yield
    except ValidationError as refusal:
        if code := getattr(refusal, "code", None):
            action = f"fhir:Practitioner.{interaction}"
            trail.refused(request, action, reason=code, **detail)
        raise


def to_fhir(staff: Staff, whole: bool) -> Json:
    """A staff member as facts 5.2 have it; `whole` with what is for those who write."""
    given = [name for name in (staff.first_name, staff.middle_name) if name]
    born = staff.date_of_birth.isoformat() if whole and staff.date_of_birth else None
    return filled(
        resourceType="Practitioner",
        id=staff.key,
        extension=[*_extensions(staff, whole)],
        identifier=[{"system": NPI, "value": staff.npi}] if staff.npi else [],
        active=staff.active,
        name=[
            filled(
                use="usual",
                text=staff.credentialed_name,
                family=staff.last_name,
                given=given,
                prefix=[staff.prefix] if staff.prefix else [],
                suffix=[staff.suffix] if staff.suffix else [],
            )
        ],
        telecom=[
            filled(system=p.system, value=p.value, use=p.use, rank=p.rank or None)
            for p in staff.contact_points.all()
        ],
        birthDate=born,
    )


def _extensions(staff: Staff, whole: bool) -> Iterator[Json]:
    for held in staff.staff_roles.all():
        yield _role(held.role)
    if whole and staff.user:
        yield {"url": USERNAME, "valueString": staff.user.username}
    if place := staff.primary_location:
        yield {
            "url": LOCATION,
            "valueReference": reference("Location", place.key, place.name),
        }


def _role(role: Role) -> Json:
    code = {"system": ROLE, "code": role.internal_code, "display": role.name}
    return {"url": ROLES, "extension": [{"url": "code", "valueCoding": code}]}
