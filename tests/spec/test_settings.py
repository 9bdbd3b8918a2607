"""Parameters of networks and blocks: types, limits, defaults, and who overrides whom."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import pytest
from pydantic import TypeAdapter

from archcalc.spec.document import Parameter, Parameters
from archcalc.spec.settings import accept, settle

DECLARED: TypeAdapter[dict[str, Parameter]] = TypeAdapter(Parameters)


def declared(**parameters: Any) -> dict[str, Parameter]:
    """Parameters as a spec declares them."""
    return DECLARED.validate_python(parameters)


@pytest.mark.parametrize(
    ("declaration", "kind", "default", "required"),
    [
        (1000, "int", 1000, False),
        (0.75, "number", 0.75, False),
        (True, "bool", True, False),
        ("same", "str", "same", False),
        ([1, 2], "list", [1, 2], False),
        # A word that is a type is one.
        ("int", "int", None, True),
        ("number", "number", None, True),
        ("any", "any", None, True),
        ({"default": 3}, "int", 3, False),
        ({"type": "any", "default": 3}, "any", 3, False),
        ({"type": "int"}, "int", None, True),
        ({"choices": [18, 34]}, "any", None, True),
    ],
)
def test_a_declaration_is_a_default_a_type_or_both(declaration: Any, kind: str, default: Any, required: bool) -> None:
    parameter = declared(x=declaration)["x"]
    assert (parameter.type, parameter.default, parameter.required) == (kind, default, required)


@pytest.mark.parametrize(
    ("declaration", "value", "accepted"),
    [
        ("int", 3, 3),
        ("int", -3, -3),
        ("number", 3, 3),
        ("number", 0.75, Fraction(3, 4)),
        ("number", 0.1, Fraction(1, 10)),  # as it was written
        ("bool", False, False),
        ("str", "same", "same"),
        ("list", [1, 2], [1, 2]),
        ("any", "same", "same"),
        ("any", [3, 1], [3, 1]),
        ({"type": "int", "choices": [18, 34]}, 34, 34),
        ({"type": "number", "choices": [0.25, 0.5]}, 0.5, Fraction(1, 2)),
        ({"type": "int", "minimum": 1, "maximum": 3}, 1, 1),
        ({"type": "int", "minimum": 1, "maximum": 3}, 3, 3),
        ({"type": "number", "above": 0}, 0.01, Fraction(1, 100)),
    ],
)
def test_a_value_that_keeps_to_its_declaration(declaration: Any, value: Any, accepted: Any) -> None:
    assert accept("x", declared(x=declaration)["x"], value) == accepted


@pytest.mark.parametrize(
    ("declaration", "value", "message"),
    [
        ("int", 2.5, "x must be a whole number, not 2.5"),
        ("int", "3", "x must be a whole number, not '3'"),
        ("int", True, "x must be a whole number, not true"),
        ("int", None, "x must be a whole number, not None"),
        ("number", "much", "x must be a number, not 'much'"),
        ("number", False, "x must be a number, not false"),
        ("bool", 1, "x must be true or false, not 1"),
        ("bool", "yes", "x must be true or false, not 'yes'"),
        ("str", 3, "x must be a word, not 3"),
        ("list", 3, "x must be a list, not 3"),
        ({"type": "int", "choices": [18, 34]}, 50, "x can be 18, 34, not 50"),
        ({"type": "str", "choices": ["a", "b"]}, "c", "x can be 'a', 'b', not 'c'"),
        ({"type": "int", "minimum": 1}, 0, "x must be at least 1, not 0"),
        ({"type": "int", "maximum": 3}, 4, "x must be at most 3, not 4"),
        ({"type": "number", "above": 0}, 0, "x must be greater than 0, not 0"),
        ({"type": "number", "maximum": 0.5}, 0.75, "x must be at most 0.5, not 0.75"),
        # Limits on what has no order.
        ({"type": "any", "minimum": 1}, "many", "x must be "),
        ({"type": "any", "above": 1}, [1], "x must be "),
        # What is no number: 1e999 in a file.
        ("number", float("inf"), "x must be "),
        ("any", float("nan"), "x must be "),
    ],
)
def test_a_value_that_breaks_its_declaration(declaration: Any, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        accept("x", declared(x=declaration)["x"], value)


def test_each_mapping_overrides_the_one_before() -> None:
    parameters = declared(classes=1000, alpha=1.0, aux=False)
    assert settle(parameters) == {"classes": 1000, "alpha": 1, "aux": False}
    assert settle(parameters, {"classes": 10}, {"alpha": 0.5, "classes": 100}) == {
        "classes": 100,
        "alpha": Fraction(1, 2),
        "aux": False,
    }


def test_decimal_defaults_are_exact() -> None:
    assert settle(declared(alpha=0.1))["alpha"] == Fraction(1, 10)


@pytest.mark.parametrize(
    ("parameters", "given", "message"),
    [
        ({"classes": 1000}, {"clases": 10}, "there is no parameter 'clases'; did you mean classes?"),
        ({"classes": 1000, "aux": True}, {"depth": 10}, "there is no parameter 'depth'; there are classes, aux"),
        ({}, {"depth": 10}, "there is no parameter 'depth'; there are none"),
        ({"depth": "int"}, {}, "the parameter 'depth' has no default and must be set (int)"),
        ({"depth": "int"}, {"depth": 1.5}, "depth must be a whole number, not 1.5"),
    ],
)
def test_settings_that_do_not_settle(parameters: dict[str, Any], given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        settle(declared(**parameters), given)
