"""The question that is asked before a patient group's switch moves (security A9)."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from canvas_admin.audit import trail
from patients import effects
from patients.admin import pages
from patients.models import PatientGroup

CHANGE = "patients.change_patientgroup"


def ask(request: HttpRequest, form: Any) -> HttpResponse:
    """The page that says what the move of the switch does, and asks."""
    group = PatientGroup.objects.get(pk=form.instance.pk)
    on = form.cleaned_data["use_for_permissions"]
    context = {
        "group": group,
        "form": form,
        "on": on,
        "save": "_continue" if "_continue" in request.POST else "_save",
        **numbers(request, group),
    }
    return pages.show(request, "switch", str(group), **context)


def numbers(request: HttpRequest, group: PatientGroup) -> dict[str, Any]:
    """Who gains or loses how many: at once for a small group, else where to load it."""
    address = pages.address("effect", group)
    if not effects.is_small(group):
        return {"group": group, "effect": None, "effect_address": address}
    return {"group": group, "effect": _counted(request, group)}


@require_GET
def effect(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """The numbers alone, for a page that loads them; with a frame for one without htmx."""
    group = pages.open_group(request, group_id, CHANGE)
    context = {"group": group, "effect": _counted(request, group)}
    if request.htmx:
        return render(request, "admin/patients/patientgroup/_effect.html", context)
    return pages.show(request, "effect", str(group), **context)


def _counted(request: HttpRequest, group: PatientGroup) -> effects.Effect:
    found = effects.effect_of(group)
    trail.shown(
        request, "patient_group.effect", group=group.public_id, people=found.people
    )
    return found
