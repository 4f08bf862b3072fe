"""What the API is compared with: plain Django views that fetch the same rows, and audit.

No middleware, no token, no rule, no FHIR: the rows of the request, of a search ten and how
many there are, one insert on the audit trail, and the rows' columns as JSON. They serve the
bench alone.
"""

import uuid
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db.models.functions import Coalesce
from django.forms.models import model_to_dict
from django.http import HttpRequest, JsonResponse
from django.urls import path

import canvas_admin.wsgi  # noqa: F401  (sets Django up)
from canvas_admin.audit.models import AuditRow
from patients.models import Patient
from tasks.models import Task

settings.MIDDLEWARE, settings.ROOT_URLCONF = [], "bare"
application = WSGIHandler()

PAGE, COUNTED = 10, 10_001
BELONGS = ("names", "identifiers", "addresses", "contact_points", "contacts")


def _patients(rows: Any, *, search: bool = True) -> JsonResponse:
    found = list(rows.prefetch_related(*BELONGS)[:PAGE])
    total = _count(rows) if search else None
    _audit([each.key for each in found])
    told = [
        model_to_dict(each)
        | {
            name: [model_to_dict(row) for row in getattr(each, name).all()]
            for name in BELONGS
        }
        for each in found
    ]
    return JsonResponse({"rows": told, "total": total})


def _count(rows: Any) -> int:
    return rows.order_by().values("pk")[:COUNTED].count()


def _audit(patients: list[str]) -> None:
    common = {
        "event": uuid.uuid4().hex,
        "actor_name": "bare",
        "action": "bare",
        "outcome": AuditRow.Outcome.SHOWN,
        "address": "127.0.0.1",
    }
    AuditRow.objects.bulk_create(
        [
            AuditRow(**common),
            *(AuditRow(**common, patient=key, access_path="bare") for key in patients),
        ]
    )


def read(_request: HttpRequest, key: str) -> JsonResponse:
    return _patients(Patient.objects.filter(key=key), search=False)


def family(_request: HttpRequest, name: str) -> JsonResponse:
    named = Patient.objects.filter(
        names__folded_family__gte=f" {name}", names__folded_family__lt=f" {name}\x7f"
    )
    # Sorted as the API does it: by the index of names it takes seconds on PostgreSQL.
    return _patients(named.order_by(Coalesce("sort_name", "sort_name")))


def born(_request: HttpRequest, day: str) -> JsonResponse:
    return _patients(Patient.objects.filter(birth_date=day).order_by("sort_name"))


def tasks(_request: HttpRequest, owner: str) -> JsonResponse:
    rows = Task.objects.filter(assignee__key=owner, status="OPEN").order_by("-pk")
    people = rows.select_related("patient", "assignee", "team", "creator")
    found = list(people.prefetch_related("comments", "labels")[:PAGE])
    _audit(sorted({task.patient.key for task in found if task.patient}))
    told = [model_to_dict(task, exclude=["labels"]) for task in found]
    return JsonResponse({"rows": told, "total": _count(rows)})


urlpatterns = [
    path("account/login/", lambda _request: JsonResponse({})),
    path("read/<key>", read),
    path("family/<name>", family),
    path("born/<day>", born),
    path("tasks/<owner>", tasks),
]
