"""Writing the trail: what was shown, what was done, what was refused (DESIGN section 9)."""

import logging
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import DatabaseError, transaction
from django.http import HttpRequest

from canvas_admin.audit import ration
from canvas_admin.audit.models import AuditRow

logger = logging.getLogger("canvas_admin.audit")

# (patient key, code of the access path)
Seen = Iterable[tuple[str, str]]


class AuditUnavailable(Exception):
    """The trail could not be written, so nothing may be shown: the answer is 503."""


class Command:
    """The actor of an act at the operator's shell: the command's name, no account."""

    key = ""

    def __init__(self, name: str) -> None:
        self.name = name

    def get_username(self) -> str:
        return f"manage.py {self.name}"


def shown(
    request: HttpRequest, action: str, patients: Seen = (), **detail: Any
) -> None:
    """Record that an answer is about to show these patients' data.

    Call it after the rows are fetched, outside any transaction, before anything is
    rendered. Raises AuditUnavailable when the trail cannot be written.
    """
    _write_apart(request, action, AuditRow.Outcome.SHOWN, patients, detail)


def done(
    actor: Any,
    action: str,
    patients: Seen = (),
    *,
    request: HttpRequest | None = None,
    subject: str = "",
    **detail: Any,
) -> None:
    """Record a change, in the transaction of the change itself.

    `actor` is an account, or a Command; `subject` names what was changed, such as
    "staff/<key>".
    """
    _write(
        request, actor, action, AuditRow.Outcome.DONE, patients, detail, subject=subject
    )


def refused(request: HttpRequest, action: str, *patients: str, **detail: Any) -> None:
    """Record a refusal, after the refused transaction was rolled back.

    `patients` are keys; an empty one counts for none. Raises AuditUnavailable when the
    trail cannot be written.
    """
    seen = [(key, "") for key in patients if key]
    _write_apart(request, action, AuditRow.Outcome.REFUSED, seen, detail)


def within_ration(request: HttpRequest, act: str, per_hour: int, action: str) -> bool:
    """Count one use of a rationed act; False, and recorded, once the hour's are used.

    Call it outside any transaction. Raises AuditUnavailable as refused() does.
    """
    if ration.take(request.user, act, per_hour):
        return True
    refused(request, action, reason="ration")
    return False


def _write_apart(
    request: HttpRequest,
    action: str,
    outcome: AuditRow.Outcome,
    patients: Seen,
    detail: dict[str, Any],
) -> None:
    """Write in a transaction of its own."""
    try:
        with transaction.atomic():
            _write(request, request.user, action, outcome, patients, detail)
    except DatabaseError as error:
        logger.exception("the audit trail cannot be written")
        raise AuditUnavailable from error


def _write(
    request: HttpRequest | None,
    actor: Any,
    action: str,
    outcome: AuditRow.Outcome,
    patients: Seen,
    detail: dict[str, Any],
    subject: str = "",
) -> None:
    """One row for the act and one per patient, in one multi-row insert."""
    common = {
        "event": uuid.uuid4().hex,
        "actor": getattr(actor, "key", ""),
        "actor_name": actor.get_username() or "anonymous",
        "action": action,
        "outcome": outcome,
        "subject": subject,
        "correlation": getattr(request, "correlation_id", ""),
        "address": request.META.get("REMOTE_ADDR") or None if request else None,
    }
    rows = [AuditRow(**common, detail=detail)]
    rows += [
        AuditRow(**common, patient=key, access_path=path) for key, path in patients
    ]
    AuditRow.objects.bulk_create(rows)
