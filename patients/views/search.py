"""The search bar: first results within reach, and "See all patients" (S2)."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from canvas_admin.audit import trail
from patients import areas, gate, handles
from patients.forms import SearchForm
from patients.models import Patient
from patients.search import reveal, searching, streams

FIRST_RESULTS = 10
EVERYONE = 20
SEE_ALL_PER_HOUR = 30


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """What a text finds: active, living patients within reach, at most ten.

    With `see_all`: everyone of that name or date of birth, at most twenty and thirty
    times an hour (DESIGN section 4, A1 and A2). What is typed comes by POST alone.
    """
    gate.require(request, *areas.FIND_PATIENTS)
    if request.method != "POST":
        return _answer(request, hint=_("Type a name or a date of birth above."))
    form = SearchForm(request.POST)
    if not form.is_valid():
        return _answer(request, text=form.text, hint=form.problem)
    query = form.cleaned_data["q"]
    if "see_all" in request.POST:
        return _see_all(request, query)
    page = streams.search(gate.reach(request), query, FIRST_RESULTS)
    trail.shown(request, "patient.search", page.seen)
    return _answer(
        request, query.text, page.patients, may_see_all=query.enough_for_everyone
    )


def _see_all(request: HttpRequest, query: searching.Query) -> HttpResponse:
    if not query.enough_for_everyone:
        return _answer(
            request,
            query.text,
            hint=_(
                "To look among all patients, type at least two letters of a name, or a "
                "complete date of birth."
            ),
        )
    if not trail.within_ration(request, "see-all", SEE_ALL_PER_HOUR, "patient.reveal"):
        hint = _(
            "You have used “See all patients” %(count)d times within an hour. It works "
            "again in a while; the first results work always."
        ) % {"count": SEE_ALL_PER_HOUR}
        return _answer(request, query.text, hint=hint, status=429)
    found = reveal.everyone(gate.reach(request), query, EVERYONE)
    seen = [(patient.key, path) for patient, path, _shown in found]
    trail.shown(request, "patient.reveal", seen)
    rows = [_to_ask_for(request, patient, shown) for patient, _path, shown in found]
    return _answer(request, query.text, rows, everyone=True)


def _to_ask_for(
    request: HttpRequest, patient: Patient, shown: reveal.Shown
) -> reveal.Shown:
    """The line, with what "Request access" sends when the patient is out of reach."""
    if shown.key:
        return shown
    handle = handles.seal(request.user, patient, handles.REQUEST)
    return replace(shown, handle=handle)


def _answer(
    request: HttpRequest,
    text: str = "",
    rows: list[Any] | None = None,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """The suggestions under the search bar, or the page of results."""
    name = "_suggestions.html" if request.htmx else "search.html"
    context |= {"search_text": text, "rows": rows, "most": EVERYONE}
    return render(request, f"patients/{name}", context, status=status)
