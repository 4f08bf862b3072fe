"""The fonts of printed pages, and what stands for a character that they lack."""

import unicodedata
from functools import cache, lru_cache
from pathlib import Path

from anyascii import anyascii
from fontTools.ttLib import TTFont

FAMILY = "DejaVu"
FOLDER = Path(__file__).parent / "fonts"
FACES = {
    "": FOLDER / "DejaVuSansCondensed.ttf",
    "B": FOLDER / "DejaVuSansCondensed-Bold.ttf",
}
BOX = "□"
# Zero-width letters that Arabic and Persian spelling needs.
JOINERS = "\u200c\u200d"
RIGHT_TO_LEFT = {"R", "AL", "AN"}


@cache
def covered() -> frozenset[int]:
    """The characters that each of the faces has."""
    faces = [frozenset(TTFont(path).getBestCmap()) for path in FACES.values()]
    return frozenset.intersection(*faces)


def drawable(text: str) -> str:
    """The text in characters that the fonts have; it may be longer, and has one line.

    What they lack is written in Latin letters, or as a box where there are none for it.
    """
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(_drawable(character) for character in composed)


def needs_shaping(text: str) -> bool:
    """Whether the glyphs are not simply one after the other, from left to right."""
    return not text.isascii() and any(
        unicodedata.combining(character)
        or unicodedata.bidirectional(character) in RIGHT_TO_LEFT
        for character in text
    )


@lru_cache(maxsize=8192)
def _drawable(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    if category == "Cf" and character not in JOINERS:
        return ""
    if ord(character) in covered():
        return character
    return anyascii(character) or BOX
