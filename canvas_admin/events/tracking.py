"""Models whose every change leaves an event, and the chain of causes that it carries."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Self

from django.db import models, transaction

from canvas_admin.events import carrying
from canvas_admin.events.models import ChangeEvent

# They change with every save and tell nothing.
BOOKKEEPING = {"version", "modified"}

_chain: ContextVar[tuple[str, ...]] = ContextVar("events_chain", default=())

Changes = dict[str, list[Any]]


@contextmanager
def caused_by(chain: Sequence[str]) -> Iterator[None]:
    """Events that are left within have come about by this chain of protocols."""
    before = _chain.set(tuple(chain))
    try:
        yield
    finally:
        _chain.reset(before)


class ChangeTrackedQuerySet(models.QuerySet):
    """Rows that leave events when many are written at once.

    Rows of models that leave none are written as ever, so that models may share managers.
    """

    def bulk_create(self, objs: Any, *args: Any, **options: Any) -> list[Any]:
        """Django's, with an event for each. Raises TypeError where conflicts are let pass:
        nobody would know which rows are new."""
        if not issubclass(self.model, ChangeTracked):
            return super().bulk_create(objs, *args, **options)
        if options.get("ignore_conflicts") or options.get("update_conflicts"):
            raise TypeError("A change that nobody sees leaves no event.")
        with transaction.atomic():
            made = super().bulk_create(objs, *args, **options)
            _leave([row._event(row._as_new(), created=True) for row in made])
        return made

    def update(self, **values: Any) -> int:
        """Django's, with an event for each row that it changes."""
        tells = not BOOKKEEPING.issuperset(values)
        if not tells or not issubclass(self.model, ChangeTracked):
            return super().update(**values)
        with transaction.atomic():
            before = {row.pk: row for row in self.select_for_update(of=("self",))}
            rows = self.model._base_manager.filter(pk__in=before)
            count = rows.update(**values)
            changes = [(row, row._changes_from(before[row.pk])) for row in rows]
            _leave([row._event(found) for row, found in changes if found])
        return count

    def bulk_update(self, *args: Any, **options: Any) -> int:
        """Raises TypeError: save each, or update() all alike."""
        if not issubclass(self.model, ChangeTracked):
            return super().bulk_update(*args, **options)
        raise TypeError("Rows that leave events are saved one by one.")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Django's, with an event for each row."""
        if not issubclass(self.model, ChangeTracked):
            return super().delete()
        with transaction.atomic():
            rows = list(self.select_for_update(of=("self",)))
            _leave([row._gone() for row in rows])
            return self.model._base_manager.filter(
                pk__in=[row.pk for row in rows]
            ).delete()

    bulk_create.alters_data = update.alters_data = True
    delete.alters_data = delete.queryset_only = True


class ChangeTracked(models.Model):
    """A row about a patient; each change of it leaves a ChangeEvent, or is not made.

    A model names its `change_type` (facts 7.5). What a protocol may see of the change is what
    has changed in the columns, old and new, without the bookkeeping of records.Versioned; a
    save that changes nothing leaves nothing. Managers of such models come of
    ChangeTrackedQuerySet, which a test holds.
    """

    change_type: ClassVar[str]

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str, field_names: Any, values: Any) -> Self:
        row = super().from_db(db, field_names, values)
        row._stored = dict(zip(field_names, values, strict=False))
        return row

    def refresh_from_db(
        self, using: str | None = None, fields: Any = None, **options: Any
    ) -> None:
        super().refresh_from_db(using, fields, **options)
        read = {f.attname for f in self._meta.concrete_fields}
        if fields is not None:
            read = {f for f in read if f in fields or f.removesuffix("_id") in fields}
        self._remember(read)

    def save(self, *args: Any, **kwargs: Any) -> None:
        created, named = self._state.adding, kwargs.get("update_fields")
        with transaction.atomic():
            changes = {} if created else self._changed(named)
            super().save(*args, **kwargs)
            if created or changes:
                told = self._as_new() if created else changes
                _leave([self._event(told, created=created)])
        self._remember({f.attname for f in self._tracked(named)})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            _leave([self._gone()])
            return super().delete(*args, **kwargs)

    delete.alters_data = True

    @property
    def changed_patient(self) -> int | None:
        """The primary key of the patient whom this row is about."""
        return self.patient_id

    def _event(
        self, changes: Changes, *, created: bool = False, deleted: bool = False
    ) -> ChangeEvent:
        patient = self.changed_patient
        states = ChangeEvent.State
        return ChangeEvent(
            patient=patient,
            change_type=self.change_type,
            model_name=self._meta.model_name,
            record=self.pk,
            external_id=str(getattr(self, "externally_exposable_id", self.key)),
            created=created,
            deleted=deleted,
            fields=changes,
            chain=list(_chain.get()),
            # Of what is about nobody no protocol can make anything.
            state=states.DONE if patient is None else states.WAITING,
        )

    def _gone(self) -> ChangeEvent:
        fields = {name: [new, None] for name, (_old, new) in self._as_new().items()}
        return self._event(fields, deleted=True)

    def _as_new(self) -> Changes:
        values = {f.column: _plain(f, self._value(f)) for f in self._tracked()}
        return {name: [None, new] for name, new in values.items() if new is not None}

    def _changed(self, named: Any) -> Changes:
        """What a save would change, against what was read; what was not is read now."""
        fields = self._tracked(named)
        stored = getattr(self, "_stored", {})
        if unread := [f.attname for f in fields if f.attname not in stored]:
            rows = type(self)._base_manager.filter(pk=self.pk)
            stored = stored | (rows.values(*unread).first() or {})
        return _differences(fields, stored, self)

    def _changes_from(self, before: Self) -> Changes:
        return _differences(self._tracked(), before._stored, self)

    def _tracked(self, named: Any = None) -> list[models.Field]:
        """The columns that tell, as far as they are loaded, and named for the save."""
        return [
            f
            for f in self._meta.concrete_fields
            if f.name not in BOOKKEEPING
            and f.attname in self.__dict__
            and (named is None or f.name in named or f.attname in named)
        ]

    def _value(self, field: models.Field) -> Any:
        return getattr(self, field.attname)

    def _remember(self, names: set[str]) -> None:
        held = {name: self.__dict__[name] for name in names if name in self.__dict__}
        self._stored = {**getattr(self, "_stored", {}), **held}


def _differences(
    fields: Sequence[models.Field], stored: dict[str, Any], row: ChangeTracked
) -> Changes:
    pairs = {
        f.column: [_plain(f, stored.get(f.attname)), _plain(f, row._value(f))]
        for f in fields
    }
    return {column: pair for column, pair in pairs.items() if pair[0] != pair[1]}


def _plain(field: models.Field, value: Any) -> Any:
    """The value as its column has it, whoever set it: a text of a date is a date."""
    if isinstance(field, models.FileField):
        return str(value or "")
    return value if value is None else field.to_python(value)


def _leave(events: list[ChangeEvent]) -> None:
    carrying.carry(ChangeEvent.objects.bulk_create(events))
