"""The names that other rooms may import."""

from tasks.models.campaigns import Campaign, groups_offered
from tasks.models.comments import TaskComment
from tasks.models.labels import TaskLabel, TaskLabelOrigin
from tasks.models.rules import RoutingRule, TaskRouting
from tasks.models.tasks import Task, TaskTaskLabel

__all__ = [
    "Campaign",
    "RoutingRule",
    "Task",
    "TaskComment",
    "TaskLabel",
    "TaskLabelOrigin",
    "TaskRouting",
    "TaskTaskLabel",
    "groups_offered",
]
