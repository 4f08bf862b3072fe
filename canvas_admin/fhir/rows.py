"""Values on their way into our rows: whether they fit, whether they differ."""

import hashlib
import json
from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from canvas_admin.fhir.bundles import Rejected

# How often an element may repeat (names, addresses, …), so that a bundle's transaction
# stays short.
REPEATS = 20

Values = dict[str, Any]

LARGEST_SMALL_NUMBER = 32_767


def fit(model: type[models.Model], values: Values, at: str) -> Values:
    """The values, when each fits its field on every database.

    Empty ones are not looked at. Raises Rejected, naming the element `at`, without the
    value itself.
    """
    for name, value in values.items():
        field = model._meta.get_field(name)
        if value in ("", None):
            continue
        if isinstance(field, models.CharField) and len(value) > field.max_length:
            raise Rejected(
                f"{at}: {len(value)} characters are too many for {name}, "
                f"{field.max_length} is the most"
            )
        if isinstance(field, models.PositiveSmallIntegerField):
            if value > LARGEST_SMALL_NUMBER:
                raise Rejected(f"{at}: the number is too large for {name}")
        try:
            field.clean(value, None)
        except ValidationError as error:
            raise Rejected(f"{at}: {name} has a value that is not known") from error
    return values


def limited(elements: list[Any] | None, at: str) -> list[Any]:
    """A repeated element as a list. Raises Rejected when it repeats too often."""
    if len(elements or []) > REPEATS:
        raise Rejected(f"{at}: repeats more than {REPEATS} times")
    return elements or []


def digest(*values: Any) -> str:
    """A fingerprint of what a source sent, so that the same again changes nothing."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def take(row: models.Model, values: Values) -> bool:
    """Set the values on a row; whether any of them was another before."""
    changed = {name: v for name, v in values.items() if getattr(row, name) != v}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def bring(rows: Any, incoming: Collection[Values], pair_by: tuple[str, ...]) -> bool:
    """Make a related manager's rows hold what came in; whether anything was written.

    What is there already stays. Of the rest each changes the oldest other row that is
    equal in the `pair_by` fields, or becomes a new one. Nothing is removed.
    """
    there = list(rows.order_by("pk"))
    missing = []
    for values in incoming:
        same = _first(there, values, values)
        if same is None:
            missing.append(values)
        else:
            there.remove(same)
    new = []
    for values in missing:
        twin = _first(there, values, pair_by)
        if twin is None:
            new.append(rows.model(**rows.core_filters, **values))
        else:
            there.remove(twin)
            take(twin, values)
            twin.save()
    rows.bulk_create(new)
    return bool(missing)


def _first(
    rows: list[models.Model], values: Values, names: Collection[str]
) -> models.Model | None:
    """The first row that has these values in the named fields."""
    return next(
        (r for r in rows if all(getattr(r, n) == values[n] for n in names)), None
    )
