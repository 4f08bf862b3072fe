"""The form of a routing rule: at least one condition, and at least one effect."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _

from canvas_admin.records.forms import SavedOnceForm
from patients.models import PatientGroup
from staffing.models import Staff
from tasks import patterns
from tasks.models import RoutingRule, TaskLabel

EFFECTS = ("assignee", "team", "labels", "due_days")


class RuleForm(SavedOnceForm):
    """Offered are those who are here, labels in use and groups that were not deleted.

    What a rule has already stays among its choices.
    """

    class Meta:
        model = RoutingRule
        fields = [
            "name",
            "active",
            "comparison",
            "title",
            "origin",
            "label",
            "patient_group",
            *EFFECTS,
            "stop_after_match",
        ]
        widgets = {"labels": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.instance
        labels = [label.pk for label in rule.labels.all()] if rule.pk else []
        self._offer("assignee", Staff, Q(active=True) | Q(pk=rule.assignee_id))
        self._offer("label", TaskLabel, Q(active=True) | Q(pk=rule.label_id))
        self._offer("labels", TaskLabel, Q(active=True) | Q(pk__in=labels))
        group = Q(retired__isnull=True) | Q(pk=rule.patient_group_id)
        self._offer("patient_group", PatientGroup, group)

    def _offer(self, name: str, model: Any, which: Q) -> None:
        self.fields[name].queryset = model.objects.filter(which)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self._check_the_title(cleaned.get("comparison"), cleaned.get("title"))
        if not any(_is_set(cleaned.get(name)) for name in EFFECTS):
            if not self.errors:
                self.add_error(None, _("Choose at least one thing that is to happen."))
        return cleaned

    def _check_the_title(self, comparison: str | None, title: str | None) -> None:
        if comparison is None or title is None:
            return
        if comparison and not title:
            self.add_error("title", _("Type with what the title is compared."))
        if title and not comparison:
            self.add_error("comparison", _("Choose how the title is compared."))
        if comparison == RoutingRule.Comparison.MATCHES and title:
            self._check_the_pattern(title)

    def _check_the_pattern(self, pattern: str) -> None:
        if len(pattern) > patterns.LONGEST:
            words = _("A pattern has at most %(most)d characters.")
            self.add_error("title", words % {"most": patterns.LONGEST})
        elif not pattern.strip(f"{patterns.WILDCARDS} "):
            self.add_error("title", _("A pattern has letters or digits, too."))


def _is_set(value: Any) -> bool:
    """Whether an effect was chosen; due on the same day is one, too."""
    return value == 0 or bool(value)
