"""Lab orders, and the tasks of those who see that they can be carried out."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.orders import RaisesTask
from staffing.models import TeamResponsibility


class LabOrder(RaisesTask):
    """Tests that a laboratory is asked for; one test a line.

    What keeps the laboratory from doing them is a task for the team that completes lab
    orders; how it gets the specimen is one for the team that collects specimens, or that
    schedules visits to laboratories (facts 6.3).
    """

    change_type = "lab_order"
    HEADLINE = "tests"
    TASK_ORIGIN = "CMP_LAB_ORD"

    class Specimen(models.TextChoices):
        HERE = "here", _("It is collected here")
        AT_THE_LAB = "lab", _("The patient goes to a laboratory")

    tests = models.CharField(_("tests"), max_length=2_000)
    lab = models.CharField(_("laboratory"), max_length=255, blank=True)
    fasting = models.BooleanField(_("the patient must fast"), default=False)
    specimen = models.CharField(
        _("specimen"), max_length=4, choices=Specimen, blank=True
    )
    comment = models.CharField(_("comment"), max_length=1_000, blank=True)

    class Meta:
        verbose_name = _("lab order")

    @property
    def test_names(self) -> list[str]:
        return [line.strip() for line in self.tests.splitlines() if line.strip()]

    def hindrances(self) -> list[str]:
        """What the laboratory lacks, in the words of a task's title."""
        counting = {"entered_in_error": False}
        addresses = self.patient.addresses.filter(**counting).exclude(use="old")
        coverages = self.patient.coverages.filter(**counting)
        there = (
            ("no address of the patient", _any_in_force(addresses)),
            ("no coverage in force", _any_in_force(coverages)),
            ("no laboratory", bool(self.lab)),
        )
        return [lack for lack, found in there if not found]

    def make(self, by: Any) -> None:
        """Up to two tasks: what is missing, and what becomes of the specimen."""
        if lacking := self.hindrances():
            self._ask(by, f"Complete lab order: {', '.join(lacking)}")
        tests = ", ".join(self.test_names) + (" (fasting)" if self.fasting else "")
        if self.specimen == self.Specimen.HERE:
            code = TeamResponsibility.Code.SPECIMENS
            self._ask(by, f"Collect specimen from patient: {tests}", code)
        elif self.specimen == self.Specimen.AT_THE_LAB:
            code = TeamResponsibility.Code.LAB_VISITS
            self._ask(by, f"Schedule lab visit for patient: {tests}", code)

    def _ask(self, by: Any, title: str, responsibility: str = "") -> None:
        answers = {"origin": self.TASK_ORIGIN, "responsibility": responsibility}
        self.raise_task(by, title, **answers)


def _any_in_force(rows: Any) -> bool:
    return any(not row.over for row in rows)
