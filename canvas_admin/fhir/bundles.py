"""FHIR bundles as they come in: read, checked for their form, references resolved.

Knows no resource of ours. Whatever is wrong is a BrokenBundle that says where and why,
and never repeats a value, because values are patients' data.
"""

import json
import re
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE_LIMIT = 64 * 1024 * 1024
KINDS = ("collection", "transaction", "batch")
METHODS = ("POST", "PUT")

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}\Z")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
_NOT_SHOWN = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
REASON_LIMIT = 300


class Rejected(ValueError):
    """What is wrong with a resource, in words. Whoever knows the entry adds where."""


@dataclass(frozen=True)
class Entry:
    """One entry of a bundle: its place, its fullUrl ("" without) and its resource."""

    index: int
    full_url: str
    resource: dict[str, Any]

    @property
    def type(self) -> str:
        return self.resource["resourceType"]

    @property
    def id(self) -> str:
        """The resource's id where it has a proper one, else ""."""
        value = self.resource.get("id")
        return value if isinstance(value, str) and _ID.match(value) else ""

    @property
    def source_id(self) -> str:
        """By what the source knows this resource again: its id, else its fullUrl's end."""
        end = re.split(r"[/:]", self.full_url)[-1]
        return self.id or (end if _ID.match(end) else "")

    @property
    def where(self) -> str:
        """The place in words, such as "entry[3] Condition/ab12"."""
        return f"entry[{self.index}] {self.type}" + (f"/{self.id}" if self.id else "")


class BrokenBundle(Exception):
    """A bundle that cannot be taken; `where` is empty for the bundle as a whole."""

    def __init__(self, reason: str, where: str = "") -> None:
        self.reason = one_line(reason)
        self.where = where
        super().__init__(f"{where}: {self.reason}" if where else self.reason)


@contextmanager
def located(entry: Entry) -> Iterator[None]:
    """Turns a Rejected into a BrokenBundle that names this entry."""
    try:
        yield
    except Rejected as error:
        raise BrokenBundle(str(error), entry.where) from error


class Bundle:
    """The entries of a bundle, and what their references mean."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self._by_name: dict[str, Entry] = {}
        for entry in entries:
            names = {entry.full_url, f"{entry.type}/{entry.id}" if entry.id else ""}
            for name in names - {""}:
                if name in self._by_name:
                    raise BrokenBundle("the same resource comes twice", entry.where)
                self._by_name[name] = entry

    @classmethod
    def read(cls, path: Path) -> "Bundle":
        """The bundle in a file. Raises BrokenBundle."""
        return cls.parse(content_of(path))

    @classmethod
    def parse(cls, content: bytes) -> "Bundle":
        """The bundle in these bytes (JSON in UTF-8). Raises BrokenBundle."""
        data = parse_json(content)
        if not isinstance(data, dict) or data.get("resourceType") != "Bundle":
            raise BrokenBundle("is not a FHIR Bundle")
        if data.get("type") not in KINDS:
            raise BrokenBundle(f"the Bundle's type is none of {', '.join(KINDS)}")
        entries = data.get("entry", [])
        if not isinstance(entries, list):
            raise BrokenBundle("entry is not a list")
        return cls([_entry(index, each) for index, each in enumerate(entries)])

    def of_type(self, name: str) -> list[Entry]:
        """The entries that hold this type of resource."""
        return [entry for entry in self.entries if entry.type == name]

    def types(self) -> Counter[str]:
        """How many entries there are of each type."""
        return Counter(entry.type for entry in self.entries)

    def find(self, reference: str) -> Entry | None:
        """The entry that a reference means; None when it is not in this bundle.

        By fullUrl (urn:uuid:… or absolute), by Type/id, or by identifier
        (Type?identifier=system|value).
        """
        if wanted := identifier_in(reference):
            return self._find_by_identifier(*wanted)
        return self._by_name.get(reference.partition("/_history/")[0])

    def _find_by_identifier(self, kind: str, system: str, value: str) -> Entry | None:
        for entry in self.of_type(kind):
            identifiers = entry.resource.get("identifier")
            for each in identifiers if isinstance(identifiers, list) else ():
                known = each if isinstance(each, dict) else {}
                if (known.get("system", ""), known.get("value")) == (system, value):
                    return entry
        return None


def identifier_in(reference: str) -> tuple[str, str, str] | None:
    """(type, system, value) of a conditional reference, Type?identifier=system|value."""
    kind, asked, token = reference.partition("?identifier=")
    system, bar, value = token.partition("|")
    return (kind, system, value) if asked and bar and value else None


def content_of(path: Path) -> bytes:
    """The bytes of a file. Raises BrokenBundle for one that is not, or too large."""
    try:
        # Asked first, because opening a pipe would wait for somebody to write.
        if not stat.S_ISREG(path.stat().st_mode):
            raise BrokenBundle("is not a file")
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise BrokenBundle(f"cannot be read: {error.strerror}") from error
    if len(content) > FILE_LIMIT:
        raise BrokenBundle(f"is larger than {FILE_LIMIT // 2**20} MiB")
    return content


def one_line(text: str) -> str:
    """The text without line breaks or control characters, cut at REASON_LIMIT."""
    text = _NOT_SHOWN.sub(" ", text).strip()
    return text if len(text) <= REASON_LIMIT else f"{text[:REASON_LIMIT]}…"


def parse_json(content: bytes) -> Any:
    """JSON in UTF-8, without repeated names. Raises BrokenBundle that says where it ends."""
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_without_repeats,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        raise BrokenBundle(f"is not UTF-8 text (byte {error.start})") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BrokenBundle(f"is not JSON: {error.msg} ({place})") from error
    except Rejected as error:
        raise BrokenBundle(f"is not JSON: {error}") from error
    except ValueError as error:
        raise BrokenBundle("is not JSON: a number is too long") from error
    except RecursionError as error:
        raise BrokenBundle("is nested too deeply") from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a name that comes twice in one object: which value counts is unknown."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Rejected("a name comes twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise Rejected(f"{name} is no number")


def _entry(index: int, data: Any) -> Entry:
    where = f"entry[{index}]"
    resource = data.get("resource") if isinstance(data, dict) else None
    if not isinstance(resource, dict):
        raise BrokenBundle("has no resource", where)
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not _TYPE.match(kind):
        raise BrokenBundle("its resource has no proper resourceType", where)
    entry = Entry(index, data.get("fullUrl", ""), resource)
    if not isinstance(entry.full_url, str):
        raise BrokenBundle("its fullUrl is not text", entry.where)
    request = data.get("request", {"method": METHODS[0]})
    if not isinstance(request, dict) or request.get("method") not in METHODS:
        raise BrokenBundle("its request is neither POST nor PUT", entry.where)
    return entry
