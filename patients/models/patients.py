"""The patient and the demographic rows that belong to one."""

import secrets
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked
from canvas_admin.fhir.datatypes import ContactPoint
from canvas_admin.records import clock
from canvas_admin.records.models import BytewiseCharField, Keyed, Versioned
from patients.models.folded import FoldedField
from patients.querysets import PatientDataQuerySet, PatientQuerySet
from patients.search import folding, stream_keys

SSN = "http://hl7.org/fhir/sid/us-ssn"
SHOWN_CHARACTERS = 4


class Patient(ChangeTracked, Versioned):
    """A patient. Nothing about one is ever deleted: patients become inactive.

    The official name is copied here for sorting and searching by Patient.take_name();
    PatientName keeps every name.
    """

    change_type = "patient"

    class Precision(models.TextChoices):
        DAY = "day", _("Day")
        MONTH = "month", _("Month")
        YEAR = "year", _("Year")

    class Gender(models.TextChoices):
        FEMALE = "female", _("Female")
        MALE = "male", _("Male")
        OTHER = "other", _("Other")
        UNKNOWN = "unknown", _("Unknown")

    class SexAtBirth(models.TextChoices):
        FEMALE = "F", _("Female")
        MALE = "M", _("Male")
        OTHER = "O", _("Other")
        UNKNOWN = "UNK", _("Unknown")

    first_name = models.CharField(_("first name"), max_length=100)
    middle_name = models.CharField(_("middle name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100)
    birth_date = models.DateField(_("date of birth"))
    birth_date_precision = models.CharField(
        max_length=5, choices=Precision, default=Precision.DAY
    )
    gender = models.CharField(
        _("gender"), max_length=7, choices=Gender, default=Gender.UNKNOWN
    )
    sex_at_birth = models.CharField(
        _("sex at birth"), max_length=3, choices=SexAtBirth, default=SexAtBirth.UNKNOWN
    )
    mrn = models.CharField(_("MRN"), max_length=12, unique=True, editable=False)
    active = models.BooleanField(_("active"), default=True)
    deceased = models.BooleanField(_("deceased"), default=False)
    deceased_at = models.DateTimeField(_("time of death"), null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged"
    )
    created = models.DateTimeField(default=clock.now, editable=False)
    # What the last import brought, as a fingerprint: the same again changes nothing.
    source_digest = models.CharField(max_length=64, blank=True, editable=False)

    # The folded forms of the name, written by save() alone.
    sort_name = BytewiseCharField(max_length=160, editable=False, unique=True)
    name_words = BytewiseCharField(max_length=folding.WORDS_KEPT, editable=False)

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["sort_name"]
        verbose_name = _("patient")
        permissions = [
            ("find_patient", "Can find patients by name"),
            ("print_patient", "Can print pages about patients"),
        ]
        indexes = [
            models.Index(fields=["birth_date", "sort_name"], name="patient_by_birth")
        ]

    def __str__(self) -> str:
        """Without a name, so that no log line or admin history can carry one."""
        return f"Patient {self.key[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.mrn = self.mrn or _new_mrn()
        self.sort_name = folding.sort_key(self.last_name, self.first_name, self.key)
        self.name_words = folding.word_prefixes(
            self.first_name, self.middle_name, self.last_name
        )
        with transaction.atomic():
            super().save(*args, **kwargs)
            stream_keys.refresh([self.pk], stream_keys.NAMES)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Raises ProtectedError: nothing about a patient is deleted (DESIGN section 3)."""
        raise models.ProtectedError(
            _("Patients become inactive, never deleted."), {self}
        )

    @property
    def changed_patient(self) -> int:
        return self.pk

    @property
    def name(self) -> str:
        """First, middle and last name, as shown."""
        parts = (self.first_name, self.middle_name, self.last_name)
        return " ".join(part for part in parts if part)

    @property
    def listed(self) -> bool:
        """Whether lists and first results show the patient: active and living."""
        return self.active and not self.deceased

    @property
    def age(self) -> int:
        """Whole years lived, today or at death."""
        end = self.deceased_at or clock.now()
        before_birthday = (end.month, end.day) < (
            self.birth_date.month,
            self.birth_date.day,
        )
        return end.year - self.birth_date.year - before_birthday

    def take_name(self, name: "PatientName") -> None:
        """Copy the official name's words to the patient, for sorting and searching."""
        first, _sep, middle = name.given.partition(" ")
        self.first_name, self.middle_name = first, middle
        self.last_name = name.family

    def make_official(self, name: "PatientName") -> None:
        """Let this be the patient's official name; what was official becomes an old name."""
        official = PatientName.Use.OFFICIAL
        before = self.names.filter(use=official, entered_in_error=False)
        for other in before.exclude(pk=name.pk):
            other.use, other.end = PatientName.Use.OLD, other.end or clock.today()
            other.save()
        self.take_name(name)
        self.save()


def _new_mrn() -> str:
    """A medical record number that no patient has: nine digits, never from 0."""
    while True:
        mrn = str(100_000_000 + secrets.randbelow(900_000_000))
        if not Patient.objects.filter(mrn=mrn).exists():
            return mrn


class PatientData(Keyed):
    """A row about one patient; visible_to(user) is how it is read."""

    objects = PatientDataQuerySet.as_manager()

    class Meta:
        abstract = True


class ProfileData(ChangeTracked, Versioned, PatientData):
    """A row that people edit on the profile. What is wrong is marked so, never deleted."""

    change_type = "patient"

    entered_in_error = models.BooleanField(_("entered in error"), default=False)
    entered_in_error_reason = models.CharField(_("reason"), max_length=255, blank=True)

    class Meta:
        abstract = True

    @property
    def over(self) -> bool:
        """Whether the last day of the row has passed."""
        end = getattr(self, "end", None)
        return end is not None and end < clock.today()


class PatientName(ProfileData):
    """A name of a patient (FHIR HumanName)."""

    class Use(models.TextChoices):
        OFFICIAL = "official", _("Official")
        USUAL = "usual", _("Usual")
        NICKNAME = "nickname", _("Nickname")
        MAIDEN = "maiden", _("Maiden")
        TEMP = "temp", _("Temporary")
        ANONYMOUS = "anonymous", _("Anonymous")
        OLD = "old", _("Old")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="names")
    use = models.CharField(_("use"), max_length=9, choices=Use, default=Use.OFFICIAL)
    prefix = models.CharField(_("prefix"), max_length=32, blank=True)
    given = models.CharField(_("given names"), max_length=200, blank=True)
    family = models.CharField(_("family name"), max_length=100, blank=True)
    suffix = models.CharField(_("suffix"), max_length=32, blank=True)
    start = models.DateField(null=True, blank=True)
    end = models.DateField(null=True, blank=True)

    folded_family = FoldedField("family")
    folded_given = FoldedField("given")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["folded_family"], name="name_by_family")]

    def __str__(self) -> str:
        return f"{self.use} name"

    @property
    def text(self) -> str:
        """The name in one line."""
        parts = (self.prefix, self.given, self.family, self.suffix)
        return " ".join(part for part in parts if part)


