"""What changed about whom, and whose turn it is to act on it (DESIGN section 7)."""

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.models import Keyed


class ChangeEvent(Keyed):
    """One change of one row, in the words of the workflow kit (facts 7.3); kept for good.

    `patient` is the primary key of the patient whom the row is about, without a foreign key:
    the outbox knows no room. `fields` are pairs of old and new by column. `chain` are the keys
    of the protocols whose effects led here, the first one first.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        PARKED = "parked", _("parked")

    patient = models.BigIntegerField(null=True)
    change_type = models.CharField(_("change type"), max_length=32)
    model_name = models.CharField(_("kind of row"), max_length=64)
    record = models.BigIntegerField()
    external_id = models.CharField(max_length=36)
    created = models.BooleanField(default=False)
    deleted = models.BooleanField(default=False)
    fields = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    chain = models.JSONField(default=list)
    at = models.DateTimeField(_("when"), default=clock.now)
    state = models.CharField(
        _("state"), max_length=8, choices=State, default=State.WAITING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    first_attempt = models.DateTimeField(_("first attempt"), null=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(
                fields=["id"], condition=Q(state="waiting"), name="events_waiting"
            ),
            models.Index(
                fields=["patient", "id"],
                condition=Q(state="waiting"),
                name="events_waiting_by_patient",
            ),
            models.Index(fields=["patient", "-id"], name="events_by_patient"),
            models.Index(
                fields=["id"], condition=Q(state="parked"), name="events_parked"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change_type} {self.key}"

    @property
    def field_changes(self) -> dict[str, Any]:
        """What the workflow kit calls `field_changes` (facts 7.3)."""
        return {
            "model_name": self.model_name,
            "created": self.created,
            "deleted": self.deleted,
            "fields": self.fields,
            "canvas_id": self.record,
            "external_id": self.external_id,
            "external_identifiers": None,
        }


class Turn(models.Model):
    """Whose turn it is to act for a patient: one holder at a time, by a lease and a fence.

    The fence rises with each holder, so that one who was away too long can be told from the
    one who came after (security P44, P45). See events.turns.
    """

    patient = models.BigIntegerField(primary_key=True)
    fence = models.BigIntegerField(default=0)
    until = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["until"], name="events_turn_until")]

    def __str__(self) -> str:
        return f"turn {self.fence}"
