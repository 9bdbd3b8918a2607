"""The unit that stands in a heading: GFLOPs, params (M), параметры, тыс., 参数量（万）, params (×10⁶), FLOPs/1000."""

from __future__ import annotations

import re
from typing import NamedTuple

from archcalc.teach.reading.words import WORDS

_SCALES: dict[str, int] = WORDS["scales"]
_LETTERS = {"k": 10**3, "к": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_PREFIXES = {"kilo": 10**3, "mega": 10**6, "giga": 10**9, "tera": 10**12} | _LETTERS
#: How a unit is written after a number, for those who read it.
_WRITTEN = {10**3: "K", 10**4: "万", 10**5: "lakh", 10**6: "M", 10**7: "crore", 10**8: "億", 10**9: "G",
            10**12: "trillion"}  # fmt: skip
_SCALE = "|".join(sorted(map(re.escape, _SCALES), key=len, reverse=True))
_POWER = r"10\s?(?:\^|\*\*)\s?\{?(?P<power>\d{1,2})\}?|1e\+?(?P<exponent>\d{1,2})|1(?P<zeros>(?:[,' ]?000){1,3})"
#: A unit by itself: in thousands, ×10^6, тыс. шт., באלפים.
_ALONE = re.compile(
    rf"(?:(?:in|en|em|по|в|x|of)\s|[x×*·/÷]\s?)?ב?(?:(?P<word>{_SCALE})s?\.?|{_POWER}|(?P<letter>[kкmgt]))"
    r"(?:\s?(?:шт\.?|штук))?"
)
#: After the name of a column.
_AFTER = re.compile(
    rf"(?P<name>.*?\w[)\]]?)(?:\s|,\s?|(?P<sign>\s?[/÷×*·]\s?|\sx\s?))(?:(?:in|en|em|в|x)\s)?"
    rf"ב?(?:(?P<word>{_SCALE})s?\.?|{_POWER})(?:\s?(?:шт\.?|штук))?"
)
#: Before it: million parameters, тыс. параметров.
_BEFORE = re.compile(rf"(?P<word>{_SCALE})s?\.?\s+(?:of\s|de\s|von\s|di\s)?(?P<name>[^\W\d].*)")
#: As a part of it: GFLOPs, Mmacs, giga-flops, KParams.
_PART = re.compile(
    r"(?P<prefix>kilo|mega|giga|tera|[kmgt])[- ]?"
    r"(?P<name>(?:flops?|mac{1,2}s?|madds?|ops|params?|parameters|mult(?:iply)?[- ]?adds?|muls?|mults?)\b.*)"
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


class Scaled(NamedTuple):
    """A heading without its unit, and the unit as it is written after a number."""

    name: str
    unit: str


def with_powers(text: str) -> str:
    """Raised digits as powers, which they would not be after normalisation: 10⁶ is no 106."""
    return re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: "^" + found[0].translate(_RAISED), text)


def unit_alone(part: str) -> str:
    """The unit of what stands in brackets; nothing where it is none."""
    match = _ALONE.fullmatch(part.strip())
    return _unit(match.groupdict()) if match else ""


def unit_beside(text: str) -> Scaled | None:
    """A heading in lower case with its unit before, after or as a part of its name."""
    for pattern in (_PART, _BEFORE, _AFTER):
        match = pattern.fullmatch(text.strip())
        if match and (unit := _unit(match.groupdict())):
            return Scaled(match["name"], unit)
    return None


def _unit(found: dict[str, str | None]) -> str:
    if word := found.get("word"):
        return _WRITTEN.get(_SCALES[word], "")
    if prefix := found.get("prefix") or found.get("letter"):
        return _WRITTEN[_PREFIXES[prefix]]
    if zeros := found.get("zeros"):
        return _WRITTEN.get(10 ** zeros.count("0"), "")
    return _WRITTEN.get(10 ** int(found.get("power") or found.get("exponent") or 0), "")
