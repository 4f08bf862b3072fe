"""What a routing rule would have done: numbers of all tasks, rows of those within reach."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from canvas_admin.records.models import find_row
from patients import areas, gate
from patients.admin.pages import row_or_404
from tasks import rule_words
from tasks.models import RoutingRule, Task
from tasks.trying import LOOKED, Trial, try_out

VIEW_RULE = "tasks.view_routingrule"
ROWS = 25


@require_safe
def trial(request: HttpRequest, object_id: str) -> HttpResponse:
    """Changes nothing; ?after= is the key of the last task shown.

    Security A13: totals for all, rows for what the person may see, which asks for the
    right to see tasks and for the patient to be within reach.
    """
    gate.require(request, VIEW_RULE)
    rule = row_or_404(RoutingRule.objects.with_parts(), object_id)
    tried = try_out(rule)
    may_see = request.user.has_perms(areas.SEE_TASKS)
    page = _page(request, tried) if may_see else {"rows": [], "within": 0}
    patients = {row.patient_id: row.patient for row, _said in page["rows"]}
    shown = [patient for patient in patients.values() if patient]
    gate.shown(request, "routingrule.trial", *shown, rule=rule.key)
    context = admin.site.each_context(request) | {
        "opts": RoutingRule._meta,
        "title": _("Try out “%(name)s”") % {"name": rule},
        "rule": rule,
        "conditions": rule_words.conditions(rule),
        "effects": rule_words.effects(rule),
        "tried": tried,
        "most": LOOKED,
        "may_see": may_see,
        "elsewhere": tried.matched - page["within"],
        **page,
    }
    return render(request, "admin/tasks/routingrule/trial.html", context)


def _page(request: HttpRequest, tried: Trial) -> dict[str, Any]:
    """A page of the matched tasks that the person may see, the newest first.

    `within` is how many these are; `next` the key to go on from, `begun` whether there is
    a page before.
    """
    tasks = Task.objects.visible_to(gate.reach(request))
    tasks = tasks.filter(pk__among=list(tried.found)).order_by("-pk")
    within = list(tasks.values_list("pk", flat=True))
    last = find_row(tasks, request.GET.get("after", ""))
    start = within.index(last.pk) + 1 if last else 0
    pks = within[start : start + ROWS]
    rows = list(tasks.with_people().filter(pk__in=pks))
    said = [(row, rule_words.changes(tried.rule, tried.found[row.pk])) for row in rows]
    more = len(within) > start + ROWS
    return {
        "rows": said,
        "within": len(within),
        "begun": last is not None,
        "next": rows[-1].key if rows and more else "",
    }
