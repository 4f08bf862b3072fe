"""References in what comes in: whom they name, and how it is said when they name nobody."""

import re
from typing import Any

from canvas_admin.fhir import outcomes
from canvas_admin.fhir.bundles import Rejected


def id_in(
    said: dict[str, Any] | None, kind: str, pattern: re.Pattern[str], at: str
) -> str | None:
    """The id in a Reference to this type; None where nothing is referred to.

    Raises Rejected for a reference to something else, and Problem (422) for an id that no
    resource of ours can have: like one that is missing.
    """
    text = (said or {}).get("reference") or ""
    if not text:
        return None
    address, slash, logical_id = text.rpartition("/")
    if not slash or address.rpartition("/")[2] != kind:
        raise Rejected(f"body -> {at} -> reference — is not {kind}/<id>")
    if not pattern.fullmatch(logical_id):
        raise names_nobody(kind, logical_id)
    return logical_id


def names_nobody(kind: str, logical_id: str) -> outcomes.Problem:
    """What a reference to a missing resource, or one out of reach, is answered with."""
    return outcomes.against_the_rules(f"Unknown {kind} resource '{logical_id[:64]}'")


def required(at: str) -> Rejected:
    """What is missing in the body, in the words of facts 5.6."""
    return Rejected(f"body -> {at} — Field required (type=missing)")
