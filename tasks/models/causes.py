"""What raised an automated task: a row of a patient's, which makes it by `tasks`.

S1: "By assigning responsibilities to teams, you can drive how automated tasks in Canvas are
assigned."
"""

from typing import Any

from django.db import models
from django.db.models import Q

from staffing.models import TeamResponsibility


def _by(model: str) -> Any:
    """The tie to a row of this model, which makes tasks by the reverse accessor `tasks`."""
    return models.ForeignKey(
        f"patients.{model}",
        on_delete=models.PROTECT,
        null=True,
        related_name="tasks",
        editable=False,
        # Most tasks have no such cause, so an index of all would be mostly of nothing.
        db_index=False,
    )


class Caused(models.Model):
    """The row that raised a task, if one did; at most one of these is set.

    `responsibility` is named where the origin does not tell who answers for the task: lab
    orders raise tasks of three responsibilities, all of one origin.
    """

    referral = _by("Referral")
    imaging_order = _by("ImagingOrder")
    lab_order = _by("LabOrder")
    note_task = _by("NoteTask")
    lab_report = _by("LabReport")
    imaging_report = _by("ImagingReport")
    clinical_document = _by("ClinicalDocument")
    coverage = _by("Coverage")
    note_review = _by("NoteReview")
    posting = _by("ClaimPosting")
    claim_snooze = _by("ClaimSnooze")
    responsibility = models.CharField(
        max_length=48, choices=TeamResponsibility.Code, blank=True, editable=False
    )

    class Meta:
        abstract = True


def indexes() -> list[models.Index]:
    """One for each cause, of the tasks that have it."""
    causes = [f.name for f in Caused._meta.local_fields if f.is_relation]
    return [
        models.Index(
            fields=[name],
            condition=Q(**{f"{name}__isnull": False}),
            name=f"task_by_{name}",
        )
        for name in causes
    ]
