"""Rows of the chart that are written outside of notes."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.forms.fields import DiagnosisCodeField, PastDayField
from patients.forms.profile import IN_ERROR, ProfileForm
from patients.models import AllergyIntolerance, Condition, Immunization, Medication
from patients.models.findings import ICD_10


class ChartForm(ProfileForm):
    """A condition, medication, allergy or immunization.

    What a row with a code is about stays: a wrong one is entered in error and written anew.
    `days` are its instants, typed as days; a time that an import knew stays until its day is
    changed.
    """

    days: tuple[str, ...] = ()
    # The status that a new row most often has, chosen beforehand.
    usual: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.initial |= self.usual
        if self.instance.pk and self.instance.code:
            for name in ("display", "code"):
                self.fields.pop(name, None)
        self.before = {name: getattr(self.instance, name) for name in self.days}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in self.days:
            if name in cleaned and name not in self.changed_data:
                cleaned[name] = self.before[name]
        return cleaned

    def save(self, commit: bool = True) -> Any:
        self.instance.save(by=self.actor)
        return self.instance


class ConditionForm(ChartForm):
    days = ("onset", "abatement")
    usual = {"clinical_status": Condition.ClinicalStatus.ACTIVE}

    code = DiagnosisCodeField()
    onset = PastDayField(label=_("Began"), required=False)
    abatement = PastDayField(label=_("Ended"), required=False)

    class Meta:
        model = Condition
        fields = [
            "display",
            "code",
            "clinical_status",
            "onset",
            "abatement",
            *IN_ERROR,
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        begun, ended = cleaned.get("onset"), cleaned.get("abatement")
        if begun and ended and ended < begun:
            self.add_error("abatement", _("The end lies before the beginning."))
        if cleaned.get("code"):
            self.instance.system = ICD_10
        return cleaned


class MedicationForm(ChartForm):
    days = ("started",)
    usual = {"status": Medication.Status.ACTIVE}

    started = PastDayField(label=_("Prescribed"), required=False)
    refills = forms.IntegerField(
        label=_("Refills"), required=False, min_value=0, max_value=99
    )

    class Meta:
        model = Medication
        fields = ["display", "status", "directions", "refills", "started", *IN_ERROR]


class AllergyForm(ChartForm):
    days = ("onset",)
    usual = {"clinical_status": AllergyIntolerance.ClinicalStatus.ACTIVE}

    onset = PastDayField(label=_("Began"), required=False)

    class Meta:
        model = AllergyIntolerance
        fields = [
            "display",
            "kind",
            "clinical_status",
            "criticality",
            "reaction",
            "onset",
            *IN_ERROR,
        ]

    def save(self, commit: bool = True) -> AllergyIntolerance:
        if not self.instance.pk:
            self.instance.recorded = clock.now()
        return super().save(commit)


class ImmunizationForm(ChartForm):
    days = ("given",)
    usual = {"status": Immunization.Status.COMPLETED}

    given = PastDayField(label=_("Given on"), required=False)

    class Meta:
        model = Immunization
        fields = [
            "display",
            "status",
            "given",
            "lot_number",
            "reason_not_given",
            *IN_ERROR,
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        not_done = cleaned.get("status") == Immunization.Status.NOT_DONE
        if not_done and not cleaned.get("reason_not_given"):
            self.add_error("reason_not_given", _("Say why it was not given."))
        return cleaned
