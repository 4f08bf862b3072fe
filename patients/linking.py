"""What an incoming file can become, and how it becomes that and comes back.

Each act is called in the write's transaction, on a file that hold() has locked.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from typing import Any

from django.db import models
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients import areas
from patients.models import (
    AdministrativeDocument,
    ChartChange,
    ClinicalDocument,
    ImagingReport,
    IncomingFile,
    LabReport,
    Patient,
    Reviewable,
)
from patients.models.results import ReportStatus
from patients.work import Order, Shelf

State = IncomingFile.State


class TakenAlready(Exception):
    """Somebody else has linked or rejected the file, or put it back, meanwhile."""


@dataclass(frozen=True)
class Kind:
    """A kind of row that a file is linked as, and the permissions for that.

    `fields` are those of a new row of this title and date.
    """

    code: str
    title: Any
    model: type[models.Model]
    permissions: tuple[str, ...]
    fields: Callable[[str, date, Any], dict[str, Any]]

    @property
    def reviewed(self) -> bool:
        """Whether somebody has to review such a row."""
        return issubclass(self.model, Reviewable)


def _noon(day: date) -> datetime:
    """An instant that is this day in the time zones of all the clinic's places."""
    return timezone.make_aware(datetime.combine(day, time(12)))


def _report(title: str, day: date, _staff: Any) -> dict[str, Any]:
    status = ReportStatus.FINAL
    return {"display": title, "reported": _noon(day), "status": status}


def _clinical(kind: str, title: str, day: date, _staff: Any) -> dict[str, Any]:
    return {"display": title, "clinical_date": _noon(day), "kind": kind}


def _administrative(kind: str, title: str, day: date, staff: Any) -> dict[str, Any]:
    return {"title": title, "document_date": day, "kind": kind, "filed_by": staff}


CLINICAL = (
    Kind("lab", _("Lab report"), LabReport, areas.LINK_FILE, _report),
    Kind("imaging", _("Imaging report"), ImagingReport, areas.LINK_FILE, _report),
    *(
        Kind(code, name, ClinicalDocument, areas.LINK_FILE, partial(_clinical, code))
        for code, name in ClinicalDocument.Kind.choices
    ),
)
ADMINISTRATIVE = tuple(
    Kind(
        f"document-{code}",
        name,
        AdministrativeDocument,
        areas.LINK_DOCUMENT,
        partial(_administrative, code),
    )
    for code, name in AdministrativeDocument.Kind.choices
)
KINDS = {kind.code: kind for kind in (*CLINICAL, *ADMINISTRATIVE)}


# The list of what is linked, the latest first.
LINKED = Shelf(
    model=IncomingFile,
    rows=Q(state=State.LINKED),
    orders={"": Order(10, IncomingFile.dated_by, backwards=True)},
    related=("uploaded_by", "linked_by"),
)


def kinds_for(user: Any) -> dict[str, Kind]:
    """The kinds as which this person may link files."""
    return {k.code: k for k in KINDS.values() if user.has_perms(k.permissions)}


def hold(file: IncomingFile, state: State) -> None:
    """Keep others from the file until the transaction ends.

    Raises TakenAlready unless it is in this state, and as it was when it was read.
    """
    stored = IncomingFile.objects.select_for_update().get(pk=file.pk)
    if stored.state != state or stored.version != file.version:
        raise TakenAlready


@dataclass(frozen=True)
class Wanted:
    """As what a file is linked, and who is to review it."""

    kind: Kind
    title: str
    day: date
    assignee: Any = None
    team: Any = None


def link(
    file: IncomingFile, patient: Patient, wanted: Wanted, staff: Any
) -> models.Model:
    """Make the patient's row with the file in it; the file is linked to it from now on."""
    kind = wanted.kind
    row = kind.model(patient=patient, **kind.fields(wanted.title, wanted.day, staff))
    row.share_file_of(file)
    if kind.reviewed:
        row.hand_to(wanted.assignee, wanted.team)
    row.save()
    file.state, file.patient = State.LINKED, patient
    file.linked_as, file.linked_row = kind.code, row.key
    file.linked_at, file.linked_by = clock.now(), staff
    file.save()
    return row


def unlink(file: IncomingFile, reason: str, staff: Any) -> models.Model:
    """Put a linked file back into the inbox; the patient's row counts as an error."""
    rows = KINDS[file.linked_as].model.objects.select_for_update()
    row = rows.get(key=file.linked_row)
    _take_out(row, reason, staff)
    file.state, file.patient, file.linked_by = State.NEW, None, None
    file.linked_as = file.linked_row = ""
    file.linked_at = None
    file.save()
    return row


def _take_out(row: models.Model, reason: str, staff: Any) -> None:
    """Mark a row as wrong, unless somebody did before."""
    if isinstance(row, AdministrativeDocument):
        if row.removed is None:
            row.removed, row.removed_by = clock.now(), staff
            row.removed_reason = reason
            row.save()
    elif not row.entered_in_error:
        before = copy(row)
        row.entered_in_error, row.entered_in_error_reason = True, reason
        row.save()
        ChartChange.keep(row, before, staff and staff.user)
        row.call_off(staff and staff.user, gettext("The file was linked in error."))


def reject(file: IncomingFile, reason: str, staff: Any) -> None:
    """Put a file aside that belongs to nobody's record."""
    file.state, file.rejected_reason = State.REJECTED, reason
    file.rejected_at, file.rejected_by = clock.now(), staff
    file.save()


def put_back(file: IncomingFile) -> None:
    """Put a rejected file back into the inbox."""
    file.state, file.rejected_reason = State.NEW, ""
    file.rejected_at = file.rejected_by = None
    file.save()


def assigned(file: IncomingFile) -> None:
    """Note that the file is from now on with whom it names; nobody may be named."""
    somebody = file.assignee_id or file.team_id
    file.assigned_at = clock.now() if somebody else None


def repeated(files: list[IncomingFile], reach: Any) -> set[str]:
    """The contents, by digest, that came more than once, as far as this person sees."""
    rows = IncomingFile.objects.seen_by(reach)
    rows = rows.filter(sha256__in={file.sha256 for file in files}).order_by()
    counted = rows.values("sha256").annotate(times=Count("pk"))
    return set(counted.filter(times__gt=1).values_list("sha256", flat=True))
