"""What stood in the chart before: each change of a condition, a medication and the like."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.models.patients import Patient, PatientData


class ChartChange(PatientData):
    """A change of a row of the chart: the values before it, by whom, when.

    `before` is empty where the row was new. With the row as it is now, these are its whole
    history. DESIGN section 3: "Old and new values of a tracked row are kept for good".
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    # The row's model and key: rows of several models have one history each.
    kind = models.CharField(max_length=32)
    row_key = models.CharField(max_length=32, db_index=True)
    before = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("change of the chart")

    def __str__(self) -> str:
        return f"change of the chart {self.key[:8]}"

    @classmethod
    def keep(cls, row: Any, before: Any, by: Any) -> None:
        """Keep what `row` was `before`, None for a new one, unless nothing is different."""
        earlier = contents(before) if before else {}
        if earlier == contents(row):
            return
        cls.objects.create(
            patient_id=row.patient_id,
            kind=row._meta.model_name,
            row_key=row.key,
            before=earlier,
            by=by,
        )

    @classmethod
    def of(cls, row: Any) -> "models.QuerySet[ChartChange]":
        """The changes of a row, the latest first."""
        found = cls.objects.filter(kind=row._meta.model_name, row_key=row.key)
        return found.select_related("by__staff")


def contents(row: Any) -> dict[str, str]:
    """The values of a row that mean something, as texts."""
    left_out = {"id", "key", "version", "modified", "patient"}
    left_out |= {"source_id", "source_digest"}
    fields = [f for f in row._meta.concrete_fields if f.name not in left_out]
    return {field.name: field.value_to_string(row) for field in fields}
