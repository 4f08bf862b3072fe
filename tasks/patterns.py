"""Patterns of titles: * stands for any text, also for none, and ? for one character.

They are no regular expressions: Python's own can take hours over a short title. What a
pattern becomes looks for its parts one behind the other and never goes back to an earlier
one, so that it takes no longer than the title times the pattern.
"""

import re
from functools import lru_cache

LONGEST = 100
WILDCARDS = "*?"


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """The expression that a whole title has to match; upper and lower case count."""
    first, *others = map(_literally, re.split(r"\*+", pattern))
    if not others:
        return re.compile(first, re.DOTALL)
    *between, last = others
    # Atomic: where a part is found first, there is most room for those behind it.
    found = "".join(f"(?>.*?{part})" for part in between)
    return re.compile(f"{first}{found}.*{last}", re.DOTALL)


def _literally(part: str) -> str:
    return "".join("." if letter == "?" else re.escape(letter) for letter in part)
