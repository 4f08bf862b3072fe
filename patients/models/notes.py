"""Notes: what was seen, said and done at an encounter, and the states of a note."""

import hashlib
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked
from canvas_admin.records import clock
from canvas_admin.records.models import Versioned
from patients.models.commands import LONG, Command, NoteClosed
from patients.models.patients import Patient, PatientData
from patients.querysets import NoteQuerySet
from staffing.models import staff_of

PEOPLE = ("originator", "committer", "ended_by")


class Note(ChangeTracked, Versioned, PatientData):
    """The note of one encounter (Canvas' Note; FHIR Encounter).

    It is open until somebody signs it. A signed one is immutable (DESIGN section 3): what
    is to be said later is an addendum, and one that should not be there at all is entered
    in error, with everything that its commands made. save() holds this, whoever calls.
    Each state is kept as a row, the present one here, too.
    """

    class State(models.TextChoices):
        NEW = "NEW", _("Open")
        LOCKED = "LKD", _("Signed")
        DELETED = "DLT", _("Entered in error")

    NEXT = {
        State.NEW: {State.NEW, State.LOCKED, State.DELETED},
        State.LOCKED: {State.DELETED},
        State.DELETED: set(),
    }
    # All that can still change about a note that is not open.
    BOOKKEEPING = {"version", "modified", "state", "error_reason"}
    change_type = "encounter"
    dated_by = "started"

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="notes", editable=False
    )
    # Those that an import brings may lack people and places.
    provider = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="notes",
        verbose_name=_("provider"),
    )
    location = models.ForeignKey(
        "staffing.Location",
        on_delete=models.PROTECT,
        null=True,
        related_name="notes",
        verbose_name=_("location"),
    )
    visit_type = models.ForeignKey(
        "staffing.VisitType",
        on_delete=models.PROTECT,
        null=True,
        related_name="notes",
        verbose_name=_("visit type"),
    )
    appointment = models.ForeignKey(
        "patients.Appointment",
        on_delete=models.PROTECT,
        null=True,
        related_name="notes",
        editable=False,
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    started = models.DateTimeField(_("when the visit began"))
    ended = models.DateTimeField(null=True, editable=False)
    state = models.CharField(
        _("state"), max_length=3, choices=State, default=State.NEW, editable=False
    )
    error_reason = models.CharField(_("reason"), max_length=255, blank=True)
    signed = models.DateTimeField(null=True, editable=False)
    signed_by = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    created = models.DateTimeField(default=clock.now, editable=False)
    originator = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    # As in patients.models.clinical.ClinicalRow.
    source_id = models.CharField(max_length=64, blank=True, editable=False)
    source_digest = models.CharField(max_length=64, blank=True, editable=False)

    objects = NoteQuerySet.as_manager()

    class Meta:
        ordering = ["-started", "-id"]
        verbose_name = _("note")
        indexes = [
            models.Index(fields=["patient", "-started"], name="note_started"),
            models.Index(fields=["patient", "source_id"], name="note_source"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["appointment"],
                condition=~Q(state="DLT"),
                name="one_note_of_an_appointment",
            )
        ]

    def __str__(self) -> str:
        return f"note {self.key[:8]}"

    @transaction.atomic
    def save(self, *args: Any, by: Any = None, **kwargs: Any) -> None:
        """Save; a new state is kept as a row. `by` is the account that acts."""
        rows = type(self).objects.select_for_update()
        stored = rows.filter(pk=self.pk).first() if self.pk else None
        if stored:
            stored._refuse(self)
        super().save(*args, **kwargs)
        if stored is None or stored.state != self.state:
            staff = staff_of(by)
            self.state_changes.create(
                patient_id=self.patient_id, state=self.state, by=staff
            )

    @property
    def open(self) -> bool:
        """Whether it can still be written into."""
        return self.state == self.State.NEW

    @property
    def locked(self) -> bool:
        """Whether it is signed, and still counts."""
        return self.state == self.State.LOCKED

    @property
    def in_error(self) -> bool:
        return self.state == self.State.DELETED

    @property
    def imported(self) -> bool:
        return self.source_id != ""

    @property
    def name(self) -> Any:
        """What it is called in lists."""
        return self.title or (self.visit_type and self.visit_type.name) or _("Visit")

    @property
    def start(self) -> datetime:
        """When the visit began, by the clock of its place."""
        return timezone.localtime(self.started, self.location and self.location.zone)

    @property
    def why_closed(self) -> Any:
        """Why nothing can be written into it, for the person who wanted to."""
        if self.in_error:
            return _("This note was entered in error. Nothing in it changes.")
        return _("This note is signed. Add an addendum instead.")

    @classmethod
    def command_models(cls) -> list[type[Command]]:
        """The models of everything that can be written into a note."""
        related = [relation.related_model for relation in cls._meta.related_objects]
        return [model for model in related if issubclass(model, Command)]

    def commands(self, *states: str) -> list[Command]:
        """What was written into it, in its order, of every kind; one query per kind."""
        rows = []
        for model in self.command_models():
            found = model._base_manager.filter(note=self)
            found = found.filter(state__in=states) if states else found
            found = found.prefetch_related(*model.PREFETCHED)
            rows += found.select_related(*PEOPLE, *model.RELATED)
        return sorted(rows, key=lambda row: row.position)

    def fingerprint(self) -> str:
        """What its commands are, so that a signature is for what was read."""
        said = [f"{row.key}:{row.version}" for row in self.commands()]
        return hashlib.sha256(" ".join(said).encode()).hexdigest()

    def next_position(self) -> int:
        """The place of the next command. Call it with the note's row locked."""
        places = [
            model._base_manager.filter(note=self).values_list("position", flat=True)
            for model in self.command_models()
        ]
        return max(places[0].union(*places[1:], all=True), default=0) + 1

    @transaction.atomic
    def sign(self, by: Any) -> None:
        """Close it for good; `by` is the account of the person who answers for it.

        Raises ValidationError while something in it is staged or nothing is committed,
        and for somebody who does not belong to the staff.
        """
        staff = staff_of(by)
        if staff is None:
            raise ValidationError(_("Only somebody of the staff can sign."))
        type(self).objects.select_for_update().get(pk=self.pk)
        if self.commands(Command.State.STAGED):
            raise ValidationError(
                _("Commit or remove what is still staged, then sign.")
            )
        if self.open and not self.commands(Command.State.COMMITTED):
            raise ValidationError(
                _(
                    "Nothing is written in this note. Write into it and commit that, "
                    "or enter the note in error."
                )
            )
        self.state = self.State.LOCKED
        self.signed, self.signed_by = clock.now(), staff
        self.save(by=by)

    @transaction.atomic
    def enter_in_error(self, reason: str, by: Any) -> None:
        """Say that it should not be there: it, what is in it, and what that made."""
        type(self).objects.select_for_update().get(pk=self.pk)
        for command in self.commands(Command.State.STAGED):
            command.remove(by)
        self.state, self.error_reason = self.State.DELETED, reason
        self.save(by=by)
        for command in self.commands(Command.State.COMMITTED):
            command.enter_in_error(reason, by)
        for review in self.reviews.all():
            said = gettext("Closed: the note was entered in error.")
            review.end_tasks(by, "CLOSED", said)

    def _refuse(self, wanted: "Note") -> None:
        """Raises NoteClosed for a change that this stored note does not allow."""
        if wanted.state not in self.NEXT[self.state]:
            raise NoteClosed(self.why_closed)
        if not self.open and self._content != wanted._content:
            raise NoteClosed(self.why_closed)

    @property
    def _content(self) -> dict[str, Any]:
        names = [field.attname for field in self._meta.concrete_fields]
        return {n: getattr(self, n) for n in names if n not in self.BOOKKEEPING}


class NoteStateChange(PatientData):
    """A state that a note came into: which, by whom, when."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    note = models.ForeignKey(
        Note, on_delete=models.PROTECT, related_name="state_changes"
    )
    state = models.CharField(_("state"), max_length=3, choices=Note.State)
    by = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["id"]
        verbose_name = _("state of a note")

    def __str__(self) -> str:
        return f"state of note {self.key[:8]}"


class Addendum(Versioned, PatientData):
    """What is to be said about a signed note afterwards. Written once."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="addenda")
    text = models.CharField(_("text"), max_length=LONG)
    author = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    written = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["id"]
        verbose_name = _("addendum")
        verbose_name_plural = _("addenda")

    def __str__(self) -> str:
        return f"addendum {self.key[:8]}"

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises NoteClosed for a note that is not signed, and for a change of a saved one."""
        note = Note.objects.select_for_update().get(pk=self.note_id)
        if self.pk:
            raise NoteClosed(_("An addendum stays as it was written. Add another."))
        if not note.locked:
            raise NoteClosed(_("Only a signed note gets addenda."))
        self.patient_id = note.patient_id
        super().save(*args, **kwargs)
