"""The claims within reach, by state: the worklist of revenue, and its file."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from canvas_admin.audit import trail
from canvas_admin.records import sheets
from canvas_admin.records.models import find_row
from patients import areas, gate
from patients.booking import providers
from patients.models import Claim, ClaimState
from patients.revenue.worklist import Worklist
from patients.search import scans
from patients.search.proposed import seen
from patients.templatetags.patients import born
from staffing.models import Staff

PAGE = 25
MOST_IN_A_FILE = 5_000
# So many patients go into one act of the trail when a file shows them.
PATIENTS_AT_ONCE = 500


@dataclass(frozen=True)
class Wanted:
    """Which claims a request asks for; what is no code counts as not given."""

    state: str
    provider: Staff | None

    @classmethod
    def of(cls, codes: Any) -> "Wanted":
        """From the codes of an address or a form."""
        state = codes.get("state", "")
        return cls(
            state if state in ClaimState.values else "",
            find_row(Staff.objects.all(), codes.get("provider", "")),
        )

    def address(self, after: str = "") -> str:
        """The worklist's address with these codes."""
        key = self.provider.key if self.provider else ""
        codes = {"state": self.state, "provider": key, "after": after}
        given = urlencode({name: code for name, code in codes.items() if code})
        page = reverse("patients:revenue")
        return f"{page}?{given}" if given else page

    def claims(self, request: HttpRequest) -> Worklist:
        """These claims, within reach."""
        return Worklist(gate.reach(request), self.state, self.provider)


@require_safe
def revenue(request: HttpRequest) -> HttpResponse:
    """A page of claims, the latest service first; ?after= is the last claim shown."""
    gate.require(request, *areas.SEE_REVENUE)
    wanted = Wanted.of(request.GET)
    page = wanted.claims(request).page(request.GET.get("after", ""), PAGE)
    trail.shown(request, "revenue", page["seen"], state=wanted.state)
    context = {
        "wanted": wanted,
        "states": ClaimState.choices,
        "providers": providers(),
        "first": wanted.address(),
        "older": wanted.address(page["next"]),
        **page,
    }
    return render(request, "patients/claims/revenue.html", context)


@require_POST
def revenue_file(request: HttpRequest) -> HttpResponse:
    """The same claims as a file; whom it shows is on the trail before."""
    gate.require(request, *areas.SEE_REVENUE)
    wanted = Wanted.of(request.POST)
    rows = wanted.claims(request).items(None, scans.MOST)
    found = list(islice(rows, MOST_IN_A_FILE + 1))
    if len(found) > MOST_IN_A_FILE:
        context = {"most": MOST_IN_A_FILE, "back": wanted.address()}
        return render(request, "patients/claims/too_many.html", context, status=400)
    patients = seen(found)
    for start in range(0, len(patients) or 1, PATIENTS_AT_ONCE):
        some = patients[start : start + PATIENTS_AT_ONCE]
        trail.shown(request, "revenue.export", some, state=wanted.state)
    return StreamingHttpResponse(
        _as_csv([row for row, _path in found]),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="claims.csv"'},
    )


def _as_csv(rows: list[Claim]) -> Iterator[str]:
    headings = (
        _("Number"),
        _("Date of service"),
        _("Patient"),
        _("Date of birth"),
        _("Provider"),
        _("Payer"),
        _("State"),
        _("Charges"),
        _("Adjusted"),
        _("Paid"),
        _("Balance"),
    )
    yield sheets.BEGIN + sheets.as_csv([headings])
    for row in rows:
        yield sheets.as_csv([_values(row)])


def _values(row: Claim) -> tuple[Any, ...]:
    return (
        row.number,
        row.service_date,
        row.patient.name,
        born(row.patient),
        row.provider.name if row.provider else "",
        row.coverage.payer_name if row.coverage else "",
        row.get_state_display(),
        row.charges,
        row.adjusted,
        row.paid,
        row.balance,
    )
