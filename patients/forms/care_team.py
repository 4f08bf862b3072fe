"""Who takes part in a patient's care."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from patients.forms.profile import ProfileForm
from patients.models import CareTeamMembership
from staffing.models import CareTeamRole, Role, Staff, StaffRole

Status = CareTeamMembership.Status
CLINICAL = (Role.Domain.CLINICAL, Role.Domain.HYBRID)


def who_can_care() -> QuerySet[Staff]:
    """Active staff with a clinical or hybrid role (facts 6.1)."""
    held = StaffRole.objects.filter(staff=OuterRef("pk"), role__domain__in=CLINICAL)
    people = Staff.objects.people().filter(Exists(held), active=True)
    return people.prefetch_related("staff_roles__role")


class StaffChoice(forms.ModelChoiceField):
    """Staff by name and profession."""

    def label_from_instance(self, staff: Staff) -> str:
        return staff.credentialed_name


class MembershipForm(ProfileForm):
    """A part in the care: who has it and in which role stays, whether it goes on changes.

    Whoever is made the lead takes over from the one who is it now; the form names that
    person by `present_lead`, so that nobody takes over from somebody else unseen.
    """

    present_lead = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = CareTeamMembership
        fields = ["status", "lead"]
        help_texts = {
            "lead": _(
                "Whoever is the lead now stays on the care team and is it no longer."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if lead := self.active().filter(lead=True).first():
            self.initial["present_lead"] = lead.key

    @property
    def changed(self) -> list[str]:
        return [name for name in super().changed if name != "present_lead"]

    def active(self) -> QuerySet[CareTeamMembership]:
        """The patient's other parts in force."""
        rows = self.patient.care_team.filter(status=Status.ACTIVE)
        return rows.exclude(pk=self.instance.pk).select_related("staff")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("status", Status.ACTIVE) != Status.ACTIVE:
            cleaned["lead"] = False
        elif not self.errors:
            self._refuse_who_has_left()
            self._refuse_a_second_one(cleaned)
        return cleaned

    def save(self, commit: bool = True) -> CareTeamMembership:
        """Save; the lead goes from whoever had it."""
        if self.cleaned_data["lead"]:
            for other in self.active().filter(lead=True):
                other.lead = False
                other.save()
        return super().save(commit)

    def _refuse_who_has_left(self) -> None:
        """Of a part that begins again; staff who are new here were chosen from a list."""
        begins_again = self.instance.pk and "status" in self.changed
        if begins_again and not who_can_care().filter(pk=self.instance.staff_id):
            sentence = _("This person is not active here, or has no clinical role.")
            self.add_error("status", sentence)

    def _refuse_a_second_one(self, cleaned: dict[str, Any]) -> None:
        """One role per person, one person per role, one lead (DESIGN section 3)."""
        staff = cleaned.get("staff") or self.instance.staff
        role = cleaned.get("role") or self.instance.role
        for other in self.active():
            words = {"name": other.staff.name, "role": other.role_display}
            if other.staff_id == staff.pk:
                sentence = _("%(name)s is on the care team already: %(role)s.")
                self.add_error(None, ValidationError(sentence, params=words))
            elif other.role_id == role.pk:
                sentence = _("%(name)s has this role: %(role)s. End that part first.")
                self.add_error(None, ValidationError(sentence, params=words))
            if cleaned["lead"] and other.lead:
                if cleaned["present_lead"] != other.key:
                    self._show_the_lead(other)

    def _show_the_lead(self, lead: CareTeamMembership) -> None:
        self.data = self.data.copy()
        self.data[self.add_prefix("present_lead")] = lead.key
        sentence = _("%(name)s is the lead now. Save again to let this one take over.")
        self.add_error(
            None, ValidationError(sentence, params={"name": lead.staff.name})
        )


class NewMembershipForm(MembershipForm):
    """Somebody who joins the care team."""

    staff = StaffChoice(
        label=_("Who"),
        queryset=Staff.objects.none(),
        to_field_name="key",
        help_text=_("Active staff with a clinical role."),
    )
    role = forms.ModelChoiceField(
        label=_("In which role"),
        queryset=CareTeamRole.objects.filter(active=True),
        to_field_name="key",
    )

    class Meta(MembershipForm.Meta):
        fields = ["staff", "role", "lead"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["staff"].queryset = who_can_care()
        if not self.fields["role"].queryset.exists():
            self.fields["role"].help_text = _(
                "There is no care team role yet. Whoever holds “Staff Permissions” "
                "makes them."
            )
