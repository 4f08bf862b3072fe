"""Commands that write findings into the chart: vital signs, and a diagnosis."""

from decimal import Decimal
from typing import Any, NamedTuple

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients import units
from patients.models.clinical import Condition
from patients.models.commands import LONG, Command, plain
from patients.models.results import VITAL_SIGNS, Observation

LOINC = "http://loinc.org"
ICD_10 = "http://hl7.org/fhir/sid/icd-10-cm"
ENCOUNTER_DIAGNOSIS = "encounter-diagnosis"


class Measure(NamedTuple):
    """A vital sign: where it stands, its LOINC code, its name in charts, its unit (UCUM)."""

    field: str
    code: str
    display: str
    unit: str


MEASURES = (
    Measure("height", "8302-2", "Body height", "in"),
    Measure("weight", "29463-7", "Body weight", "lb"),
    Measure("temperature", "8310-5", "Body temperature", "°F"),
    Measure("pulse", "8867-4", "Heart rate", "/min"),
    Measure("respiration_rate", "9279-1", "Respiratory rate", "/min"),
    Measure("oxygen_saturation", "59408-5", "Oxygen saturation", "%"),
)
BLOOD_PRESSURE = Measure("", "85354-9", "Blood pressure", "mmHg")
BODY_MASS_INDEX = Measure("", "39156-5", "Body mass index", "kg/m2")


def _measure(label: Any, low: int, high: int, **more: Any) -> models.DecimalField:
    """A measured number within what a living person can have."""
    bounds = [MinValueValidator(low), MaxValueValidator(high)]
    given = {"max_digits": 6, "decimal_places": 0, "null": True, "blank": True}
    return models.DecimalField(label, validators=bounds, **given | more)


class VitalSigns(Command):
    """What was measured; committing makes an observation of each (FHIR vital-signs)."""

    HEADLINE = "comment"

    height = _measure(_("height (in)"), 5, 108, decimal_places=2)
    weight = _measure(_("weight (lb)"), 0, 1_400, decimal_places=2)
    temperature = _measure(_("temperature (°F)"), 75, 115, decimal_places=1)
    pulse = _measure(_("pulse (per minute)"), 10, 350)
    respiration_rate = _measure(_("breaths (per minute)"), 2, 120)
    oxygen_saturation = _measure(_("oxygen saturation (%)"), 30, 100)
    systolic = _measure(_("systolic blood pressure (mmHg)"), 30, 320)
    diastolic = _measure(_("diastolic blood pressure (mmHg)"), 10, 220)
    comment = models.CharField(_("comment"), max_length=1_000, blank=True)

    class Meta:
        verbose_name = _("vital signs")
        verbose_name_plural = _("vital signs")

    @property
    def details(self) -> list[tuple[Any, str]]:
        return [
            (each.display, units.measured(value, each.unit))
            for each, value in self.readings
        ]

    @property
    def readings(self) -> list[tuple[Measure, str]]:
        """What was measured, and what follows from it, in words."""
        found = [(each, getattr(self, each.field)) for each in MEASURES]
        said = [(each, plain(value)) for each, value in found if value is not None]
        if self.systolic is not None and self.diastolic is not None:
            pressure = f"{plain(self.systolic)}/{plain(self.diastolic)}"
            said.append((BLOOD_PRESSURE, pressure))
        if self.body_mass_index is not None:
            said.append((BODY_MASS_INDEX, plain(self.body_mass_index)))
        return said

    @property
    def body_mass_index(self) -> Decimal | None:
        """Weight over squared height in kg/m², to one decimal; 703 converts lb and in."""
        if not self.height or not self.weight:
            return None
        return (703 * self.weight / self.height**2).quantize(Decimal("0.1"))

    def make(self, by: Any) -> None:
        Observation.objects.bulk_create(
            Observation(
                patient_id=self.patient_id,
                vital_signs=self,
                category=VITAL_SIGNS,
                status=Observation.Status.FINAL,
                system=LOINC,
                code=measure.code,
                display=measure.display,
                value=value,
                unit=measure.unit,
                observed=self.note.started,
            )
            for measure, value in self.readings
        )

    def unmake(self, reason: str, by: Any) -> None:
        self.observations.update(entered_in_error=True, entered_in_error_reason=reason)


class Diagnosis(Command):
    """A diagnosis with today's assessment, about a condition that is there, or a new one."""

    code = models.CharField(_("ICD-10 code"), max_length=8, blank=True)
    display = models.CharField(_("diagnosis"), max_length=255)
    assessment = models.CharField(_("today's assessment"), max_length=LONG, blank=True)
    onset = models.DateField(_("began"), null=True, blank=True)
    condition = models.ForeignKey(
        Condition,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="diagnoses",
        verbose_name=_("condition"),
    )
    # Whether committing made the condition.
    made_condition = models.BooleanField(default=False, editable=False)

    SILENT = Command.SILENT | {"code", "display", "condition"}

    class Meta:
        verbose_name = _("diagnosis")
        verbose_name_plural = _("diagnoses")

    @property
    def headline(self) -> str:
        return f"{self.display} ({self.code})" if self.code else self.display

    def make(self, by: Any) -> None:
        if self.condition_id:
            return
        self.condition = Condition(
            patient_id=self.patient_id,
            system=ICD_10,
            code=self.code,
            display=self.display,
            category=ENCOUNTER_DIAGNOSIS,
            clinical_status=Condition.ClinicalStatus.ACTIVE,
            verification_status="confirmed",
            onset=clock.midnight(self.onset) if self.onset else self.note.started,
        )
        self.condition.save(by=by)
        self.made_condition = True

    def unmake(self, reason: str, by: Any) -> None:
        """Mark a condition that a diagnosis made, once no committed one names it."""
        named = Diagnosis.objects.filter(condition=self.condition_id)
        others = named.exclude(pk=self.pk).filter(state=self.State.COMMITTED)
        if named.filter(made_condition=True).exists() and not others.exists():
            self.condition.mark_in_error(reason, by)
