"""The one place that writes the keys of streams, checks and repairs them (DESIGN section 6).

Keys are kept in books: that of names is here, those of open work and of claims in
patients.work.work_keys and patients.revenue.claim_keys. What a patient's keys must be
follows from the patient's row, memberships, open work and claims alone. Saving one of
these calls refresh() in the same transaction; what goes round that is found, and mended
while the site is in use, by `manage.py check_access`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.db import models, transaction

from canvas_admin.records import clock
from patients.models.stream_keys import StreamKey, place_of, stream_of, word_of
from patients.search import folding

Kind = StreamKey.Kind
# Patients in one transaction: SQLite's only write lock is held for well under 200 ms.
AT_ONCE = 200


class Key(NamedTuple):
    """What a stream key says."""

    stream: int
    kind: int
    place: str
    words: str
    ends: datetime | None


# The groups that a patient is in, None for everyone, each with the membership's end.
Groups = dict[int | None, datetime | None]
Needed = dict[int, set[Any]]


@dataclass(frozen=True)
class Book:
    """Keys of one sort: their table, what each says, and which ones patients must have.

    `needed` is asked about patients by primary key, and the groups that each is in;
    `sources` are the rows that have keys, each with the keys that they have, by which it is
    told whether any were written. Where `narrowed` names conditions, the book speaks of
    keys that meet them, and of no others. `loose` checks, or repairs, the keys of rows about
    no patient, and says how many were wrong.
    """

    model: type[models.Model]
    says: type[Any]
    needed: Callable[[dict[int, Any], dict[int, Groups]], Needed]
    sources: Callable[[], Iterable[tuple[models.QuerySet, models.QuerySet]]]
    narrowed: dict[str, Any] = field(default_factory=dict)
    loose: Callable[..., int] | None = None

    def about(self) -> list[type[models.Model]]:
        """The models without which the book cannot be kept."""
        return [self.model, *(rows.model for rows, _keys in self.sources())]

    def unwritten(self) -> bool:
        """Whether there are rows of a sort of which no key was ever written."""
        return any(rows.exists() and not keys.exists() for rows, keys in self.sources())

    def there(self, patients: Collection[int]) -> dict[int, list[tuple[int, Any]]]:
        """The keys that these patients have, each behind its own primary key."""
        found: dict[int, list[tuple[int, Any]]] = {pk: [] for pk in patients}
        rows = self.model._base_manager.filter(patient__in=found, **self.narrowed)
        for patient, pk, *key in rows.values_list("patient", "pk", *self.says._fields):
            found[patient].append((pk, self.says(*key)))
        return found

    def put_right(self, patients: dict[int, Any], groups: dict[int, Groups]) -> None:
        """Write what differs from what these patients, who are locked, must have."""
        needed, there = self.needed(patients, groups), self.there(patients)
        gone, new = [], []
        for pk in patients:
            extra, missing = difference(needed[pk], there[pk])
            gone += extra
            new += [self.model(patient_id=pk, **key._asdict()) for key in missing]
        if gone:
            self.model._base_manager.filter(pk__in=gone).delete()
        self.model._base_manager.bulk_create(new)

    def wrong(self, patients: dict[int, Any], groups: dict[int, Groups]) -> set[int]:
        """Those whose keys are not what they must be."""
        needed, there = self.needed(patients, groups), self.there(patients)
        return {pk for pk in patients if any(difference(needed[pk], there[pk]))}


def refresh(patients: Collection[int], *books: Book) -> None:
    """Make the keys of these patients (primary keys) what they must be.

    In all books, or in those that are given. Call it in the transaction of the change: it
    locks the patients first, so that of two changes of one patient the later sees both.
    """
    with transaction.atomic():
        model = apps.get_model("patients", "Patient")
        rows = model.objects.select_for_update(no_key=True).filter(pk__in=patients)
        locked = {row.pk: row for row in rows.order_by("pk")}
        groups = _groups(locked)
        for book in books or BOOKS:
            book.put_right(locked, groups)


def check(*, repair: bool = False) -> Iterator[tuple[int, list[int]]]:
    """Go through all patients; for each part, how many, and whose keys are not right.

    With `repair` they are put right, a part at a time, so that the site goes on. What
    looks wrong is looked at again under a lock: a change that happens meanwhile is no
    damage.
    """
    model = apps.get_model("patients", "Patient")
    last = 0
    while True:
        rows = {
            p.pk: p for p in model.objects.filter(pk__gt=last).order_by("pk")[:AT_ONCE]
        }
        if not rows:
            return
        suspects = _wrong(rows)
        yield len(rows), _settle(suspects, repair) if suspects else []
        last = max(rows)


def sweep() -> int:
    """Take out the keys of memberships whose end has come; returns of how many."""
    over = StreamKey.objects.filter(ends__lte=clock.now()).order_by("ends")
    swept = 0
    while patients := set(over.values_list("patient", flat=True)[:AT_ONCE]):
        refresh(patients)
        swept += len(patients)
    return swept


def fill_after_migrate(apps: Any = apps, **_signal: Any) -> None:
    """Make the keys of a clinic that had patients, or work, before there were keys."""
    known = {model._meta.label for model in apps.get_models()}
    if all(
        known.issuperset(model._meta.label for model in book.about()) for book in BOOKS
    ) and any(book.unwritten() for book in BOOKS):
        for _number, _wrong in check(repair=True):
            pass
        for book in BOOKS:
            if book.loose:
                book.loose(repair=True)


def places(patient: Any) -> list[tuple[int, str]]:
    """(kind, place) of each key that a patient has in every stream the patient is in."""
    family = set(folding.fold(patient.last_name).split())
    names = [word_of(word, word in family) for word in patient.name_words.split()]
    said = [
        (Kind.NAME, ""),
        (Kind.BIRTH, patient.birth_date.isoformat()),
        *((Kind.WORD, word) for word in names),
    ]
    return [(kind, place_of(word, patient.sort_name)) for kind, word in said]


def _needed(patients: dict[int, Any], groups: dict[int, Groups]) -> Needed:
    """The keys of names that these patients must have, by primary key."""
    return {
        pk: {
            Key(
                stream_of(group, patient.listed),
                kind,
                place,
                *_with(patient, kind, ends),
            )
            for group, ends in groups[pk].items()
            for kind, place in places(patient)
        }
        for pk, patient in patients.items()
    }


def _with(
    patient: Any, kind: int, ends: datetime | None
) -> tuple[str, datetime | None]:
    """What else a key of this kind holds: all words, or the membership's end."""
    return ("", ends) if kind == Kind.NAME else (patient.name_words, None)


