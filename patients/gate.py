"""The gate in front of a patient's pages, and the one way in which a page refuses."""

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from canvas_admin.audit import trail
from canvas_admin.records.models import find_row
from patients import access
from patients.models import Patient

_KEY = re.compile(r"[0-9a-f]{32}")


class Refused(PermissionDenied):
    """This person may not open this patient, or there is none: nobody can tell which.

    `key` is the patient's, or empty where another row was asked for: then `about` names
    that row, such as "task/<key>".
    """

    def __init__(self, key: str, about: str = "") -> None:
        super().__init__()
        self.key, self.about = key, about


def open_patient(request: HttpRequest, key: str, *permissions: str) -> Patient:
    """The patient with this key, for a person who may do this and reaches it.

    Raises Refused otherwise: for a missing permission, a patient out of reach, a key
    that no patient has, and a text that is no key, all alike (S2; DESIGN section 4).
    """
    patient = find_patient(request, key)
    if patient is None or not request.user.has_perms(permissions):
        raise Refused(key)
    return patient


def find_patient(request: HttpRequest, key: str) -> Patient | None:
    """The patient with this key within the person's reach, or None."""
    return find_patients(request, [key]).get(key)


def find_patients(request: HttpRequest, keys: Iterable[str]) -> dict[str, Patient]:
    """Those with these keys within the person's reach, by key; asked about all at once."""
    asked = {key for key in keys if _KEY.fullmatch(key)}
    if not asked:
        return {}
    known = dict(Patient.objects.filter(key__in=asked).values_list("key", "pk"))
    # The rule is asked about nobody too: how long a refusal takes tells nothing.
    patients = {known.get(key, access.NOBODY) for key in asked}
    return {p.key: p for p in access.opened(reach(request), patients)}


def still_open(request: HttpRequest, *patients: Patient) -> trail.Seen:
    """Each patient with the path that opens it, asked anew, for a write's audit rows.

    Call it in the transaction of the write. Raises Refused when a patient has left the
    person's reach since the page was opened.
    """
    seen = access.paths_to(request.user, patients)
    for key, path in seen:
        if not path:
            raise Refused(key)
    return seen


def open_row(rows: QuerySet, key: str, patient: Patient) -> Any:
    """The row with this key among these rows of a patient whom open_patient() gave.

    Raises Refused for another patient's row, for a key that no row has, and for a text
    that is no key, all alike.
    """
    row = find_row(rows, key)
    if row is None:
        raise Refused(patient.key)
    return row


def reach(request: HttpRequest) -> access.Reach:
    """What the person reaches through, read once for this request."""
    if not hasattr(request, "_reach"):
        request._reach = access.Reach.of(request.user).read()
    return request._reach


def shown(request: HttpRequest, act: str, *patients: Patient, **detail: Any) -> None:
    """trail.shown() of patients whom the person reaches, with the paths that open them."""
    trail.shown(request, act, access.paths_to(reach(request), patients), **detail)


def require(request: HttpRequest, *permissions: str) -> None:
    """Raises PermissionDenied unless the person has these model permissions."""
    if not request.user.has_perms(permissions):
        raise PermissionDenied


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The generic screen of S2, for every refusal alike; runs after the rollback."""
    try:
        record_refusal(request, exception)
    except trail.AuditUnavailable:
        return render(request, "503.html", status=503)
    return render(request, "403.html", status=403)


def record_refusal(request: HttpRequest, refusal: Exception) -> None:
    """The trail's row of a refusal; call it after the rollback. Raises AuditUnavailable."""
    key, about = getattr(refusal, "key", ""), getattr(refusal, "about", "")
    detail = {"about": _printable(about)} if about else {}
    trail.refused(request, f"page:{_view_name(request)}", _printable(key), **detail)


def _view_name(request: HttpRequest) -> str:
    match = request.resolver_match
    return (match.view_name if match else "")[:50]


def _printable(key: str) -> str:
    return re.sub(r"[^0-9A-Za-z/-]", "?", key)[:64]
