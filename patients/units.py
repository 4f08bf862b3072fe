"""Measured values as people read them; the rows keep what their source sent.

Units come in UCUM, the code of units that FHIR asks for: braces hold words that are no unit
("{score}"), brackets units of custom ("mm[Hg]"), and an asterisk is a power ("10*3/uL").
"""

import re
from decimal import Decimal

_CUSTOM = {
    "[degF]": "°F",
    "Cel": "°C",
    "[in_i]": "in",
    "[lb_av]": "lb",
    "mm[Hg]": "mmHg",
}
_POWER = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
# More decimals than any device measures: what binary arithmetic left behind.
_NOISE = re.compile(r"-?\d+\.\d{6,}")
_DIGITS = 4


def measured(value: str, unit: str) -> str:
    """A value with its unit, such as "5.4 mmol/L"."""
    return f"{plain(value)} {in_words(unit)}".strip()


def in_words(unit: str) -> str:
    """A unit of UCUM in common writing; of "{score}" its word, of "{#}" nothing."""
    if unit in _CUSTOM:
        return _CUSTOM[unit]
    words = re.sub(r"[{}\[\]]", "", unit).replace("#", "").replace("_", " ")
    words = re.sub(r"10\*(-?\d+)", lambda at: f"10{at[1].translate(_POWER)}", words)
    return re.sub(r"(?<=m)[23]\b", lambda at: at[0].translate(_POWER), words)


def plain(value: str) -> str:
    """A value without the decimals that nobody measured; any other as it is."""
    if not _NOISE.fullmatch(value):
        return value
    number = Decimal(value)
    decimals = max(_DIGITS - 1 - number.adjusted(), 0)
    text = format(round(number, decimals), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
