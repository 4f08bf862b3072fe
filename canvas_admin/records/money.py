"""Amounts of money: decimals with two places in Python, whole cents in the database."""

from decimal import Decimal
from typing import Any

from django import forms
from django.db import models

ZERO = Decimal("0.00")
# Nine digits: 9,999,999.99 is the largest amount that a form takes.
DIGITS, PLACES = 9, 2


def cents(amount: Any) -> int:
    """An amount in cents. Raises ValueError for a part of a cent."""
    scaled = Decimal(amount).scaleb(PLACES)
    if scaled != scaled.to_integral_value():
        raise ValueError("An amount of money has whole cents.")
    return int(scaled)


class MoneyField(models.Field):
    """An amount in the clinic's currency, exact to the cent.

    SQLite adds up a DecimalField as floating point numbers; whole cents are added exactly
    by both databases.
    """

    def get_internal_type(self) -> str:
        return "BigIntegerField"

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> Any:
        return None if value is None else Decimal(int(value)).scaleb(-PLACES)

    def to_python(self, value: Any) -> Decimal | None:
        return None if value is None else Decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else cents(value)

    def formfield(self, **kwargs: Any) -> Any:
        usual = {
            "form_class": forms.DecimalField,
            "max_digits": DIGITS,
            "decimal_places": PLACES,
        }
        return super().formfield(**usual | kwargs)
