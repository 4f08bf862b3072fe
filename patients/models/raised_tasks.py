"""Rows that raise tasks: what somebody did asks others to do something.

Tasks are made by the reverse accessor `tasks`, with which the tasks app ties them to the
row, in the transaction of the act (DESIGN section 7); so patients need not know them.
Titles are in English, whatever people read: protocols and routing rules look for them to
the letter (S1).
"""

from typing import Any

from staffing.models import staff_of

LONGEST_TITLE = 500


class TaskSource:
    """A row about a patient with the accessor `tasks`."""

    def raise_task(self, by: Any, title: str, comment: str = "", **fields: Any) -> Any:
        """Make a task, by this account, with a first comment if there is one.

        An `origin` routes it to the team that is responsible; it is unassigned if none is.
        """
        staff = staff_of(by)
        task = self.tasks.create(
            patient_id=self.patient_id, title=shortened(title), creator=staff, **fields
        )
        if comment:
            task.comments.create(author=staff, text=comment)
        return task

    def end_tasks(self, by: Any, status: str, said: str = "") -> None:
        """Complete or close those that are open, and say why in a comment."""
        staff = staff_of(by)
        for task in self.tasks.filter(status="OPEN"):
            task.set_status(status, staff)
            task.save()
            if said:
                task.comments.create(author=staff, text=said)


def shortened(title: str) -> str:
    """As much of a title as a task has room for."""
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
