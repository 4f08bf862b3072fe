"""A staff member with account and roles on one form."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.forms import SavedOnceForm
from staffing.models import Role, Staff, User
from staffing.staff_keeping import save_staff

ACCOUNT_FIELDS = ("user_name", "email", "account")


class StaffForm(SavedOnceForm):
    """Who somebody is, the roles held, and with which account the person signs in.

    At least one role. An account is typed anew or chosen among those that nobody has;
    once linked it stays. `actor` is the account that fills in the form: nobody changes
    the roles of one's own (DESIGN section 5).
    """

    actor: User

    roles = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Roles"),
        queryset=Role.objects.all(),
        to_field_name="key",
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "At least one. A role that is added gives its default auth groups. A role "
            "that is removed takes none away: use Staff Permissions for that."
        ),
        error_messages={"required": gettext_lazy("Choose at least one role.")},
    )
    user_name = forms.CharField(
        label=gettext_lazy("New user name"),
        required=False,
        max_length=150,
        validators=User._meta.get_field("username").validators,
        help_text=gettext_lazy(
            "Makes an account, for example “nora.vega”. Leave it empty for somebody "
            "who never signs in."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail address of the new account"),
        required=False,
        max_length=254,
    )
    account = forms.ModelChoiceField(
        label=gettext_lazy("Existing account"),
        queryset=User.objects.filter(staff__isnull=True, is_superuser=False),
        to_field_name="key",
        required=False,
        help_text=gettext_lazy("An account that belongs to nobody yet."),
    )

    class Meta:
        model = Staff
        fields = [
            "prefix",
            "first_name",
            "middle_name",
            "last_name",
            "suffix",
            "date_of_birth",
            "npi",
            "primary_location",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = []
        if self.instance.pk:
            self.held = list(Role.objects.filter(staff_roles__staff=self.instance))
        self.initial["roles"] = self.held
        if self.instance.user_id:
            for name in ACCOUNT_FIELDS:
                del self.fields[name]
        self.own = bool(self.actor.pk and self.instance.user_id == self.actor.pk)
        if self.own:
            self.fields["roles"].disabled = True
            self.fields["roles"].help_text = _(
                "Nobody changes the roles of one's own account."
            )

    def clean_user_name(self) -> str:
        name = User.normalize_username(self.cleaned_data["user_name"]).lower()
        # Normalizing can lengthen a name, and put spaces into it.
        if name:
            self.fields["user_name"].run_validators(name)
        if name and User.objects.filter(username=name).exists():
            raise ValidationError(
                User._meta.get_field("username").error_messages["unique"]
            )
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("user_name") and cleaned.get("account"):
            self.add_error("account", _("Type a new user name or choose, not both."))
        if cleaned.get("email") and not cleaned.get("user_name"):
            self.add_error("email", _("There is no new account for this address."))
        return cleaned

    @property
    def links_an_account(self) -> bool:
        """Whether saving gives the person an account."""
        cleaned = self.cleaned_data
        return bool(cleaned.get("user_name") or cleaned.get("account"))

    @property
    def added_roles(self) -> list[Role]:
        """The roles that saving adds."""
        return [role for role in self.cleaned_data["roles"] if role not in self.held]

    @property
    def giving_roles(self) -> list[Role]:
        """The roles whose defaults saving gives: all of them to a new account (S2)."""
        if self.links_an_account:
            return list(self.cleaned_data["roles"])
        return self.added_roles

    def save_staff(self, by: User, request: HttpRequest) -> User | None:
        """Save the person, the account and the roles; returns an account made anew.

        Raises ValidationError for roles of one's own.
        """
        self._refuse_roles_of_ones_own()
        cleaned = self.cleaned_data
        if cleaned.get("account"):
            self.instance.user = cleaned["account"]
        return save_staff(
            self.instance,
            list(cleaned["roles"]),
            by,
            username=cleaned.get("user_name", ""),
            email=cleaned.get("email", ""),
            request=request,
        )

    def _refuse_roles_of_ones_own(self) -> None:
        """The field is disabled, so that only a forged post asks for any."""
        posted = set(self.data.getlist(self.add_prefix("roles")))
        if self.own and posted - {role.key for role in self.held}:
            raise ValidationError(
                _("Nobody changes the roles of one's own account."), code="own_account"
            )
