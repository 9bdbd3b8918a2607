"""Calculations as texts print them: 96·(11²·3 + 1), (W1 F + 2P)/S + 1."""

from __future__ import annotations

import re

from archcalc.spec.expressions import Expression, ExpressionError, parse_expression

LONGEST = 480

_SIGNS = str.maketrans({"×": "*", "·": "*", "−": "-", "–": "-", "÷": "/", "⋅": "*", "[": "(", "]": ")"})
_POWERS = {"²": "**2", "³": "**3"}
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
#: A product without a sign: 2P, W F, 2(…), )(.
_BESIDE = re.compile(r"(?<=[\w)])\s+(?=[\w(])|(?<=\))(?=[\w(])|(?<=\d)(?=\()|(?<![\w.])(\d+)(?=[A-Za-z])")
_NUMBER_TOGETHER = re.compile(r"\d[eE][-+]?\d")


def read_printed(text: str) -> Expression:
    """The tree of a printed calculation. Raises `ExpressionError`."""
    if len(text) > LONGEST:
        raise ExpressionError(f"a calculation may have {LONGEST} characters, this one has {len(text):,}")
    plain = text.translate(_SIGNS)
    for sign, power in _POWERS.items():
        plain = plain.replace(sign, power)
    plain = _THOUSANDS.sub(lambda match: match[0].replace(",", ""), plain).replace("^", "**")
    if not _NUMBER_TOGETHER.search(plain):
        plain = _BESIDE.sub(lambda match: f"{match[1]}*" if match[1] else "*", plain)
    return parse_expression(plain)
