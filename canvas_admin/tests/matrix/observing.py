"""One request, and what it did: whom it showed, what it changed, what the trail says.

Its effects are undone afterwards.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from functools import cache as kept
from io import BytesIO
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.db import connection, models, transaction
from django.db.models import Max
from django.test import Client
from pypdf import PdfReader

from canvas_admin.audit.models import AuditRow
from canvas_admin.records.lookups import Prepared, Slot
from canvas_admin.tests.undoing import Noting
from patients.models import ClaimKey, Patient, StreamKey, WorkKey

ROOMS = ("patients", "tasks", "protocols")
# Written by our own saving, from names, memberships and assignments; nobody types it.
DERIVED = (StreamKey, WorkKey, ClaimKey)
AFTER = Prepared(lambda: AuditRow.objects.filter(pk__gt=Slot("last")).order_by("pk"))
Row = AuditRow.Outcome


@dataclass(frozen=True)
class Observed:
    """An answer; patients are named by their keys."""

    response: Any
    shown: frozenset[str]
    changed: frozenset[str]
    trail: tuple[AuditRow, ...]

    @property
    def status(self) -> int:
        return self.response.status_code

    def events(self, outcome: str) -> dict[str, list[str]]:
        """patient → the acts of this outcome that name it, one entry for each event."""
        acts = {
            (row.patient, row.event): row.action
            for row in self.trail
            if row.patient and row.outcome == outcome
        }
        found: dict[str, list[str]] = {}
        for (patient, _event), action in acts.items():
            found.setdefault(patient, []).append(action)
        return found


class Observer:
    """Sends requests of one session, each undone, and tells what they did.

    `marks` are texts by which an answer shows a patient: text → the patient's key.
    """

    def __init__(self, session: Client, marks: dict[str, str]) -> None:
        self.marks, self.cookies = marks, session.cookies
        self.client = Client(raise_request_exception=False)
        self.last = AuditRow.objects.aggregate(last=Max("pk"))["last"] or 0

    def ask(self, method: str, url: str, data: Any = None, **more: Any) -> Observed:
        """Ask, and undo what it did; `more` is what the client takes besides."""
        # The sign-in pages count there how often they are asked.
        cache.clear()
        self.client.cookies = copy(self.cookies)
        writes: set[type[models.Model]] = set()
        with transaction.atomic():
            with connection.execute_wrapper(Noting(writes, noted())):
                response = getattr(self.client, method)(url, data, **more)
            body = text_of(response)
            trail = self._trail() if AuditRow in writes else ()
            writes.discard(AuditRow)
            after = {model: _rows(model) for model in writes}
            transaction.set_rollback(True)
        changed = {key for model in writes for key in _changed(model, after[model])}
        shown = {key for mark, key in self.marks.items() if mark in body}
        return Observed(response, frozenset(shown), frozenset(changed), trail)

    def _trail(self) -> tuple[AuditRow, ...]:
        """What came to the trail since the observer was made: all else was undone."""
        return tuple(AFTER.rows(last=self.last))


@kept
def noted() -> dict[str, type[models.Model]]:
    """table → model, of everything that is about a patient, and the trail."""
    return about_patients() | {AuditRow._meta.db_table: AuditRow}


@kept
def about_patients() -> dict[str, type[models.Model]]:
    """table → model, of everything that is about a patient."""
    found = [m for room in ROOMS for m in apps.get_app_config(room).get_models()]
    return {
        model._meta.db_table: model
        for model in found
        if model not in DERIVED and path_to_patient(model) is not None
    }


@kept
def path_to_patient(model: type[models.Model]) -> str | None:
    """The lookup that leads from a row to its patient: "" of a patient, None without."""
    if model is Patient:
        return ""
    ways = [("", model)]
    for _step in range(3):
        further = []
        for path, at in ways:
            for field in at._meta.concrete_fields:
                if not field.is_relation or field.related_model is at:
                    continue
                if field.related_model is Patient:
                    return f"{path}{field.name}"
                if field.related_model._meta.app_label in ROOMS:
                    further.append((f"{path}{field.name}__", field.related_model))
        ways = further
    return None


def _rows(model: type[models.Model]) -> dict[int, tuple[Any, ...]]:
    """pk → (the patient's key, every column)."""
    path = path_to_patient(model)
    key = f"{path}__key" if path else "key"
    names = [field.attname for field in model._meta.concrete_fields]
    rows = model._base_manager.order_by("pk").values_list("pk", key, *names)
    return {pk: rest for pk, *rest in rows}


def _changed(
    model: type[models.Model], after: dict[int, tuple[Any, ...]]
) -> Iterable[str]:
    """The patients of the rows that are not as they were, before and after."""
    before = _rows(model)
    for pk in before.keys() | after.keys():
        one, other = before.get(pk), after.get(pk)
        if one != other:
            yield from {row[0] for row in (one, other) if row and row[0]}


def text_of(response: Any) -> str:
    """What a person reads in an answer; of a printed page too."""
    content = response.getvalue()
    if response.streaming:
        # To be read again by whoever comes next.
        response.streaming_content = [content]
    text = content.decode(errors="replace")
    if content.startswith(b"%PDF") and content.rstrip().endswith(b"%%EOF"):
        pages = PdfReader(BytesIO(content)).pages
        text += " ".join(page.extract_text() for page in pages)
    return text
