"""The pages of tasks, one file per screen."""

from tasks.views.acting import claim, comment, set_status
from tasks.views.changing import edit, hand_over
from tasks.views.listing import task_list
from tasks.views.making import create, create_for
from tasks.views.reading import task

__all__ = [
    "claim",
    "comment",
    "create",
    "create_for",
    "edit",
    "hand_over",
    "set_status",
    "task",
    "task_list",
]
