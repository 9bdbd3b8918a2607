"""Expressions evaluated for the tests: with what they may read, and what comes of faulty ones."""

from __future__ import annotations

from typing import Any

import pytest

from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import ExpressionError, parse_expression

VARIABLES: dict[str, Any] = {
    "c": 32,
    "n": 3,
    "alpha": 0.75,
    "deep": True,
    "word": "same",
    "units": {"18": [2, 2, 2, 2], "50": [3, 4, 6, 3]},
    "rows": [[64, 3], [128, 4]],
    "widths": {"0.5": 48, "1.0": 96, "1.5": 144},
    "depth": 50,
}


def value(text: str, **variables: Any) -> Any:
    return evaluate(parse_expression(text), variables or VARIABLES)


def fault(text: str, **variables: Any) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        value(text, **variables)
    return caught.value
