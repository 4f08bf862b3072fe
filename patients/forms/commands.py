"""The forms of commands, one a kind; patients/command_kinds.py is the table of kinds."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients import areas
from patients.forms.assigning import AssigningForm
from patients.forms.delegating import whose_task
from patients.forms.fields import DayField, DiagnosisCodeField, NarrativeField
from patients.forms.notes import ActForm
from patients.forms.profile import ProfileForm
from patients.models import (
    Condition,
    Diagnosis,
    ImagingOrder,
    Instruction,
    LabOrder,
    NoteTask,
    Plan,
    Prescription,
    ReasonForVisit,
    Referral,
    VitalSigns,
)
from patients.models.commands import LONG
from patients.models.findings import ICD_10, MEASURES
from staffing.models import TeamResponsibility, staff_of

MEASURED = (*(each.field for each in MEASURES), "systolic", "diastolic")


class CommandForm(ProfileForm):
    """Something to be written into an open note; the button "then" commits it at once.

    `side_by_side`: short fields that stand in columns where there is room.
    """

    side_by_side = False

    @property
    def changed(self) -> list[str]:
        return [*super().changed, *(["state"] if self._commits else [])]

    @property
    def _commits(self) -> bool:
        return self.data.get("then") == "commit"

    def save(self, commit: bool = True) -> Any:
        if not self.instance.pk:
            self.instance.originator = staff_of(self.actor)
        command = super().save(commit)
        if self._commits:
            command.commit(by=self.actor)
        return command


class CommitForm(ActForm):
    """The button that commits a draft."""

    act = "commit"


class RemoveForm(ActForm):
    """The button that takes a draft out of the note."""

    act = "remove"


class ReasonForVisitForm(CommandForm):
    comment = NarrativeField(label=_("Reason for visit"), max_length=1_000)

    class Meta:
        model = ReasonForVisit
        fields = ["comment"]


class PlanForm(CommandForm):
    narrative = NarrativeField(label=_("Plan"), max_length=LONG, rows=6)

    class Meta:
        model = Plan
        fields = ["narrative"]


class InstructionForm(CommandForm):
    code = forms.RegexField(
        r"^\d{6,18}$",
        label=_("SNOMED CT code"),
        required=False,
        error_messages={"invalid": _("A code has 6 to 18 digits.")},
    )
    narrative = NarrativeField(label=_("In detail"), max_length=LONG, required=False)

    class Meta:
        model = Instruction
        fields = ["display", "code", "narrative"]


class VitalSignsForm(CommandForm):
    """What was measured: at least one value, and blood pressure by both of its numbers."""

    side_by_side = True

    class Meta:
        model = VitalSigns
        fields = [*MEASURED, "comment"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and all(cleaned.get(name) is None for name in MEASURED):
            raise ValidationError(_("Write at least one value."))
        high, low = cleaned.get("systolic"), cleaned.get("diastolic")
        for name, value, other in (
            ("systolic", high, low),
            ("diastolic", low, high),
        ):
            if value is None and other is not None and name not in self.errors:
                self.add_error(name, _("Blood pressure has two numbers."))
        if high is not None and low is not None and low >= high:
            self.add_error("diastolic", _("It must be below the systolic one."))
        return cleaned


class DiagnosisForm(CommandForm):
    """A diagnosis: one of the chart's conditions, or a new one by code and name."""

    condition = forms.ModelChoiceField(
        Condition.objects.none(),
        to_field_name="key",
        required=False,
        label=_("Condition in the chart"),
        empty_label=_("A new one"),
    )
    display = forms.CharField(
        label=_("New diagnosis"),
        max_length=255,
        required=False,
        help_text=_("In words. Committing puts it among the conditions."),
    )
    code = DiagnosisCodeField()
    onset = DayField(label=_("Began"), required=False)
    assessment = NarrativeField(
        label=_("Today's assessment"), max_length=LONG, required=False
    )

    class Meta:
        model = Diagnosis
        fields = ["condition", "display", "code", "onset", "assessment"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Condition.objects.filter(patient=self.patient, entered_in_error=False)
        field = self.fields["condition"]
        field.queryset = rows
        field.label_from_instance = lambda row: row.display

    def clean(self) -> dict[str, Any]:
        """Of a condition that is there, name and code are its own."""
        cleaned = super().clean()
        if condition := cleaned.get("condition"):
            cleaned["display"] = condition.display
            cleaned["code"] = condition.code if condition.system == ICD_10 else ""
            cleaned["onset"] = None
        elif not cleaned.get("display") and "condition" not in self.errors:
            self.add_error("display", _("Choose a condition, or write a diagnosis."))
        if (onset := cleaned.get("onset")) and onset > clock.today():
            self.add_error("onset", _("This day has not come yet."))
        return cleaned


class PrescriptionForm(CommandForm):
    quantity = forms.DecimalField(
        label=_("Quantity"),
        min_value=0,
        max_digits=8,
        decimal_places=2,
        required=False,
    )
    quantity_unit = forms.CharField(
        label=_("Unit"),
        max_length=32,
        required=False,
        help_text=_("Such as tablets."),
    )
    refills = forms.IntegerField(
        label=_("Refills"), min_value=0, max_value=99, initial=0
    )
    code = forms.RegexField(
        r"^\d{1,16}$",
        label=_("RxNorm code"),
        required=False,
        error_messages={"invalid": _("A code has digits only.")},
    )

    class Meta:
        model = Prescription
        fields = [
            "display",
            "code",
            "sig",
            "quantity",
            "quantity_unit",
            "refills",
            "pharmacy",
            "note_to_pharmacist",
        ]


class LabOrderForm(CommandForm):
    tests = NarrativeField(
        label=_("Tests"), max_length=2_000, help_text=_("One test a line.")
    )

    class Meta:
        model = LabOrder
        fields = ["tests", "lab", "fasting", "specimen", "comment"]
        help_texts = {
            "specimen": _(
                "A task is made to collect it, or to arrange the visit there."
            )
        }


class DelegateForm(CommandForm):
    """An order that may be left to the team that coordinates referrals.

    Beside the choice stands how many of the team will see the task (S2).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = TeamResponsibility.Code.REFERRALS
        self.fields["delegated"].help_text = whose_task(self.patient, code)


class ImagingOrderForm(DelegateForm):
    comment = NarrativeField(
        label=_("Note to the centre"), max_length=LONG, required=False
    )

    class Meta:
        model = ImagingOrder
        fields = [
            "study",
            "centre",
            "priority",
            "comment",
            "delegated",
            "internal_comment",
        ]


class ReferralForm(DelegateForm):
    clinical_question = NarrativeField(
        label=_("Clinical question"), max_length=LONG, required=False
    )

    class Meta:
        model = Referral
        fields = [
            "refer_to",
            "contact",
            "clinical_question",
            "priority",
            "delegated",
            "internal_comment",
        ]
        help_texts = {"contact": _("Empty while it is still to be found out (TBD).")}


class NoteTaskForm(AssigningForm, CommandForm):
    """A task for a person, a team, or whoever takes it; made when it is committed."""

    seen_with = areas.SEE_TASKS

    due = DayField(label=_("Due"), required=False)

    class Meta:
        model = NoteTask
        fields = ["title", "assignee", "team", "due", "comment"]

    field_order = ["title", "assignee", "team", "due", "comment"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer()