class PatientIdentifier(ProfileData):
    """A number or code by which another system knows the patient (FHIR Identifier).

    Nothing is unique here: two patients may be given the same number by others, and a
    refusal would tell that somebody has it (security F19).
    """

    class Use(models.TextChoices):
        USUAL = "usual", _("Usual")
        OFFICIAL = "official", _("Official")
        TEMP = "temp", _("Temporary")
        SECONDARY = "secondary", _("Secondary")
        OLD = "old", _("Old")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="identifiers"
    )
    system = models.CharField(_("system"), max_length=255, blank=True)
    value = models.CharField(_("value"), max_length=255)
    type_code = models.CharField(_("type"), max_length=20, blank=True)
    type_display = models.CharField(max_length=100, blank=True)
    use = models.CharField(_("use"), max_length=9, choices=Use, default=Use.USUAL)
    start = models.DateField(null=True, blank=True)
    end = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        # By value first: who types a number types no system.
        indexes = [models.Index(fields=["value", "system"], name="identifier_lookup")]

    def __str__(self) -> str:
        return f"identifier {self.key[:8]}"

    @property
    def kind(self) -> str:
        """Which number it is, as well as that is known."""
        return self.type_display or self.type_code or self.system

    @property
    def shown_value(self) -> str:
        """The value; of a social security number the last four characters."""
        if self.type_code != "SS" and self.system != SSN:
            return self.value
        long = len(self.value) > SHOWN_CHARACTERS
        shown = self.value[-SHOWN_CHARACTERS:] if long else ""
        return "•" * (len(self.value) - len(shown)) + shown


class PatientAddress(ProfileData):
    """An address of a patient (FHIR Address)."""

    class Use(models.TextChoices):
        HOME = "home", _("Home")
        WORK = "work", _("Work")
        TEMP = "temp", _("Temporary")
        OLD = "old", _("Old")
        BILLING = "billing", _("Billing")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="addresses"
    )
    use = models.CharField(_("use"), max_length=8, choices=Use, default=Use.HOME)
    lines = models.CharField(_("street"), max_length=255, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=100, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=100, blank=True)
    start = models.DateField(null=True, blank=True)
    end = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.use} address"

    @property
    def text(self) -> str:
        """The address in one line."""
        place = f"{self.state} {self.postal_code}".strip()
        return ", ".join(
            part for part in (self.lines, self.city, place, self.country) if part
        )


class PatientContactPoint(ContactPoint, ProfileData):
    """A phone number or mail address of a patient."""

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="contact_points"
    )

    class Meta(ContactPoint.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"{self.use} {self.system}"
