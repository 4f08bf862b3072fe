"""The kinds of commands: one entry each, read by addresses, forms, views and templates."""

from dataclasses import dataclass
from typing import Any

from django.forms import modelform_factory
from django.utils.translation import gettext_lazy as _

from patients.forms import commands as forms
from patients.forms.notes import ActForm, InErrorForm
from patients.models import Command


@dataclass(frozen=True)
class Kind:
    """A kind of command: its code in addresses, what it is called, and its form."""

    code: str
    title: Any
    form: type[forms.CommandForm]

    @property
    def model(self) -> type[Command]:
        return self.form._meta.model

    def act_form(self, act: str) -> type[ActForm]:
        """The form of an act on a command of this kind: see ACTS."""
        form, fields = ACTS[act]
        return modelform_factory(self.model, form=form, fields=fields)


ACTS = {
    "commit": (forms.CommitForm, []),
    "remove": (forms.RemoveForm, []),
    "error": (InErrorForm, ["error_reason"]),
}

KINDS = {
    kind.code: kind
    for kind in (
        Kind("reason", _("Reason for visit"), forms.ReasonForVisitForm),
        Kind("vitals", _("Vital signs"), forms.VitalSignsForm),
        Kind("diagnose", _("Diagnose"), forms.DiagnosisForm),
        Kind("plan", _("Plan"), forms.PlanForm),
        Kind("prescribe", _("Prescribe"), forms.PrescriptionForm),
        Kind("lab-order", _("Lab order"), forms.LabOrderForm),
        Kind("imaging-order", _("Imaging order"), forms.ImagingOrderForm),
        Kind("refer", _("Refer"), forms.ReferralForm),
        Kind("instruct", _("Instruct"), forms.InstructionForm),
        Kind("task", _("Task"), forms.NoteTaskForm),
    )
}
BY_MODEL = {kind.model: kind for kind in KINDS.values()}
