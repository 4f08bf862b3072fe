"""Running an eligibility check: the question is kept, asked, and its answer kept."""

import logging
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from canvas_admin.records import clock
from canvas_admin.records.forms import SavedAlready
from canvas_admin.records.models import key_from_form
from patients import access, gate
from patients.eligibility.payers import Answer, Inquiry, NoAnswer, configured
from patients.models import Coverage, EligibilityCheck

logger = logging.getLogger("canvas_admin.patients")

ANSWERS = {"active", "inactive", "unknown"}
# What a connection that came from outside may get wrong; none of it stops the page.
FAILURES = (
    OSError,
    ValueError,
    ValidationError,
    ArithmeticError,
    LookupError,
    TypeError,
    AttributeError,
    ImportError,
)


def run(request: HttpRequest, coverage: Coverage, token: str) -> EligibilityCheck:
    """Ask the payer whether a coverage holds today; the row says what came of it.

    Never inside a transaction: a payer may take its time. Raises SavedAlready when the
    form of this token has asked before, Refused when the patient has left the reach.
    """
    check = _begin(request, coverage, token)
    try:
        payer = configured()
        answer = payer.check(_inquiry(coverage), settings.ELIGIBILITY_TIMEOUT)
        _take(check, answer)
    except NoAnswer as error:
        check.message = _line(error, 255)
    except FAILURES as error:
        # Its text may hold what the payer knows of the patient.
        logger.warning("an eligibility check failed: %s", type(error).__name__)
        check.message = _("The payer could not be asked. Try again in a while.")
    with transaction.atomic():
        check.save()
        # The patient may be out of reach by now; the answer is kept all the same.
        seen = access.paths_to(request.user, [check.patient])
        _record(request, check, "eligibility.answered", seen)
    return check


def _begin(request: HttpRequest, coverage: Coverage, token: str) -> EligibilityCheck:
    """The row of the question, before it goes out."""
    token = f"{token}:{coverage.key}"
    with transaction.atomic():
        seen = gate.still_open(request, coverage.patient)
        check, is_new = EligibilityCheck.objects.get_or_create(
            key=key_from_form(EligibilityCheck, request.user, token),
            defaults={
                "patient": coverage.patient,
                "coverage": coverage,
                "checked_by": request.user,
                "message": _("The payer's answer did not come back."),
            },
        )
        if not is_new:
            raise SavedAlready(check)
        _record(request, check, "eligibility.asked", seen)
    return check


def _inquiry(coverage: Coverage) -> Inquiry:
    patient = coverage.patient
    return Inquiry(
        payer_id=coverage.payer_id,
        payer_name=coverage.payer_name,
        member_id=coverage.member_id,
        group_number=coverage.group_number,
        relationship=coverage.relationship,
        subscriber_name=coverage.subscriber_name,
        first_name=patient.first_name,
        last_name=patient.last_name,
        birth_date=patient.birth_date,
        on=clock.today(),
        start=coverage.start,
        end=coverage.end,
    )


def _take(check: EligibilityCheck, answer: Answer) -> None:
    """Put an answer into the row. Raises one of FAILURES for nonsense."""
    copay = None if answer.copay is None else Decimal(str(answer.copay))
    if answer.outcome not in ANSWERS or (copay is not None and copay < 0):
        raise ValueError("no such answer")
    EligibilityCheck._meta.get_field("copay").run_validators(copay)
    check.plan, check.message = _line(answer.plan, 200), _line(answer.message, 255)
    check.copay, check.outcome = copay, answer.outcome


def _line(text: object, size: int) -> str:
    """A text that every database takes."""
    return str(text).encode(errors="replace").decode().replace("\x00", "")[:size]


def _record(
    request: HttpRequest, check: EligibilityCheck, act: str, seen: trail.Seen
) -> None:
    trail.done(
        request.user,
        act,
        seen,
        request=request,
        subject=f"coverage/{check.coverage.key}",
    )