def _groups(patients: Collection[int]) -> dict[int, Groups]:
    """The groups that each patient is in, each with the end of the membership."""
    found: dict[int, Groups] = {pk: {None: None} for pk in patients}
    members = apps.get_model("patients", "PatientGroupMember").objects.going_on()
    rows = members.filter(member__in=patients).order_by("end_date")
    for pk, group, end in rows.values_list("member", "patient_group", "end_date"):
        until = found[pk].get(group, end)
        found[pk][group] = end and until and max(end, until)
    return found


def difference(
    needed: set[Any], there: list[tuple[int, Any]]
) -> tuple[list[int], set[Any]]:
    """The rows that are too many, and the keys that are missing."""
    extra, missing = [], set(needed)
    for pk, key in there:
        if key in missing:
            missing.remove(key)
        else:
            extra.append(pk)
    return extra, missing


def _wrong(patients: dict[int, Any]) -> list[int]:
    """Those who have wrong keys in any book."""
    groups = _groups(patients)
    wrong = set().union(*(book.wrong(patients, groups) for book in BOOKS))
    return [pk for pk in patients if pk in wrong]


def _settle(suspects: list[int], repair: bool) -> list[int]:
    """Those of the suspects who are wrong under a lock too; put right if wanted."""
    with transaction.atomic():
        model = apps.get_model("patients", "Patient")
        rows = model.objects.select_for_update(no_key=True).filter(pk__in=suspects)
        wrong = _wrong({row.pk: row for row in rows.order_by("pk")})
        if repair:
            refresh(wrong)
        return wrong


def _patients() -> list[tuple[models.QuerySet, models.QuerySet]]:
    patients = apps.get_model("patients", "Patient").objects.all()
    return [(patients, StreamKey.objects.all())]


NAMES = Book(StreamKey, Key, _needed, _patients)
# Those that are kept for every patient; the others are added when the app starts.
BOOKS = [NAMES]
