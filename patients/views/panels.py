"""The panels: open work of one kind, the person's own first (S2; DESIGN section 3)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from canvas_admin.audit import trail
from patients import gate
from patients.work import Kind
from patients.work.queues import Person, Queue, Whose

PAGE = 25


@require_safe
def panel(request: HttpRequest, kind: Kind) -> HttpResponse:
    """What waits for the person and the person's teams, the longest first.

    ?whose=unassigned and ?whose=all show what nobody has, and all within reach; ?after=
    is the key of the last item of the page before. S2: "Items assigned to staff will not
    be visible to them if they do not have access to the patient."
    """
    gate.require(request, *kind.permissions)
    sent = request.GET.get("whose", "")
    whose = Whose(sent) if sent in set(Whose) else Whose.MINE
    person = Person.of(gate.reach(request))
    page = Queue(kind.shelf, person, whose).page(request.GET.get("after", ""), PAGE)
    trail.shown(request, f"panel.{kind.code}", page["seen"], whose=str(whose))
    context = {"kind": kind, "whose": whose, "person": person, **page}
    return render(request, "patients/panel.html", context)
