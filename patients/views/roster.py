"""The list of patients: those within the person's reach, and nobody else (S2)."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from canvas_admin.audit import trail
from patients import access, areas, gate
from patients.forms import SearchForm
from patients.search import streams

# The filter is typed, so it lives in the session and not in a URL (DESIGN section 4).
FILTER = "patients.list.filter"
ORDERS = {"name": streams.BY_NAME, "born": streams.BY_BIRTH}


@require_http_methods(["GET", "HEAD", "POST"])
def roster(request: HttpRequest) -> HttpResponse:
    """S2: "The patients view will only include patients that the user has access to."

    ?show=all adds inactive and deceased patients, ?sort=born sorts by date of birth;
    ?after= and ?before= are the key of a patient within reach, else the list begins; so
    it does when nobody is left there.
    """
    gate.require(request, *areas.FIND_PATIENTS)
    typed = SearchForm(request.POST) if request.method == "POST" else None
    if typed is not None and _keep_filter(request, typed):
        return redirect(_address(request))
    kept = SearchForm({"q": request.session.get(FILTER, "")})
    sort, show = _codes(request)
    page = streams.page(
        gate.reach(request),
        ORDERS[sort],
        after=gate.find_patient(request, request.GET.get("after", "")),
        before=gate.find_patient(request, request.GET.get("before", "")),
        query=kept.cleaned_data["q"] if kept.is_valid() else None,
        listed=show != "all",
    )
    if not page.patients and (page.has_previous or page.has_next):
        return redirect(_address(request))
    trail.shown(request, "patient.list", page.seen)
    context = {
        "page": page,
        "sort": sort,
        "show": show,
        "filter": typed or kept,
        "filtered": kept.is_valid(),
        "reaches_somebody": bool(page.patients or access.streams(gate.reach(request))),
        "address": _address(request),
        "by_name": _address(request, sort="name"),
        "by_birth": _address(request, sort="born"),
        "show_all": _address(request, show="all"),
        "show_active": _address(request, show="active"),
        "next": page.has_next and _address(request, after=page.patients[-1].key),
        "previous": page.has_previous
        and _address(request, before=page.patients[0].key),
    }
    return render(request, "patients/list.html", context)


def _keep_filter(request: HttpRequest, typed: SearchForm) -> bool:
    """Keep the typed filter, or drop it when asked or empty; False if it is no use."""
    if "clear" in request.POST or not typed.text:
        request.session.pop(FILTER, None)
        return True
    if typed.is_valid():
        request.session[FILTER] = typed.text
        return True
    return False


def _codes(request: HttpRequest) -> tuple[str, str]:
    sort = "born" if request.GET.get("sort") == "born" else "name"
    show = "all" if request.GET.get("show") == "all" else "active"
    return sort, show


def _address(request: HttpRequest, **codes: str) -> str:
    """The list's address with the codes of this request, these ones changed."""
    sort, show = _codes(request)
    codes = {"sort": sort, "show": show} | codes
    usual = {("sort", "name"), ("show", "active")}
    left = {name: code for name, code in codes.items() if (name, code) not in usual}
    return reverse("patients:list") + (f"?{urlencode(left)}" if left else "")
