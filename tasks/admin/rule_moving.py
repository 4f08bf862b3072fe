"""Moving a routing rule up and down among the others."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from canvas_admin.audit import trail
from patients import gate
from patients.admin import pages
from tasks.models import RoutingRule

CHANGE_RULE = "tasks.change_routingrule"
LIST = "admin:tasks_routingrule_changelist"
STEPS = {"up": -1, "down": 1}


@require_POST
def move(request: HttpRequest, object_id: str) -> HttpResponse:
    """?to= is "up 3": which way, and the position that the person saw.

    Two who move at once, and a button that is pressed twice, move once.
    """
    gate.require(request, CHANGE_RULE)
    way, _space, seen = request.POST.get("to", "").partition(" ")
    with transaction.atomic():
        moved = _move(object_id, STEPS.get(way, 0), seen)
        if moved:
            _record(request, moved, way)
    if not moved:
        messages.error(
            request, _("Somebody changed the order meanwhile. Look, and choose again.")
        )
    return redirect(LIST)


def _move(key: str, step: int, seen: str) -> RoutingRule | None:
    """The rule, in the place of its neighbour; None when it was not where it was seen.

    Positions leave versions alone: whoever edits a rule is in nobody's way.
    """
    rules = list(RoutingRule.objects.select_for_update().order_by("position", "pk"))
    at = next((n for n, rule in enumerate(rules) if rule.key == key), None)
    if not step or at is None or str(rules[at].position) != seen:
        return None
    if not 0 <= at + step < len(rules):
        return None
    moved = rules.pop(at)
    rules.insert(at + step, moved)
    for number, rule in enumerate(rules, start=1):
        if rule.position != number:
            RoutingRule.objects.filter(pk=rule.pk).update(position=number)
    return moved


def _record(request: HttpRequest, rule: RoutingRule, way: str) -> None:
    """On the trail, and in the rule's history."""
    subject = f"routingrule/{rule.key}"
    trail.done(
        request.user, "routingrule.moved", request=request, subject=subject, to=way
    )
    said = {"up": _("Moved up."), "down": _("Moved down.")}
    pages.note(request, rule, said[way])
