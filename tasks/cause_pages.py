"""The page of what raised a task, for whoever may open it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from patients import areas
from tasks.models import Task


@dataclass(frozen=True)
class Page:
    """Where a cause is shown: what the link says, whom it opens to, and its address.

    `keys` are those of the address, behind the patient's.
    """

    title: Any
    permissions: tuple[str, ...]
    url_name: str
    keys: Callable[[Any], list[str]]


def _result(kind: str) -> Page:
    return Page(
        _("Open the result"),
        areas.OPEN_CHART,
        "patients:review",
        lambda row: [kind, row.key],
    )


_NOTE = Page(
    _("Open the note"), areas.OPEN_CHART, "patients:note", lambda row: [row.note.key]
)
_CLAIM = Page(
    _("Open the claim"),
    areas.SEE_CLAIMS,
    "patients:claim",
    lambda row: [row.claim.key],
)
_COVERAGE = Page(
    _("Open the coverage"),
    areas.EDIT_PROFILE,
    "patients:coverages-change",
    lambda row: [row.key],
)
PAGES = {
    "referral": _NOTE,
    "imaging_order": _NOTE,
    "lab_order": _NOTE,
    "note_task": _NOTE,
    "note_review": _NOTE,
    "lab_report": _result("labs"),
    "imaging_report": _result("imaging"),
    "clinical_document": _result("other-documents"),
    "coverage": _COVERAGE,
    "posting": _CLAIM,
    "claim_snooze": _CLAIM,
}


def page_of(task: Task, user: Any) -> dict[str, Any] | None:
    """A link to what raised a task that this person has opened; None without one.

    The cause's patient is the task's, so it is within reach, too.
    """
    for name, page in PAGES.items():
        if getattr(task, f"{name}_id") and user.has_perms(page.permissions):
            keys = page.keys(getattr(task, name))
            url = reverse(page.url_name, args=[task.patient.key, *keys])
            return {"title": page.title, "url": url}
    return None
