"""Weights and biases apart in one cell: weights: 34,848, biases: 96 · 34848w + 96b · w=34848, b=96, total=34944."""

from __future__ import annotations

import re

from archcalc.teach.reading.words import any_of

_NAME = re.compile(
    rf"(?<![^\W\d_])\(?(?:(?P<weights>{any_of('weights part')})|(?P<biases>{any_of('biases part')}))_?\d?(?![^\W_])\)?",
    re.IGNORECASE,
)
#: A sum of a part, with its result where it has one.
_SUM = re.compile(r"(?=[\d(])[\d.,'’ ·×x*+()²³^KkMm]+(?:=[\d.,'’ KkMm]+)?")
_TOTAL = re.compile(
    r"\s*[,;.]?(?:[-=]>|[=→,;]|(?:[^\W\d_]{3,}))(?P<value>\D{0,20}\d[\d.,'’ ]*[KkMm]?)(?:\s*[^\W\d_]+)?\.?"
)
_BETWEEN = re.compile(rf"^(?:{any_of('and')})(?![^\W_])|(?<![^\W_])(?:{any_of('and')})$|<br\s*/?>", re.IGNORECASE)
_MARKS = " :,;/+&.=\t"
_POINTED = re.compile(r"(?<![\d.,])\d{1,3}(?:\.\d{3})+(?![\d.,])")


def parts_together(cleaned: str, quantity: str) -> str:
    """Such a cell as a sum of its parts, or the part that is asked for; any other cell as it is.

    >>> parts_together("weights: 34,848, biases: 96", "params")
    '34,848 + 96'
    """
    names = list(_NAME.finditer(cleaned)) if quantity in ("params", "weights", "biases") else []
    if len(names) != 2 or names[0].lastgroup == names[1].lastgroup:
        return cleaned
    first, second = names
    texts = [_plain(cleaned[: first.start()]), _plain(cleaned[first.end() : second.start()])]
    rest = cleaned[second.end() :].strip(" :")
    if not texts[0]:  # the names stand before the numbers
        own = _SUM.match(rest.lstrip(_MARKS))
        if own is None:
            return cleaned
        texts = [texts[1], own[0]]
        rest = rest.lstrip(_MARKS)[own.end() :]
    end = _TOTAL.fullmatch(rest)
    if (rest and not end) or not all(_SUM.fullmatch(text) for text in texts):
        return cleaned
    parts = {str(name.lastgroup): text.strip(_MARKS) for name, text in zip(names, texts, strict=True)}
    if quantity != "params":
        return parts[quantity]
    results = [parts[name].split("=")[-1].strip() for name in ("weights", "biases")]
    whole = _POINTED.sub(lambda number: number[0].replace(".", ""), " + ".join(results))
    return f"{whole} = {end['value'].strip(_MARKS)}" if end else whole


def _plain(text: str) -> str:
    return _BETWEEN.sub("", text.strip(_MARKS)).strip(_MARKS)
