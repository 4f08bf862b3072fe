"""The ordered keys by which lists find work; claims have keys of the same form."""

from typing import Any

from django.db import models
from django.db.models import Q

from canvas_admin.records.models import BytewiseCharField


class ItemKey(models.Model):
    """One way to come upon a row about a patient in one stream, by date.

    A stream is a source of patients (see stream_keys) and whose the rows are. A key
    proposes a row and opens nothing: the rule of patients.access decides.
    """

    stream = models.BigIntegerField(editable=False)
    kind = models.PositiveSmallIntegerField(editable=False)
    place = BytewiseCharField(max_length=80, editable=False)
    # The row's primary key.
    item = models.BigIntegerField(editable=False)

    class Meta:
        abstract = True
        default_permissions = ()


class WorkKey(ItemKey):
    """A key of a row on a shelf; `kind` is an order's number, see patients.work.

    The items of a stream are anybody's, nobody's, one person's, or one team's that no
    person has taken. So what somebody has and cannot see is never read.
    """

    patient = models.ForeignKey(
        "patients.Patient",
        on_delete=models.PROTECT,
        null=True,
        related_name="work_keys",
        editable=False,
        db_index=False,
    )

    class Meta(ItemKey.Meta):
        verbose_name = "work key"
        permissions = [("hand_over_stranded", "Can hand over stranded work")]
        indexes = [
            # Wholly in the index: a scan never reads the rows.
            models.Index(
                fields=["stream", "kind", "place", "item"], name="work_key_order"
            ),
            # Saving one item of many looks at the keys of that one.
            models.Index(fields=["patient", "item"], name="work_key_of_patient"),
            models.Index(
                fields=["item"],
                condition=Q(patient__isnull=True),
                name="work_key_loose",
            ),
        ]

    def __str__(self) -> str:
        return f"work key {self.pk}"


# Sources: the primary key of a patient group, everyone's patients, or no patient at all.
EVERYONE = 0
LOOSE = 2**32 - 1

# Whose the items of a stream are.
ANYBODY = 0
NOBODY = 1


def person(staff: Any) -> Any:
    """What is handed to this staff member (a primary key, or an expression of one)."""
    return 2 * staff


def team(team: Any) -> Any:
    """What is handed to this team, and taken by nobody of it."""
    return 2 * team + 1


def stream_of(whose: Any, source: int | None) -> Any:
    """The stream of these items; a source of None is everyone's patients."""
    return whose * 2**32 + (source or EVERYONE)
