"""The statement of what a patient owes."""

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from patients import areas, gate
from patients.models import ClaimLine, ClaimPosting
from patients.printing.blocks import MOST_ROWS
from patients.printing.statement import statement
from patients.revenue import balances
from patients.views.claims.showing import claims_of
from patients.views.printing.paper import answer, printed, sheet_for
from staffing.models import TeamContactPoint, TeamResponsibility


@require_safe
def print_statement(request: HttpRequest, key: str) -> HttpResponse:
    """A patient's claims, what was paid, and what is owed."""
    patient = gate.open_patient(request, key, *areas.PRINT_STATEMENT)
    reach = gate.reach(request)
    rows = claims_of(request, patient).counted().with_totals().newest_first()
    claims = list(
        rows.prefetch_related(
            Prefetch("lines", ClaimLine.objects.filter(removed__isnull=True)),
            Prefetch("postings", ClaimPosting.objects.filter(reversed__isnull=True)),
        )[: MOST_ROWS + 1]
    )
    balance = balances.balance_of(patient, reach)
    phone = phone_for_payments()
    printed(request, "patient.statement", patient)
    sheet = sheet_for(request, _("Statement"), patient)
    statement(sheet, claims, balance, phone)
    return answer(sheet, "statement")


def phone_for_payments() -> str:
    """The first phone number of the team that collects payments (facts 6.3), or ""."""
    phones = TeamContactPoint.objects.filter(
        team__responsibilities__code=TeamResponsibility.Code.PAYMENTS,
        system=TeamContactPoint.System.PHONE,
    )
    phones = phones.exclude(use=TeamContactPoint.Use.OLD)
    return phones.values_list("value", flat=True).first() or ""
