"""SMART's scopes: what a token may do at most of what its account may do.

`<user|system>/<type|*>.<read|write|*|cruds>`, in the grammar of SMART v1 and of v2
(facts 5.7). Both contexts mean the same here, because the rights are those of an account in
either case. "patient/" is no scope of ours: reach comes from patient groups alone.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

CONTEXTS = ("user", "system")
EVERY_TYPE = "*"
TYPES = (
    "Appointment",
    "AuditEvent",
    "CareTeam",
    "Condition",
    "Consent",
    "Coverage",
    "DiagnosticReport",
    "DocumentReference",
    "Group",
    "Patient",
    "Practitioner",
    "Task",
)
LETTERS = "cruds"
# What v1's words mean in the letters of v2.
WORDS = {"read": "rs", "write": "cud", "*": LETTERS}
# FHIR's names of what is asked of a type, and the letter that each needs.
INTERACTIONS = {
    "create": "c",
    "read": "r",
    "vread": "r",
    "update": "u",
    "patch": "u",
    "delete": "d",
    "search": "s",
    "search-type": "s",
    "history-type": "s",
}

_SCOPE = re.compile(
    rf"(?:{'|'.join(CONTEXTS)})/(?P<type>\*|{'|'.join(TYPES)})"
    r"\.(?P<what>read|write|\*|(?=[cruds])c?r?u?d?s?)"
)


@dataclass(frozen=True)
class Scopes:
    """What a text of scopes lets through; one without scopes narrows nothing."""

    pairs: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def read(cls, text: str) -> "Scopes":
        """The scopes of a text, divided by spaces. Raises ValueError, with what is none."""
        return _read(text)

    def allow(self, kind: str, interaction: str) -> bool:
        """Whether this may be done with this FHIR type, by a name of INTERACTIONS."""
        return self._hold(kind, INTERACTIONS[interaction])

    def cover(self, other: "Scopes") -> bool:
        """Whether everything that the others let through, these let through, too."""
        return all(self._hold(kind, letter) for kind, letter in other.pairs)

    def by_type(self) -> list[tuple[str, str]]:
        """(type, its letters), in the order of the alphabet; "*" is every type."""
        kinds = sorted({kind for kind, _letter in self.pairs})
        return [
            (kind, "".join(x for x in LETTERS if (kind, x) in self.pairs))
            for kind in kinds
        ]

    def _hold(self, kind: str, letter: str) -> bool:
        pairs = self.pairs
        return not pairs or (kind, letter) in pairs or (EVERY_TYPE, letter) in pairs


@lru_cache(maxsize=2000)
def _read(text: str) -> Scopes:
    pairs: set[tuple[str, str]] = set()
    for scope in text.split():
        found = _SCOPE.fullmatch(scope)
        if found is None:
            raise ValueError(scope)
        letters = WORDS.get(found["what"], found["what"])
        pairs |= {(found["type"], letter) for letter in letters}
    return Scopes(frozenset(pairs))


@lru_cache(maxsize=1)
def every_scope() -> tuple[str, ...]:
    """All that can be asked for."""
    letters = ("".join(x) for x in product(*(("", letter) for letter in LETTERS)))
    what = [*WORDS, *filter(None, letters)]
    return tuple(
        f"{context}/{kind}.{word}"
        for context in CONTEXTS
        for kind in (EVERY_TYPE, *TYPES)
        for word in what
    )
