"""Names as they are compared: without regard to case, accents, hyphens or apostrophes."""

import re

from anyascii import anyascii

# Between the parts of a sort key; sorts below the space, so that "Smith, John" comes
# before "Smith Jones, Ann" (reference/search-lab.md).
SEPARATOR = "\x1f"
WORDS_KEPT = 320

_DROPPED = re.compile(r"['’ʼ`´.‘]")
_GAP = re.compile(r"[^0-9a-z]+")


def fold(text: str) -> str:
    """Lower-case ASCII words with one space between: "O’Brien-Núñez" is "obrien nunez"."""
    return _GAP.sub(" ", anyascii(_DROPPED.sub("", text)).casefold()).strip()


def sort_key(family: str, given: str, key: str) -> str:
    """What patients are ordered by: family, given, then the key, which makes it unique."""
    return SEPARATOR.join((fold(family)[:60], fold(given)[:60], key))


def word_prefixes(*names: str) -> str:
    """The folded words of some names, each behind a space, to be matched by prefix.

    At most WORDS_KEPT characters: folding lengthens some scripts many times.
    """
    words = dict.fromkeys(" ".join(map(fold, names)).split())
    return (" " + " ".join(words))[:WORDS_KEPT]
