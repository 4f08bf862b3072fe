"""A claim's own form, and the one that moves it on."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.forms import VersionedForm
from canvas_admin.records.validators import validate_seen
from patients.booking import providers
from patients.forms.fields import DayField
from patients.forms.profile import ProfileForm
from patients.models import Claim, ClaimState, Coverage
from patients.revenue import claim_states, claiming
from staffing.models import Location, Staff, staff_of


class ClaimForm(ProfileForm):
    """When, by whom and where the service was given, and who is asked to pay."""

    service_date = DayField(label=gettext_lazy("Date of service"))
    provider = forms.ModelChoiceField(
        Staff.objects.none(),
        to_field_name="key",
        required=False,
        label=gettext_lazy("Provider"),
    )
    location = forms.ModelChoiceField(
        Location.objects.none(),
        to_field_name="key",
        required=False,
        label=gettext_lazy("Location"),
    )
    coverage = forms.ModelChoiceField(
        Coverage.objects.none(),
        to_field_name="key",
        required=False,
        label=gettext_lazy("Coverage"),
        empty_label=gettext_lazy("None: the patient pays"),
    )

    class Meta:
        model = Claim
        fields = ["service_date", "provider", "location", "coverage"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        claim = self.instance
        for name in ("provider", "location", "coverage"):
            self.initial[name] = getattr(claim, name)
        self.fields["provider"].queryset = providers(claim.provider_id)
        self.fields["provider"].label_from_instance = _name_of
        active = Location.objects.filter(active=True)
        chosen = Location.objects.filter(pk=claim.location_id)
        self.fields["location"].queryset = active | chosen
        # A form that only compares two versions has no actor, and offers nothing.
        coverages = self.patient.coverages.none()
        if self.actor is not None:
            coverages = self.patient.coverages.visible_to(self.actor)
        usable = Q(entered_in_error=False) | Q(pk=claim.coverage_id)
        self.fields["coverage"].queryset = coverages.filter(usable)
        self.fields["coverage"].label_from_instance = _coverage_in_words

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.instance.pk:
            refuse_what_is_underway(Claim.objects.get(pk=self.instance.pk))
        coverage, day = cleaned.get("coverage"), cleaned.get("service_date")
        if coverage and day and not claiming.holds_on(coverage, day):
            self.add_error("coverage", _("This coverage did not hold on that day."))
        self._refuse_a_second_of_its_note()
        return cleaned

    def _refuse_a_second_of_its_note(self) -> None:
        claim = self.instance
        if claim.note_id and not claim.pk:
            if Claim.objects.counted().filter(note=claim.note_id).exists():
                raise ValidationError(_("This note is on a claim already."))

    def save(self, commit: bool = True) -> Claim:
        if self.instance.pk:
            return super().save(commit)
        claiming.begin(self.instance, staff_of(self.actor))
        return self.instance


class MoveForm(VersionedForm):
    """To which state a claim goes, and why."""

    unconfirmed = False
    to = forms.ChoiceField(label=gettext_lazy("New state"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=255,
        required=False,
        validators=[validate_seen],
        help_text=gettext_lazy("Needed into “Rejected”, into “Trash” and out of it."),
    )

    class Meta:
        model = Claim
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        empty = [("", "---------")]
        self.fields["to"].choices = empty + claim_states.choices(self.instance.moves)

    @property
    def patient(self) -> Any:
        return self.instance.patient

    @property
    def changed(self) -> list[str]:
        """What the audit trail says was changed."""
        return ["state"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        state, reason = cleaned.get("to"), cleaned.get("reason", "")
        if not state:
            return cleaned
        if not reason and claim_states.needs_reason(self.instance.state, state):
            self.add_error("reason", _("Say in a few words why."))
        for sentence in claiming.not_ready(self.instance, state):
            self.add_error("to", sentence)
        return cleaned

    def save(self, commit: bool = True) -> Claim:
        cleaned, by = self.cleaned_data, staff_of(self.actor)
        claiming.move(self.instance, cleaned["to"], by, cleaned["reason"])
        return self.instance

    def _differences(self, current: Claim) -> list[str]:
        state = current.get_state_display()
        return [_("The claim is in “%(state)s” now.") % {"state": state}]


def refuse_what_is_underway(claim: Claim) -> None:
    """Raises ValidationError unless what the claim charges can be changed."""
    if not claim.editable:
        sentence = _("In “%(state)s” a claim is not changed. Move it back first.")
        state = ClaimState(claim.state).label
        raise ValidationError(sentence, params={"state": state})


def _name_of(staff: Staff) -> str:
    return staff.credentialed_name


def _coverage_in_words(coverage: Coverage) -> str:
    return f"{coverage.get_rank_display()}: {coverage.text}"
