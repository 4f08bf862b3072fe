"""What is asked of a payer or a patient for a visit: claims, their lines and diagnoses."""

import secrets
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked
from canvas_admin.records import clock
from canvas_admin.records.models import Versioned
from canvas_admin.records.money import MoneyField
from patients.models.patients import Patient, PatientData
from patients.revenue import claim_keys
from patients.revenue.balances import ClaimQuerySet
from patients.revenue.claim_states import EDITABLE, MOVES, ClaimState

CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
# A paper claim (CMS-1500) has room for twelve, and names them by these.
LETTERS = "ABCDEFGHIJKL"


class Claim(Versioned, PatientData):
    """What one visit is billed with (S2: "the revenue model"; FHIR Claim).

    It is made by hand, from a signed note, or by an import. Its state is changed by
    patients.revenue.claiming alone, which keeps every change. `coverage` is who is asked
    to pay, none where the patient pays. `number` is what people call it: random, so that
    it does not tell how many claims there are.
    """

    State = ClaimState
    dated_by = "service_date"

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="claims"
    )
    number = models.CharField(_("number"), max_length=8, unique=True, editable=False)
    note = models.ForeignKey(
        "patients.Note",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="claims",
        verbose_name=_("note"),
    )
    coverage = models.ForeignKey(
        "patients.Coverage",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="claims",
        verbose_name=_("coverage"),
    )
    provider = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="claims",
        verbose_name=_("provider"),
    )
    location = models.ForeignKey(
        "staffing.Location",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="claims",
        verbose_name=_("location"),
    )
    service_date = models.DateField(_("date of service"))
    state = models.CharField(
        _("state"),
        max_length=16,
        choices=ClaimState,
        default=ClaimState.CODING_REVIEW,
        editable=False,
    )
    created = models.DateTimeField(default=clock.now, editable=False)
    # The id under which another system sent the claim, a fingerprint of what the last
    # import brought, and the version that the import left: a later one was changed here.
    source_id = models.CharField(max_length=64, blank=True, editable=False)
    source_digest = models.CharField(max_length=64, blank=True, editable=False)
    source_version = models.PositiveIntegerField(default=0, editable=False)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        ordering = ["-service_date", "-id"]
        verbose_name = _("claim")
        indexes = [
            models.Index(fields=["patient", "service_date"], name="claim_of_patient"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["note"],
                condition=~Q(state=ClaimState.TRASH),
                name="one_claim_of_a_note",
            )
        ]

    def __str__(self) -> str:
        return f"claim {self.key[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.number = self.number or new_number()
        with transaction.atomic():
            super().save(*args, **kwargs)
            claim_keys.keep(self)

    @property
    def editable(self) -> bool:
        """Whether what it charges, and to whom, can be changed."""
        return self.state in EDITABLE

    @property
    def moves(self) -> tuple[str, ...]:
        """The states to which people may move it now."""
        return MOVES[self.state]


def new_number() -> str:
    """A number that no claim has: eight digits, never from 0."""
    while True:
        number = str(10_000_000 + secrets.randbelow(90_000_000))
        if not Claim.objects.filter(number=number).exists():
            return number


class ClaimStateChange(PatientData):
    """One change of a claim's state: what it was and became, when, by whom and why.

    The first has no state before. Nobody is named where it followed from the balance.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="changes")
    before = models.CharField(max_length=16, choices=ClaimState, blank=True)
    after = models.CharField(max_length=16, choices=ClaimState)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("change of a claim's state")

    def __str__(self) -> str:
        return f"change of a claim {self.key[:8]}"


class ClaimPart(Versioned, PatientData):
    """A row of a claim. Saving one raises the claim's version, too.

    So whoever moves a claim on has seen all of it as it is.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.patient_id = self.claim.patient_id
        with transaction.atomic():
            super().save(*args, **kwargs)
            self.claim._raise_version()


class RemovablePart(ClaimPart):
    """A row that is taken off a claim with a reason, and kept."""

    removed = models.DateTimeField(null=True, blank=True, editable=False)
    removed_by = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    removed_reason = models.CharField(_("reason"), max_length=255, blank=True)

    class Meta:
        abstract = True


class ClaimDiagnosis(RemovablePart):
    """A diagnosis of a claim (ICD-10-CM), which its lines name by a letter."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="diagnoses")
    letter = models.CharField(_("letter"), max_length=1, editable=False)
    code = models.CharField(_("ICD-10 code"), max_length=8)
    display = models.CharField(_("diagnosis"), max_length=255)

    class Meta:
        ordering = ["letter", "id"]
        verbose_name = _("diagnosis of a claim")
        constraints = [
            models.UniqueConstraint(
                fields=["claim", "letter"],
                condition=Q(removed__isnull=True),
                name="one_diagnosis_per_letter",
            )
        ]

    def __str__(self) -> str:
        return f"diagnosis of a claim {self.key[:8]}"


class ClaimLine(ChangeTracked, RemovablePart):
    """One service on a claim, with what it costs.

    `charge` is for all units together, as on a paper claim (CMS-1500, 24F). `pointers`
    are letters of the claim's diagnoses, the most important first.
    """

    change_type = "billing_line_item"

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="lines")
    system = models.CharField(max_length=64, blank=True, editable=False)
    code = models.CharField(_("CPT or HCPCS code"), max_length=20)
    description = models.CharField(_("description"), max_length=255, blank=True)
    modifiers = models.CharField(_("modifiers"), max_length=11, blank=True)
    units = models.PositiveSmallIntegerField(_("units"), default=1)
    charge = MoneyField(_("charge"))
    pointers = models.CharField(_("diagnoses"), max_length=4, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("line of a claim")

    def __str__(self) -> str:
        return f"line of a claim {self.key[:8]}"
