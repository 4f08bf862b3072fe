"""A team with its members and responsibilities on one form."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.forms import SavedOnceForm
from canvas_admin.records.widgets import Chooser
from staffing.models import Staff, Team, TeamMember, TeamResponsibility


class TeamForm(SavedOnceForm):
    """Members are active staff, and people; a responsibility is held by one team at most."""

    responsibilities = forms.MultipleChoiceField(
        label=gettext_lazy("Responsibilities"),
        choices=TeamResponsibility.Code.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Work of this kind is handed to this team. No two teams can hold the same."
        ),
    )
    members = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Members"),
        queryset=Staff.objects.all(),
        to_field_name="key",
        required=False,
        widget=Chooser(gettext_lazy("staff")),
    )

    class Meta:
        model = Team
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = members = ()
        if self.instance.pk:
            held = self.instance.responsibilities.values_list("code", flat=True)
            members = Staff.objects.filter(team_memberships__team=self.instance)
        self.initial["responsibilities"] = sorted(held)
        self.initial["members"] = list(members)
        self.fields["members"].queryset = Staff.objects.people().filter(
            active=True
        ) | Staff.objects.filter(pk__in=[staff.pk for staff in members])

    def clean_responsibilities(self) -> list[str]:
        """Names the team that holds one of them already."""
        wanted = self.cleaned_data["responsibilities"]
        taken = TeamResponsibility.objects.filter(code__in=wanted)
        errors = [
            _("“%(what)s” is held by the team “%(team)s”. Take it away there first.")
            % {"what": row.get_code_display(), "team": row.team}
            for row in taken.exclude(team=self.instance.pk).select_related("team")
        ]
        if errors:
            raise ValidationError(errors)
        return wanted

    def save_parts(self) -> None:
        """Make members and responsibilities what the form says."""
        team, wanted = self.instance, set(self.cleaned_data["responsibilities"])
        team.responsibilities.exclude(code__in=wanted).delete()
        for code in wanted - set(team.responsibilities.values_list("code", flat=True)):
            TeamResponsibility.objects.create(team=team, code=code)
        members = self.cleaned_data["members"]
        team.members.exclude(staff__in=members).delete()
        for staff in members.exclude(team_memberships__team=team):
            TeamMember.objects.create(team=team, staff=staff)
