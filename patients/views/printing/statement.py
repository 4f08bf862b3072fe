"""Statements of what patients owe: one patient's, and those of everybody who owes."""

from dataclasses import replace

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from canvas_admin.audit import trail
from patients import areas, gate
from patients.models import ClaimState, Patient
from patients.printing.blocks import MOST_ROWS
from patients.printing.sheet import Sheet
from patients.printing.statement import statement
from patients.revenue import balances, statements
from patients.views.claims.showing import claims_of
from patients.views.claims.worklist import Wanted
from patients.views.printing.paper import answer, frame_for, printed, sheet_for
from staffing.models import TeamContactPoint, TeamResponsibility, staff_of


@require_safe
def print_statement(request: HttpRequest, key: str) -> HttpResponse:
    """A patient's claims, what was paid, and what is owed."""
    patient = gate.open_patient(request, key, *areas.PRINT_STATEMENT)
    reach = gate.reach(request)
    claims = list(statements.with_parts(claims_of(request, patient))[: MOST_ROWS + 1])
    balance = balances.balance_of(patient, reach)
    phone = phone_for_payments()
    printed(request, "patient.statement", patient)
    sheet = sheet_for(request, _("Statement"), patient)
    statement(sheet, claims, balance, phone)
    return answer(sheet, "statement")


@require_POST
def print_statements(request: HttpRequest) -> HttpResponse:
    """Those of the next patients who owe something, each with a task to collect it.

    What the sheet has no room for waits for the next batch.
    """
    gate.require(request, *areas.PRINT_STATEMENTS)
    owed = replace(Wanted.of(request.POST), state=ClaimState.PATIENT_BALANCE)
    found = statements.who_is_next(owed.claims(request))
    if not found:
        messages.info(
            request, _("Everybody who owes something is being asked already.")
        )
        return redirect(owed.address())
    sheet, done = _batch(request, list(found))
    seen = [(patient.key, found[patient]) for patient in done]
    trail.shown(request, "revenue.statements.printed", seen)
    _ask(request, done)
    return answer(sheet, "statements")


def _batch(
    request: HttpRequest, patients: list[Patient]
) -> tuple[Sheet, list[Patient]]:
    """The sheet, and whose statements are on it."""
    phone, title = phone_for_payments(), _("Statement")
    sheet, done = sheet_for(request, title, patients[0]), []
    for each in statements.statements_of(patients, gate.reach(request)):
        if done:
            if sheet.full:
                break
            sheet.frame = frame_for(request, title, each.patient)
            sheet.add_page()
        statement(sheet, each.claims, each.balance, phone)
        done.append(each.patient)
    return sheet, done


@transaction.atomic
def _ask(request: HttpRequest, patients: list[Patient]) -> None:
    seen = gate.still_open(request, *patients)
    statements.ask_for_payment(patients, staff_of(request.user))
    trail.done(request.user, "revenue.statements", seen, request=request)


def phone_for_payments() -> str:
    """The first phone number of the team that collects payments (facts 6.3), or ""."""
    phones = TeamContactPoint.objects.filter(
        team__responsibilities__code=TeamResponsibility.Code.PAYMENTS,
        system=TeamContactPoint.System.PHONE,
    )
    phones = phones.exclude(use=TeamContactPoint.Use.OLD)
    return phones.values_list("value", flat=True).first() or ""
