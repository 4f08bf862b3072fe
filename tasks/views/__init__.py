"""The pages of tasks, one file per screen."""

from tasks.views.acting import claim, comment, set_status
from tasks.views.bulk import bulk, reopen
from tasks.views.campaigns import (
    campaign,
    campaigns,
    end_campaign,
    go_on,
    new_campaign,
)
from tasks.views.changing import edit, hand_over
from tasks.views.listing import task_list
from tasks.views.making import create, create_for
from tasks.views.reading import task

__all__ = [
    "bulk",
    "campaign",
    "campaigns",
    "claim",
    "comment",
    "create",
    "create_for",
    "edit",
    "end_campaign",
    "go_on",
    "hand_over",
    "new_campaign",
    "reopen",
    "set_status",
    "task",
    "task_list",
]
