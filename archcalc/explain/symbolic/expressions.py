"""Expressions of specs evaluated with numbers that note their decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any

from archcalc.explain.symbolic.paths import LOGICAL, Deciding, deciding, settle
from archcalc.explain.symbolic.record import SteersError, calculated, called
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import Expression, ExpressionError, is_too_long, parse_expression

#: Comparisons by the one of `LOGICAL`, whether its sides are swapped, and whether it is negated.
_COMPARISONS = {
    "<": ("<", False, False),
    "<=": ("<=", False, False),
    ">": ("<", True, False),
    ">=": ("<=", True, False),
    "==": ("==", False, False),
    "!=": ("==", False, True),
}


def tree(raw: Any, variables: Mapping[str, Any]) -> Any:
    """Strings of nested lists as expressions."""
    if isinstance(raw, str):
        return evaluate_deciding(parse_expression(raw), variables)
    if isinstance(raw, list):
        result: Any = [tree(item, variables) for item in raw]
    elif isinstance(raw, dict):
        result = {key: tree(item, variables) for key, item in raw.items()}
    else:
        return raw
    if is_too_long(result):
        raise ExpressionError("the result is too long")
    return result


def evaluate_deciding(expression: Expression, variables: Mapping[str, Any]) -> Any:
    """The value of an expression. Comparisons stay open until something asks for them. Raises `ExpressionError`."""
    kind, parts = expression.kind, expression.parts
    if kind in ("value", "name") or expression.names_layer:
        return evaluate(expression, variables)
    if kind == "if":
        return _chosen(parts, variables)
    first = evaluate_deciding(parts[0], variables) if parts else None
    if kind == "binary" and expression.value in ("and", "or"):
        return _connected(expression.value, first, parts[1], variables)
    values = [first, *(evaluate_deciding(part, variables) for part in parts[1:])] if parts else []
    number = deciding(values)
    if number is None:
        known = tuple([Expression("value", part.offset, value) for part, value in zip(parts, values, strict=True)])
        return evaluate(expression._replace(parts=known), variables)
    try:
        return _calculated(expression, values, number)
    except SteersError:
        return evaluate_deciding(_settled(expression, values), variables)
    except ZeroDivisionError:
        settle(values)  # it is known of these numbers only
        raise ExpressionError("division by zero", expression.offset) from None
    except (TypeError, AttributeError, AssertionError):
        return evaluate_deciding(_settled(expression, values), variables)  # which says what is wrong


def _settled(expression: Expression, values: Sequence[Any]) -> Expression:
    parts = zip(expression.parts, values, strict=True)
    return expression._replace(parts=tuple([Expression("value", part.offset, settle(value)) for part, value in parts]))


def _calculated(expression: Expression, values: Sequence[Any], number: Deciding) -> Any:
    kind, name = expression.kind, expression.value
    if kind == "list":
        return list(values)
    if kind == "index" and not isinstance(values[1], Deciding) and isinstance(values[0], list):
        items, index = values
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(items):
            return items[index]
    if kind == "chain":
        pairs = zip([one for one, _ in name], values, values[1:], strict=False)
        return _all([_compared(operator, left, right, number) for operator, left, right in pairs], number)
    if kind == "sign":
        return -values[0] if name == "-" else values[0]
    if kind == "not":
        return number.path.logical("not", _truth(values[0]))
    if kind == "binary" and name in _COMPARISONS:
        return _compared(name, values[0], values[1], number)
    if kind == "binary" and name in ("in", "not in") and isinstance(values[1], list):
        equal = [_compared("==", values[0], item, number) for item in values[1]]
        found = _any(equal, number)
        return found if name == "in" else _not(found, number)
    if kind == "binary":
        return calculated(name, *values)
    if kind == "call" and name == "abs":
        return abs(values[0])
    if kind == "call" and name in ("min", "max", "int", "floor", "ceil", "round", "sum"):
        return called(name, values)
    raise SteersError(set())


def _compared(operator: str, left: Any, right: Any, number: Deciding) -> Any:
    plain = isinstance(left, (int, Fraction, Deciding)) and isinstance(right, (int, Fraction, Deciding))
    if not isinstance(left, Deciding) and not isinstance(right, Deciding):
        parts = (Expression("value", 0, left), Expression("value", 0, right))
        return evaluate(Expression("binary", 0, operator, parts), {})
    if not plain:
        if operator in ("==", "!="):
            return operator == "!="
        raise SteersError(set())
    if any(isinstance(side, Deciding) and side.node.kind in LOGICAL for side in (left, right)):
        raise SteersError(set())
    kind, swapped, negated = _COMPARISONS[operator]
    found = number.path.logical(kind, *((right, left) if swapped else (left, right)))
    return number.path.logical("not", found) if negated else found


def _truth(value: Any) -> Any:
    """Whether something is true, as what can be connected."""
    if isinstance(value, Deciding):
        if value.node.kind in LOGICAL:
            return value
        return value.path.logical("not", value.path.logical("==", value, 0))
    return bool(value)


def _not(value: Any, number: Deciding) -> Any:
    return number.path.logical("not", value) if isinstance(value, Deciding) else not value


def _all(values: Sequence[Any], number: Deciding) -> Any:
    result: Any = True
    for value in values:
        if not isinstance(value, Deciding):
            if not value:
                return False
        else:
            result = value if result is True else number.path.logical("and", result, value)
    return result


def _any(values: Sequence[Any], number: Deciding) -> Any:
    result: Any = False
    for value in values:
        if not isinstance(value, Deciding):
            if value:
                return True
        else:
            result = value if result is False else number.path.logical("or", result, value)
    return result


def _connected(operator: str, first: Any, other: Expression, variables: Mapping[str, Any]) -> Any:
    """`and` and `or`, of which the second part is looked at only where the first leaves it open."""
    if not isinstance(first, Deciding):
        return evaluate_deciding(other, variables) if bool(first) == (operator == "and") else first
    try:
        second = evaluate_deciding(other, variables)
    except ExpressionError:
        # The first part may be there to keep the second from being evaluated.
        return evaluate_deciding(other, variables) if bool(_truth(first)) == (operator == "and") else first.settled()
    if not isinstance(second, (bool, Deciding)):
        return second if bool(_truth(first)) == (operator == "and") else first.settled()
    parts = [_truth(first), _truth(second)]
    return _all(parts, first) if operator == "and" else _any(parts, first)


def _chosen(parts: Sequence[Expression], variables: Mapping[str, Any]) -> Any:
    """One of two values: both are kept where they are numbers, else the condition decides."""
    condition, yes, no = parts
    truth = _truth(evaluate_deciding(condition, variables))
    if not isinstance(truth, Deciding):
        return evaluate_deciding(yes if truth else no, variables)
    with suppress(ExpressionError):
        values = [evaluate_deciding(part, variables) for part in (yes, no)]
        if all(_is_number(value) for value in values):
            return truth.path.choice(truth, *values)
    return evaluate_deciding(yes if truth else no, variables)


def _is_number(value: Any) -> bool:
    if isinstance(value, Deciding):
        return value.node.kind not in LOGICAL
    return isinstance(value, (int, Fraction)) and not isinstance(value, bool)
