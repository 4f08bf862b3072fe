"""Routing rules in the administration, in the order in which they are asked."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.addresses import address
from canvas_admin.records.admin import KeyedAdmin
from tasks import rule_words
from tasks.admin import rule_moving, rule_trying
from tasks.forms.rules import RuleForm
from tasks.models import RoutingRule


@admin.register(RoutingRule)
class RoutingRuleAdmin(KeyedAdmin):
    """For holders of "Settings", who see the names of patient groups and nothing else of them.

    The list is in the one order that counts; its buttons move a rule.
    """

    form = RuleForm
    list_display = ("name", "when", "then", "active", "order", "trial")
    list_per_page = 200
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("name", "active")}),
        (
            gettext_lazy("When a task is made, and all of this holds"),
            {"fields": ("comparison", "title", "origin", "label", "patient_group")},
        ),
        (
            gettext_lazy("Then"),
            {
                "fields": ("assignee", "team", "labels", "due_days"),
                "description": gettext_lazy(
                    "A person or team that was chosen when the task was made keeps it. "
                    "Whoever gets a task about a patient sees it only with “Tasking "
                    "access” and if the patient is within reach; what none of them can "
                    "see is listed under “Stranded work”."
                ),
            },
        ),
        (gettext_lazy("Further rules"), {"fields": ("stop_after_match",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoutingRule]:
        """With whether there is a rule above and one below each."""
        rules = super().get_queryset(request).with_parts()
        here, level = OuterRef("position"), {"position": OuterRef("position")}
        above = Q(position__lt=here) | Q(**level, pk__lt=OuterRef("pk"))
        below = Q(position__gt=here) | Q(**level, pk__gt=OuterRef("pk"))
        return rules.annotate(
            above=Exists(RoutingRule.objects.filter(above)),
            below=Exists(RoutingRule.objects.filter(below)),
        )

    @admin.display(description=gettext_lazy("when"))
    def when(self, rule: RoutingRule) -> str:
        return "; ".join(rule_words.conditions(rule))

    @admin.display(description=gettext_lazy("then"))
    def then(self, rule: RoutingRule) -> str:
        return "; ".join(rule_words.effects(rule))

    @admin.display(description=gettext_lazy("order"))
    def order(self, rule: RoutingRule) -> str:
        """Buttons of the form around the list, which has the token against forgery."""
        words = {"name": rule}
        ways = (
            (rule.above, "up", _("Up"), _("Move “%(name)s” up") % words),
            (rule.below, "down", _("Down"), _("Move “%(name)s” down") % words),
        )
        url = address(rule, self.admin_site.name, "move")
        return format_html_join(
            " ",
            '<button class="button quiet" type="submit" formaction="{}" name="to" '
            'value="{} {}" aria-label="{}">{}</button>',
            (
                (url, way, rule.position, said, short)
                for there, way, short, said in ways
                if there
            ),
        )

    @admin.display(description=gettext_lazy("last 30 days"))
    def trial(self, rule: RoutingRule) -> str:
        return format_html(
            '<a href="{}" aria-label="{}">{}</a>',
            address(rule, self.admin_site.name, "trial"),
            _("Try out “%(name)s”") % {"name": rule},
            _("Try out"),
        )

    def consequences(self, obj: RoutingRule) -> list[str]:
        """What deleting means for tasks that are there, and for those to come."""
        return [
            _("The rule “%(name)s”. New tasks are no longer asked about it.")
            % {"name": obj},
            _("Tasks that it matched stay as they are, and keep its name."),
        ]

    def get_urls(self) -> list[Any]:
        """The pages beside the stock ones; each view's first line is its gate."""
        views = {"move": rule_moving.move, "trial": rule_trying.trial}
        wrap = self.admin_site.admin_view
        return [
            path(
                f"<str:object_id>/{name}/",
                wrap(view),
                name=f"tasks_routingrule_{name}",
            )
            for name, view in views.items()
        ] + super().get_urls()
