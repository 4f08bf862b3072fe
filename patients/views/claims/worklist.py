"""The claims within reach, by state: the worklist of revenue, and its file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from canvas_admin.records import sheets
from canvas_admin.records.models import find_row
from patients import access, areas, gate
from patients.booking import providers
from patients.models import Claim, ClaimState, Patient, PatientGroupMember
from patients.templatetags.patients import born
from staffing.models import Staff

PAGE = 25
# Up to so many patients their claims are looked up by patient.
FEW = 2_000
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


def claims_wanted(wanted: Wanted, reach: access.Reach) -> Any:
    """The claims of the worklist, within reach; without a state all but the trash.

    They are found by their date, or, where few patients come into question, by these:
    then most of the latest claims are of others. The rule decides about each.
    """
    rows = Claim.objects.visible_to(reach)
    if (few := _few_patients(reach)) is not None:
        rows = rows.filter(patient__among=few)
    rows = rows.filter(state=wanted.state) if wanted.state else rows.counted()
    if wanted.provider:
        rows = rows.filter(provider=wanted.provider)
    return rows.select_related("patient", "coverage", "provider").with_totals()


def _few_patients(reach: access.Reach) -> list[int] | None:
    """At least the patients within reach, when they are few; else None."""
    groups = access.streams(reach)
    if None in groups:
        return None
    members = PatientGroupMember.objects.in_force(patient_group__among=groups)
    found = list(members.values_list("member", flat=True)[: FEW + 1])
    return found if len(found) <= FEW else None


@require_safe
def revenue(request: HttpRequest) -> HttpResponse:
    """A page of claims, the latest service first; ?after= is the last claim shown."""
    gate.require(request, *areas.SEE_REVENUE)
    wanted, reach = Wanted.of(request.GET), gate.reach(request)
    page = claims_wanted(wanted, reach).page(request.GET.get("after", ""), PAGE)
    _seen(request, "revenue", page["rows"], wanted)
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
    rows = claims_wanted(wanted, gate.reach(request)).newest_first()
    found = list(rows[: MOST_IN_A_FILE + 1])
    if len(found) > MOST_IN_A_FILE:
        context = {"most": MOST_IN_A_FILE, "back": wanted.address()}
        return render(request, "patients/claims/too_many.html", context, status=400)
    _seen(request, "revenue.export", found, wanted)
    return StreamingHttpResponse(
        _as_csv(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="claims.csv"'},
    )


def _seen(request: HttpRequest, act: str, rows: list[Claim], wanted: Wanted) -> None:
    """Put on the trail whose claims are shown."""
    patients: list[Patient] = list({row.patient: None for row in rows})
    for start in range(0, len(patients) or 1, PATIENTS_AT_ONCE):
        some = patients[start : start + PATIENTS_AT_ONCE]
        gate.shown(request, act, *some, state=wanted.state)


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
