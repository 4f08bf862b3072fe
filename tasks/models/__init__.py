"""The names that other rooms may import."""

from tasks.models.comments import TaskComment
from tasks.models.labels import TaskLabel, TaskLabelOrigin
from tasks.models.tasks import Task, TaskTaskLabel

__all__ = ["Task", "TaskComment", "TaskLabel", "TaskLabelOrigin", "TaskTaskLabel"]
