"""The sections of the profile that are lists of rows, as data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients import areas
from patients.forms.care_team import MembershipForm, NewMembershipForm
from patients.forms.consents import ConsentForm, NewConsentForm
from patients.forms.contact import AddressForm, ContactForm, ContactPointForm
from patients.forms.coverages import CoverageForm
from patients.forms.identifiers import IdentifierForm, NewIdentifierForm
from patients.forms.names import NameForm
from patients.forms.profile import ProfileForm
from patients.models import CareTeamMembership, Patient

ACTIVE = CareTeamMembership.Status.ACTIVE


@dataclass(frozen=True)
class Home:
    """A page that shows sections: what it is called, how one gets back, what opens it."""

    url_name: str
    title: Any
    back: Any
    permissions: tuple[str, ...]
    # What the first column of a section's rows says.
    label: Any = gettext_lazy("Kind")


PROFILE = Home(
    "patients:profile",
    gettext_lazy("Profile"),
    gettext_lazy("Back to the profile"),
    areas.OPEN_PROFILE,
)


@dataclass(frozen=True)
class Section:
    """Rows of one kind: `label` and `text` say one in words, `new_form` makes one.

    Whoever changes them needs what opens the page that shows them (`home`), and the model's
    own permission.
    """

    code: str
    title: Any
    one: Any
    form: type[ProfileForm]
    label: Callable[[Any], str]
    text: Callable[[Any], str]
    new_form: type[ProfileForm] | None = None
    related: tuple[str, ...] = ()
    prefetched: tuple[str, ...] = ()
    home: Home = PROFILE
    # What a row was before: (when, by whom, what changed), the latest first.
    history: Callable[[Any], list[Any]] | None = None

    @property
    def slug(self) -> str:
        """The section in addresses."""
        return self.code.replace("_", "-")

    @property
    def model(self) -> Any:
        return self.form._meta.model

    def permissions(self, verb: str) -> tuple[str, ...]:
        """What "add" or "change" asks for."""
        return (
            *self.home.permissions,
            f"patients.{verb}_{self.model._meta.model_name}",
        )

    def rows(self, account: Any, patient: Patient) -> QuerySet:
        """The patient's rows, within the account's reach."""
        rows = self.model.objects.about(patient, account)
        return rows.select_related("patient", *self.related).prefetch_related(
            *self.prefetched
        )

    def address(self, patient: Patient, page: str = "", **about: str) -> str:
        """The address of the section, or of its page "add" or "change"."""
        name = f"patients:{self.slug}" + (f"-{page}" if page else "")
        return reverse(name, kwargs={"key": patient.key, **about})


def is_past(row: Any) -> bool:
    """Whether a row no longer counts: ended, wrong, or no longer active."""
    return (
        getattr(row, "entered_in_error", False)
        or getattr(row, "over", False)
        or getattr(row, "status", ACTIVE) != ACTIVE
    )


def marks(row: Any) -> Iterator[tuple[str, str]]:
    """(what is to be said about a row's state, the look of its badge)."""
    if getattr(row, "entered_in_error", False):
        yield _("Entered in error"), "danger"
    if getattr(row, "over", False):
        yield _("Ended"), ""
    if getattr(row, "expired", False):
        yield _("Expired"), "warn"
    if getattr(row, "status", ACTIVE) != ACTIVE:
        yield row.get_status_display(), ""
    if getattr(row, "lead", False):
        yield _("Lead"), ""


NAMES = Section(
    "names",
    gettext_lazy("Names"),
    gettext_lazy("Name"),
    NameForm,
    label=lambda row: row.get_use_display(),
    text=lambda row: row.text,
)
TELECOM = Section(
    "telecom",
    gettext_lazy("Phone and e-mail"),
    gettext_lazy("Phone or e-mail"),
    ContactPointForm,
    label=lambda row: f"{row.get_system_display()}, {row.get_use_display()}",
    text=lambda row: row.value,
)
ADDRESSES = Section(
    "addresses",
    gettext_lazy("Addresses"),
    gettext_lazy("Address"),
    AddressForm,
    label=lambda row: row.get_use_display(),
    text=lambda row: row.text,
)
CONTACTS = Section(
    "contacts",
    gettext_lazy("Contacts"),
    gettext_lazy("Contact"),
    ContactForm,
    label=lambda row: row.relationship or _("Contact"),
    text=lambda row: row.text,
)
IDENTIFIERS = Section(
    "identifiers",
    gettext_lazy("Identifiers"),
    gettext_lazy("Identifier"),
    IdentifierForm,
    label=lambda row: row.kind,
    text=lambda row: row.shown_value,
    new_form=NewIdentifierForm,
)
COVERAGES = Section(
    "coverages",
    gettext_lazy("Coverages"),
    gettext_lazy("Coverage"),
    CoverageForm,
    label=lambda row: row.get_rank_display(),
    text=lambda row: row.text,
)
CONSENTS = Section(
    "consents",
    gettext_lazy("Consents"),
    gettext_lazy("Consent"),
    ConsentForm,
    label=lambda row: row.coding.display,
    text=lambda row: row.get_state_display(),
    new_form=NewConsentForm,
    related=("coding", "form"),
)
CARE_TEAM = Section(
    "care_team",
    gettext_lazy("Care team"),
    gettext_lazy("Member of the care team"),
    MembershipForm,
    label=lambda row: row.role_display,
    text=lambda row: row.staff.credentialed_name,
    new_form=NewMembershipForm,
    related=("staff", "role"),
    prefetched=("staff__staff_roles__role",),
)
SECTIONS = (
    NAMES,
    TELECOM,
    ADDRESSES,
    CONTACTS,
    IDENTIFIERS,
    COVERAGES,
    CONSENTS,
    CARE_TEAM,
)
