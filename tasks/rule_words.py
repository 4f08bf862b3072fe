"""Routing rules in words: when, and what then."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tasks.models import RoutingRule, TaskLabel
from tasks.trying import Change

Comparison = RoutingRule.Comparison


def conditions(rule: RoutingRule) -> list[str]:
    """What has to hold, all of it."""
    group = rule.patient_group
    titles = {
        Comparison.EQUALS: _("the title is exactly “%(text)s”"),
        Comparison.BEGINS: _("the title begins with “%(text)s”"),
        Comparison.MATCHES: _("the title matches “%(text)s”"),
    }
    said = (
        rule.comparison and titles[rule.comparison] % {"text": rule.title},
        rule.origin
        and _("the origin is %(name)s") % {"name": rule.get_origin_display()},
        rule.label and _("it has the label %(name)s") % {"name": rule.label},
        group and _("the patient is in the group %(name)s") % {"name": group},
        # It had members, and none of them counts any more.
        group and group.retired and _("a group that was deleted, so it never matches"),
    )
    return [words for words in said if words]


def effects(rule: RoutingRule) -> list[str]:
    """What happens then."""
    said = [*_holders(rule), *_added(rule.put_on), *_due(rule.due_days)]
    if rule.stop_after_match:
        said.append(_("ask no further rule"))
    return said


def changes(rule: RoutingRule, change: Change) -> list[str]:
    """What of it would have changed a task."""
    return [
        *(_holders(rule) if change.assigned else ()),
        *_added(change.labels),
        *(_due(rule.due_days) if change.dated else ()),
    ]


def _holders(rule: RoutingRule) -> list[str]:
    person, team = rule.assignee, rule.team
    said = []
    if person and person.active:
        said.append(_("assign to %(name)s") % {"name": person})
    elif person:
        words = _("assign to nobody, because %(name)s is inactive")
        said.append(words % {"name": person})
    if team:
        said.append(_("assign to the team %(name)s") % {"name": team})
    return said


def _added(labels: Iterable[TaskLabel]) -> list[str]:
    names = [label.name for label in labels]
    if not names:
        return []
    words = ngettext("add the label %(names)s", "add the labels %(names)s", len(names))
    return [words % {"names": ", ".join(names)}]


def _due(days: int | None) -> list[str]:
    if days is None:
        return []
    if days == 0:
        return [_("due on the same day")]
    words = ngettext("due in %(days)d day", "due in %(days)d days", days)
    return [words % {"days": days}]
