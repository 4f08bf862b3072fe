"""What all clinical resources have in common, on their way into rows of the chart."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.utils.translation import gettext as _

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.rows import Values, digest, fit
from patients.models import ClinicalRow
from patients.uploads import Accepted

IN_ERROR = "entered-in-error"


@dataclass(frozen=True)
class Attachment:
    """A file that a resource brings, and what uploads.accept() found."""

    file: ContentFile
    accepted: Accepted


@dataclass(frozen=True)
class ClinicalRows:
    """What a resource says in our fields, and whom it is about (a reference).

    `results` are references to the observations that belong to a report, and `report` is
    the source's id of the report that an observation belongs to.
    """

    model: type[ClinicalRow]
    fields: Values
    subject: str
    results: tuple[str, ...] = ()
    report: str = ""
    attachment: Attachment | None = None

    @property
    def digest(self) -> str:
        attached = [self.attachment.accepted.sha256] if self.attachment else []
        return digest(self.fields, self.report, *attached)


def rows(
    model: type[ClinicalRow],
    resource: dict[str, Any],
    source_id: str,
    what: elements.Coding,
    *,
    in_error: bool,
    **fields: Any,
) -> ClinicalRows:
    """The row of a validated resource that is called `what`.

    Raises Rejected without an id or anything that it is called, and for a value that does
    not fit its field.
    """
    named = f"the {model._meta.verbose_name}"
    if not source_id:
        raise Rejected(f"id: without one {named} cannot be found again")
    if not what.display:
        raise Rejected("code: is missing")
    fields |= {
        "source_id": source_id,
        "system": what.system,
        "code": what.code,
        "display": what.display,
        "entered_in_error": in_error,
        "entered_in_error_reason": _("Marked so by its source") if in_error else "",
    }
    about = resource.get("subject") or resource.get("patient") or {}
    return ClinicalRows(model, fit(model, fields, named), about.get("reference") or "")


def status(resource: dict[str, Any], otherwise: str) -> tuple[str, bool]:
    """The `status` element, and whether it says that the row was entered in error.

    Of such a row nothing else is known: `otherwise` stands in.
    """
    given = resource.get("status") or otherwise
    return (otherwise, True) if given == IN_ERROR else (given, False)


def moment(resource: dict[str, Any], name: str, edge: str = "start") -> datetime | None:
    """The time of a choice element: its dateTime, or that edge of its period."""
    text = resource.get(f"{name}DateTime")
    text = text or (resource.get(f"{name}Period") or {}).get(edge)
    return elements.instant(text, name) if text else None


def at(resource: dict[str, Any], name: str) -> datetime | None:
    """The time of an element of type dateTime or instant."""
    text = resource.get(name)
    return elements.instant(text, name) if text else None


def first(concepts: list[dict[str, Any]] | None) -> elements.Coding:
    """The coding of the first of some concepts."""
    return elements.coding((concepts or [None])[0])
