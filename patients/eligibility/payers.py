"""What a connection to payers must offer, and which one this clinic uses.

The setting ELIGIBILITY_PAYER names a class by its dotted path; it is made without
arguments. It is the one thing that is loaded by name, because it may come from outside.
"""

import pkgutil
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from django.conf import settings
from django.core import checks


@dataclass(frozen=True)
class Inquiry:
    """What a payer is told: the insurance and who is covered, and no more of the patient."""

    payer_id: str
    payer_name: str
    member_id: str
    group_number: str
    relationship: str
    subscriber_name: str
    first_name: str
    last_name: str
    birth_date: date
    on: date
    start: date | None
    end: date | None


@dataclass(frozen=True)
class Answer:
    """What a payer said: outcome is "active", "inactive" or "unknown"."""

    outcome: str
    plan: str = ""
    copay: Decimal | None = None
    message: str = ""


class NoAnswer(Exception):
    """The payer did not answer, or not in time; the text is shown and kept."""


class Payer(Protocol):
    """A connection to payers, or to the clearing house that passes questions on."""

    def check(self, inquiry: Inquiry, timeout: float) -> Answer:
        """Whether the coverage holds on the day `inquiry.on`.

        Gives up after `timeout` seconds. Raises NoAnswer, OSError (which network errors
        are) or ValueError (an answer that makes no sense).
        """


def configured() -> Payer:
    """The connection that this clinic uses."""
    return pkgutil.resolve_name(settings.ELIGIBILITY_PAYER)()


def check_configured(**kwargs: Any) -> list[checks.CheckMessage]:
    """System check: the setting names something that can be asked."""
    try:
        asked = callable(getattr(configured(), "check", None))
    except (ImportError, AttributeError, ValueError, TypeError):
        asked = False
    if asked:
        return []
    return [
        checks.Error(
            "ELIGIBILITY_PAYER names no class with a method check().",
            hint="Give the dotted path of a class, or leave it out.",
            id="patients.E001",
        )
    ]
