"""The ordered keys by which lists and search find candidates."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Q

from canvas_admin.records.models import BytewiseCharField
from patients.search import folding


class StreamKey(models.Model):
    """One way to come upon a patient in one stream, in an order that an index keeps.

    A stream is everyone, or one patient group; each is in two halves (see stream_of).
    Within a stream the keys lie by kind, then by place, which is a word and behind it the
    patient's sort name, so that a list is one stretch of the index and so is every prefix.
    A key proposes a patient and opens nothing: the rule of patients.access decides.
    """

    class Kind(models.IntegerChoices):
        NAME = 0  # one for each patient, the word empty: the list by name
        BIRTH = 1  # one for each patient, the word a date: 1980-01-02
        WORD = 2  # one for each folded word of the name, see word_of

    stream = models.BigIntegerField(editable=False)
    kind = models.PositiveSmallIntegerField(choices=Kind, editable=False)
    # One column, as PostgreSQL does not end a scan by the second part of a row's bound.
    place = BytewiseCharField(max_length=folding.WORDS_KEPT + 1 + 160, editable=False)
    patient = models.ForeignKey(
        "patients.Patient",
        on_delete=models.PROTECT,
        related_name="stream_keys",
        editable=False,
    )
    # All words of the name, on all keys but those of the kind NAME: a search for two words
    # need not look at the patients' rows.
    words = BytewiseCharField(max_length=folding.WORDS_KEPT, editable=False, blank=True)
    # When the membership behind the key ends, on keys of the kind NAME alone.
    ends = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "stream key"
        indexes = [
            # Wholly in the index: a scan never reads the rows.
            models.Index(
                fields=["stream", "kind", "place", "patient", "words"],
                name="stream_key_order",
            ),
            models.Index(
                fields=["ends"],
                condition=Q(ends__isnull=False),
                name="stream_key_ends",
            ),
        ]

    def __str__(self) -> str:
        """Without a name, so that no log line can carry one."""
        return f"stream key {self.pk}"


EVERYONE = 0


def word_of(word: str, family: bool) -> str:
    """What a key of the kind WORD says of a folded word, of the family name or another.

    Of names that have the same word, family names come first, and all of them before
    longer words: no word has a space, and a space sorts before letters and digits.
    """
    return word if family else f"{word} "


def place_of(word: str, sort_name: str = "") -> str:
    """Where a key stands among those of its stream and kind: by word, then by sort name.

    Without a name, ahead of all that have the word.
    """
    return f"{word}{folding.SEPARATOR}{sort_name}"


def stream_of(group: int | None, listed: bool) -> int:
    """The stream of a patient group (its primary key), or of everyone (None).

    Each has a half of active, living patients (listed), and one of all the others.
    """
    return streams_of([group], listed)[0]


def streams_of(groups: Iterable[int | None], listed: bool) -> list[int]:
    """The streams of several groups; see stream_of()."""
    half = not listed
    return [2 * (group or EVERYONE) + half for group in groups]
