"""The ordered keys by which panels find open work."""

from django.db import models
from django.db.models import Q

from canvas_admin.records.models import BytewiseCharField


class WorkKey(models.Model):
    """One way to come upon an open item of work in one stream, by date.

    A stream is everyone's patients, the patients of one patient group, items about no
    patient, or what is handed to one person or to one team; see stream_*() below. A key
    proposes an item and opens nothing: the rule of patients.access decides.
    """

    stream = models.BigIntegerField(editable=False)
    # Of the kind of work, see kind_number().
    kind = models.PositiveSmallIntegerField(editable=False)
    place = BytewiseCharField(max_length=64, editable=False)
    item = models.BigIntegerField(editable=False)
    patient = models.ForeignKey(
        "patients.Patient",
        on_delete=models.PROTECT,
        null=True,
        related_name="work_keys",
        editable=False,
    )

    class Meta:
        verbose_name = "work key"
        default_permissions = ()
        permissions = [("hand_over_stranded", "Can hand over stranded work")]
        indexes = [
            # Wholly in the index: a scan never reads the rows.
            models.Index(
                fields=["stream", "kind", "place", "item"], name="work_key_order"
            ),
            models.Index(
                fields=["item"],
                condition=Q(patient__isnull=True),
                name="work_key_loose",
            ),
        ]

    def __str__(self) -> str:
        return f"work key {self.pk}"


EVERYONE = 0
# Items about no patient, which are within everybody's reach.
LOOSE = -1
# What is below is handed to a person or a team.
FIRST_OWNER = -4


def stream_of_group(group: int | None) -> int:
    """The stream of a patient group (its primary key), or of everyone's patients."""
    return group or EVERYONE


def stream_of_staff(staff: int) -> int:
    """The stream of what is handed to a staff member (a primary key)."""
    return -2 * staff - 2


def stream_of_team(team: int) -> int:
    """The stream of what is handed to a team (a primary key) and taken by nobody."""
    return -2 * team - 3


def kind_number(number: int, unassigned: bool = False) -> int:
    """What keys say of the kind of work with this number.

    What nobody has been given stands among all of its kind, and once more by itself.
    """
    return 2 * number + unassigned
