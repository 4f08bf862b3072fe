"""References in what comes in: whom they name, and how it is said when they name nobody."""

import re
from collections.abc import Mapping, Sequence
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


def needed_id_in(
    said: dict[str, Any] | None, kind: str, pattern: re.Pattern[str], at: str
) -> str:
    """id_in() where something has to be referred to; raises Rejected if nothing is."""
    found = id_in(said, kind, pattern, at)
    if found is None:
        raise required(f"{at} -> reference")
    return found


def named(kind: str, ids: Sequence[str], found: Mapping[str, Any]) -> list[Any]:
    """What was found by each id. Raises Problem (422) for the first that names nobody."""
    for each in ids:
        if each not in found:
            raise names_nobody(kind, each)
    return [found[each] for each in ids]


def names_nobody(kind: str, logical_id: str) -> outcomes.Problem:
    """What a reference to a missing resource, or one out of reach, is answered with."""
    return outcomes.against_the_rules(f"Unknown {kind} resource '{logical_id[:64]}'")


def required(at: str) -> Rejected:
    """What is missing in the body, in the words of facts 5.6."""
    return Rejected(f"body -> {at} — Field required (type=missing)")
