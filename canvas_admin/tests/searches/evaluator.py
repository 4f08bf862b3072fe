"""What a search means, over resources as they are read: plain Python, no database.

Written from FHIR R4's page on search and facts 1 to 5. It knows of the application only how
texts are folded, which both sides have to do alike.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from patients.models.folded import folded_words

Json = dict[str, Any]
# Each value that a parameter looks at in a resource.
Values = Callable[[Json], Iterable[Any]]
MRN = "http://canvasmedical.com"


def span(text: str) -> tuple[datetime, datetime]:
    """Begin and end of what a date or time leaves open; a day is one of UTC."""
    if "T" in text:
        clock = text.replace(" ", "+").partition("T")[2]
        zone = re.search(r"(Z|[+-]\d\d:\d\d)$", clock)
        bare = clock[: zone.start()] if zone else clock
        day = text.partition("T")[0]
        tail = (zone[0] if zone else "Z").replace("Z", "+00:00")
        parts = bare.split(":")
        seconds = parts[2] if len(parts) > 2 else "00"
        begin = datetime.fromisoformat(f"{day}T{parts[0]}:{parts[1]}:00{tail}")
        whole, _dot, fraction = seconds.partition(".")
        begin += timedelta(
            seconds=int(whole), microseconds=int((fraction + "000000")[:6])
        )
        begin = begin.astimezone(UTC)
        if fraction:
            return begin, begin + timedelta(microseconds=10 ** (6 - len(fraction)))
        return begin, begin + timedelta(seconds=1 if len(parts) > 2 else 60)
    year, month, day = (int(part) for part in (text + "-01-01")[:10].split("-"))
    begin = datetime(year, month, day, tzinfo=UTC)
    days = {
        4: 366 if monthrange(year, 2)[1] == 29 else 365,
        7: monthrange(year, month)[1],
        10: 1,
    }[len(text)]
    return begin, begin + timedelta(days=days)


def date_fits(value: str, asked: str) -> bool:
    """FHIR R4, Search, Prefixes."""
    prefix, rest = (asked[:2], asked[2:]) if asked[:2].isalpha() else ("eq", asked)
    low, high = span(rest)
    begin, end = span(value)
    within = low <= begin and end <= high
    return {
        "eq": within,
        "ne": not within,
        "gt": end > high,
        "ge": end > high or within,
        "lt": begin < low,
        "le": begin < low or within,
        "sa": begin >= high,
        "eb": end <= low,
    }[prefix]


def instant_fits(value: str, asked: str) -> bool:
    """The same of a moment, which has no length."""
    prefix, rest = (asked[:2], asked[2:]) if asked[:2].isalpha() else ("eq", asked)
    low, high = span(rest)
    at = datetime.fromisoformat(value)
    return {
        "eq": low <= at < high,
        "ne": not low <= at < high,
        "gt": at >= high,
        "sa": at >= high,
        "ge": at >= low,
        "lt": at < low,
        "eb": at < low,
        "le": at < high,
    }[prefix]


def begins(value: str, asked: str) -> bool:
    words = folded_words(asked)
    return bool(words.strip()) and folded_words(value).startswith(words)


def has_word(value: str, asked: str) -> bool:
    words = folded_words(asked)
    return bool(words.strip()) and words in folded_words(value)


def same(value: Any, asked: str) -> bool:
    return value == asked.rpartition("|")[2] != ""


def refers(kind: str) -> Callable[[str, str], bool]:
    def fits(value: str, asked: str) -> bool:
        return value == (asked if "/" in asked else f"{kind}/{asked}")

    return fits


def called(kind: str) -> Callable[[str, str], bool]:
    def fits(value: str, asked: str) -> bool:
        return value == asked.removeprefix(f"{kind}/")

    return fits


def numbered(value: Json, asked: str) -> bool:
    """The five forms of an identifier (facts 4)."""
    system, bar, number = asked.rpartition("|")
    own = value.get("system") == MRN
    if not system and not number:
        return False
    if bar and not system and own:
        return False
    if bar and value.get("system", "") != system:
        return False
    return not number or value["value"] == number


def names(*uses: str) -> Callable[[str], Values]:
    """The texts of an element of the names, of these uses or all."""

    def of(element: str) -> Values:
        def found(resource: Json) -> Iterable[str]:
            for name in resource.get("name", []):
                if not uses or name["use"] in uses:
                    text = name.get(element, "")
                    yield text if isinstance(text, str) else " ".join(text)

        return found

    return of


def at(*path: str) -> Values:
    """The value at the end of these elements, if it is there."""

    def found(resource: Json) -> Iterable[Any]:
        for part in path:
            resource = resource.get(part) if isinstance(resource, dict) else None
        return [] if resource is None else [resource]

    return found


def telecom(system: str) -> Values:
    return lambda r: [t["value"] for t in r.get("telecom", []) if t["system"] == system]


def labels(resource: Json) -> list[str]:
    return [each["valueString"] for each in resource.get("input", [])]


def participants(resource: Json) -> list[str]:
    return [each["member"]["reference"] for each in resource.get("participant", [])]


def codes(element: str) -> Values:
    """The codes of an element that is one concept or a list of them."""

    def found(resource: Json) -> Iterable[str]:
        concepts = resource.get(element, [])
        for concept in concepts if isinstance(concepts, list) else [concepts]:
            for coding in concept.get("coding", []):
                yield coding["code"]

    return found


def boolean(value: bool, asked: str) -> bool:
    return {True: "true", False: "false"}[value] == asked.rpartition("|")[2]


Fits = Callable[[Any, str], bool]
MEANT: dict[str, dict[str, list[tuple[Values, Fits]]]] = {
    "Task": {
        "_id": [(at("id"), called("Task"))],
        "description": [(at("description"), begins)],
        "due": [(at("restriction", "period", "end"), instant_fits)],
        "label": [(labels, same)],
        "modified": [(at("lastModified"), instant_fits)],
        "owner": [(at("owner", "reference"), refers("Practitioner"))],
        "patient": [(at("for", "reference"), refers("Patient"))],
        "priority": [(at("priority"), same)],
        "requester": [(at("requester", "reference"), refers("Practitioner"))],
        "status": [(at("status"), same)],
    },
    "Patient": {
        "_id": [(at("id"), called("Patient"))],
        "active": [(at("active"), boolean)],
        "birthdate": [(at("birthDate"), date_fits)],
        "email": [(telecom("email"), same)],
        "family": [(names()("family"), begins)],
        "gender": [(at("gender"), same)],
        "given": [(names()("given"), has_word)],
        "identifier": [(lambda r: r.get("identifier", []), numbered)],
        "name": [(names()("family"), has_word), (names()("given"), has_word)],
        "nickname": [
            (names("nickname")("family"), has_word),
            (names("nickname")("given"), has_word),
        ],
        "phone": [(telecom("phone"), same)],
    },
    "Consent": {
        "_id": [(at("id"), called("Consent"))],
        "patient": [(at("patient", "reference"), refers("Patient"))],
        "period": [(at("provision", "period", "start"), date_fits)],
    },
    "CareTeam": {
        "participant": [(participants, refers("Practitioner"))],
        "patient": [(at("subject", "reference"), refers("Patient"))],
        "status": [(at("status"), same)],
    },
    "DocumentReference": {
        "_id": [(at("id"), called("DocumentReference"))],
        "category": [(codes("category"), same)],
        "date": [(at("date"), instant_fits)],
        "patient": [(at("subject", "reference"), refers("Patient"))],
        "status": [(at("status"), same)],
        "subject": [(at("subject", "reference"), refers("Patient"))],
        "type": [(codes("type"), same)],
    },
}
# The element that a chain follows.
CHAINS = {
    ("DocumentReference", "patient"): "subject",
    ("DocumentReference", "subject"): "subject",
    ("Task", "patient"): "for",
}
EXACT = {
    ("Task", "description"): [at("description")],
    ("Patient", "family"): [names()("family")],
}


def matches(
    resource: Json, query: list[tuple[str, str]], readable: dict[str, Json]
) -> bool:
    """Whether a resource is what all parameters ask for.

    `readable` are the resources that the caller may read, by type and id, for chains.
    """
    return all(_asks(resource, name, text, readable) for name, text in query)


def _asks(resource: Json, name: str, text: str, readable: dict[str, Json]) -> bool:
    base, _dot, behind = name.partition(".")
    kind = resource["resourceType"]
    if behind:
        element = CHAINS[kind, base]
        for reference in at(element, "reference")(resource):
            target = readable.get(reference)
            if target and _asks(target, behind, text, readable):
                return True
        return False
    base, _colon, modifier = name.partition(":")
    asked = [value for value in text.split(",") if value]
    meant = MEANT[kind][base]
    if modifier == "missing":
        there = any(list(values(resource)) for values, _fits in meant)
        return there != (text == "true")
    if modifier == "exact":
        found = [v for values in EXACT[kind, base] for v in values(resource)]
        return any(value in asked for value in found)
    fits = any(
        fit(value, each)
        for values, fit in meant
        for value in values(resource)
        for each in asked
    )
    return fits != (modifier == "not")
