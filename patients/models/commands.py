"""What every command of a note has in common: its states, and what may still change."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked
from canvas_admin.records import clock
from canvas_admin.records.models import Versioned
from patients.models.patients import PatientData
from staffing.models import staff_of

LONG = 10_000


def plain(number: Decimal) -> str:
    """A number without zeros that say nothing: 70.00 is 70, 98.60 is 98.6."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class NoteClosed(ValidationError):
    """The note, or a command in it, is as it will stay."""


class Command(ChangeTracked, Versioned, PatientData):
    """Something written into a note: a draft at first, then committed for good.

    A staged command is edited or removed. Committing fixes it and makes what it says
    (make()); a committed one is only entered in error, with a reason, which marks what it
    made, too (unmake()). Nothing changes once the note is signed. save() holds all of
    this, and raises NoteClosed.
    """

    # Of a kind of its own where the workflow kit knows one, else of its encounter.
    change_type = "encounter"

    class State(models.TextChoices):
        STAGED = "staged", _("Staged")
        COMMITTED = "committed", _("Committed")
        REMOVED = "removed", _("Removed")
        ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")

    NEXT = {
        State.STAGED: {State.STAGED, State.COMMITTED, State.REMOVED},
        State.COMMITTED: {State.ENTERED_IN_ERROR},
        State.REMOVED: set(),
        State.ENTERED_IN_ERROR: set(),
    }
    # What changes without anything being written anew.
    BOOKKEEPING = {"version", "modified", "state", "error_reason"}
    BOOKKEEPING |= {"ended_by_id", "ended_at"}
    # The field that it says first, and those of which nothing is told.
    HEADLINE = ""
    SILENT: frozenset[str] = frozenset({"error_reason"})
    # What is read along with a list of them.
    RELATED: tuple[str, ...] = ()
    PREFETCHED: tuple[str, ...] = ()

    note = models.ForeignKey("patients.Note", on_delete=models.PROTECT, editable=False)
    patient = models.ForeignKey(
        "patients.Patient", on_delete=models.PROTECT, editable=False
    )
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.STAGED, editable=False
    )
    # Its place in the note, from 1.
    position = models.PositiveSmallIntegerField(editable=False)
    created = models.DateTimeField(default=clock.now, editable=False)
    originator = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    committer = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    committed_at = models.DateTimeField(null=True, editable=False)
    # By whom and when it was removed, or entered in error.
    ended_by = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    ended_at = models.DateTimeField(null=True, editable=False)
    error_reason = models.CharField(_("reason"), max_length=255, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.key[:8]}"

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        note = type(self.note).objects.select_for_update().get(pk=self.note_id)
        stored = type(self)._base_manager.filter(pk=self.pk).first()
        self._refuse_what_is_closed(note, stored)
        if stored is None:
            self.patient_id = note.patient_id
            self.position = note.next_position()
        super().save(*args, **kwargs)

    @property
    def headline(self) -> str:
        """What it says first."""
        return getattr(self, self.HEADLINE)

    @property
    def details(self) -> list[tuple[Any, str]]:
        """(label, text) of everything else that it says."""
        silent = self.SILENT | {self.HEADLINE}
        fields = [f for f in self._meta.concrete_fields if f.name not in silent]
        said = [f for f in fields if f.editable and not f.primary_key]
        texts = [(field.verbose_name, self._text(field)) for field in said]
        return [(label, text) for label, text in texts if text]

    @property
    def staged(self) -> bool:
        return self.state == self.State.STAGED

    @property
    def committed(self) -> bool:
        return self.state == self.State.COMMITTED

    @transaction.atomic
    def commit(self, by: Any) -> None:
        """Fix it, and make what it says; `by` is an account."""
        if not self.staged:
            raise NoteClosed(_("This is committed already."))
        self.make(by)
        self.state = self.State.COMMITTED
        self.committer, self.committed_at = staff_of(by), clock.now()
        self.save()

    def remove(self, by: Any) -> None:
        """Take a draft out of the note; the row is kept."""
        self._end(self.State.REMOVED, "", by)

    @transaction.atomic
    def enter_in_error(self, reason: str, by: Any) -> None:
        """Say that it should not be there, and mark what it made."""
        self._end(self.State.ENTERED_IN_ERROR, reason, by)
        self.unmake(reason, by)

    def make(self, by: Any) -> None:
        """What committing makes, in its transaction: nothing, unless a kind says so."""

    def unmake(self, reason: str, by: Any) -> None:
        """Mark what was made as entered in error, in the same transaction."""

    def _end(self, state: "Command.State", reason: str, by: Any) -> None:
        self.state, self.error_reason = state, reason
        self.ended_by, self.ended_at = staff_of(by), clock.now()
        self.save()

    def _refuse_what_is_closed(self, note: Any, stored: "Command | None") -> None:
        """A note that is entered in error takes its commands along; else it must be open."""
        follows = note.in_error and self.state == self.State.ENTERED_IN_ERROR
        if not note.open and not follows:
            raise NoteClosed(note.why_closed)
        if stored is None:
            return
        if self.state not in self.NEXT[stored.state]:
            raise NoteClosed(_("This cannot be done any more. Look at it again."))
        if stored.state == self.State.COMMITTED and self._content != stored._content:
            raise NoteClosed(_("What is committed does not change."))

    def _text(self, field: models.Field) -> str:
        value = getattr(self, field.name)
        if value is None or value is False or value == "":
            return ""
        if value is True:
            return gettext("yes")
        if isinstance(value, date):
            return formats.date_format(value)
        if field.choices:
            return str(dict(field.flatchoices)[value])
        return plain(value) if isinstance(value, Decimal) else str(value)

    @property
    def _content(self) -> dict[str, Any]:
        names = [field.attname for field in self._meta.concrete_fields]
        return {n: getattr(self, n) for n in names if n not in self.BOOKKEEPING}
