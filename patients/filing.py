"""Saving an administrative document, for a page or a program."""

from django.db import transaction
from django.http import HttpRequest

from canvas_admin.audit import trail
from patients import gate
from patients.models import AdministrativeDocument


def save(request: HttpRequest, row: AdministrativeDocument, act: str) -> None:
    """Save a document with its audit rows, or nothing of it.

    Raises Refused when the patient has left the person's reach.
    """
    with transaction.atomic():
        # Asked first: a file that is written stays, whatever becomes of the row.
        seen = gate.still_open(request, row.patient)
        row.save()
        trail.done(
            request.user,
            act,
            seen,
            request=request,
            subject=f"document/{row.key}",
        )
