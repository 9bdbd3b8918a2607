"""Conditions on configurations: `multiplications <= 300M and params*4 <= 16MiB`, and objectives of a Pareto front.

The grammar is that of expressions in specs, with units after numbers. A condition is checked once, with a column for
every fault, and then becomes instructions for many configurations at once. Nothing is evaluated as code.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, NoReturn

from archcalc.core.conventions import BYTES
from archcalc.core.errors import Inline, Location, Problem, SpecError, UsageError
from archcalc.core.quantities import OF_NETWORKS, QUANTITIES, Quantity, quantity, quantity_of_network
from archcalc.core.suggest import did_you_mean
from archcalc.design.search.program import Number, Operand, Program
from archcalc.explain.derive.trace import Node
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import Expression, ExpressionError, parse_expression

#: Objectives of a front.
MOST_OBJECTIVES = 6
LARGEST_EXPONENT = 8
#: Quantities of a network that are some bytes for each of what a structure totals; float32, one image.
_BYTES_OF = {
    "activation_bytes": "activations",
    "param_bytes": "params",
    "peak_activation_bytes": "peak_activations",
}
#: The quantities that can be searched, by key: what a structure calls the total, and a factor.
TOTALS: Mapping[str, tuple[str, int]] = {
    **{key: (one.attribute, 1) for key, one in QUANTITIES.items() if one.adds_up and key not in _BYTES_OF},
    "depth": ("depth", 1),
    **{key: (total, BYTES["float32"]) for key, total in _BYTES_OF.items()},
}
#: The network's name in a condition.
NETWORK = "network"
_FUNCTIONS = ("min", "max", "abs", "floor", "ceil", "round", "int")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_SWAPPED = {">": "<", ">=": "<="}


def total_of(key: str) -> Quantity:
    """A quantity as an analysis has it."""
    return quantity_of_network(key)


def searchable(name: str) -> str | None:
    """The key of a quantity by one of its names; None where there is none that can be searched."""
    try:
        key = quantity(name).key
    except KeyError:
        key = name
    return key if key in TOTALS else None


class Objective(NamedTuple):
    """A quantity or parameter of which less is better, or more."""

    name: str
    wants_more: bool = False

    def __str__(self) -> str:
        return f"{self.name}:max" if self.wants_more else self.name


class Names(NamedTuple):
    """What a query may speak of: parameters that vary, in order, and whether each takes numbers only."""

    parameters: Mapping[str, bool]
    #: All that some network can be asked for besides: its other parameters.
    others: Collection[str] = ()

    def key(self, name: str) -> str | None:
        """A parameter, or the key of a quantity; None where there is neither."""
        return name if name in self.parameters else searchable(name)

    def unknown(self, name: str) -> str:
        """What to say of a name that is neither."""
        if name in OF_NETWORKS or name in QUANTITIES:
            return f"{name} cannot be searched; there are {', '.join(TOTALS)}"
        if name in self.others:
            return f"{name[:60]!r} does not vary in this space; give it values there, as in {name[:60]}=1,2"
        known = [
            NETWORK,
            *self.parameters,
            *TOTALS,
            *(alias for key in TOTALS if key in QUANTITIES for alias in QUANTITIES[key].aliases),
        ]
        hint = did_you_mean(name, known) or f"; there are {', '.join(TOTALS)}"
        return f"there is no quantity or parameter {name[:60]!r}{hint}"


class Condition:
    """A checked condition; `names` are the parameters and quantities that it reads."""

    def __init__(self, text: str, names: Names) -> None:
        self._file = Inline("condition", text)
        self._known = names
        self.names: dict[str, None] = {}
        #: The key of each name as it is written.
        self._keys: dict[str, str] = {NETWORK: NETWORK}
        try:
            self._root = parse_expression(text, amounts=True)
            kind = self._check(self._root)
        except ExpressionError as error:
            self._fail(error.message, error.offset)
        if kind != "truth":
            self._fail("a condition compares something, as in params <= 5M", self._root.offset)

    def _fail(self, message: str, offset: int) -> NoReturn:
        raise SpecError([Problem(message, Location(self._file, 1, offset + 1))])

    # --- what it is

    def _check(self, expression: Expression) -> str:
        """What an expression is: a number, bytes, a truth, a text or a list. Raises `SpecError`."""
        kind, _, value, parts = expression
        if kind in ("value", "bytes"):
            if isinstance(value, bool):
                return "value"
            return "text" if isinstance(value, str) else "bytes" if kind == "bytes" else "number"
        if kind == "name":
            return self._check_name(expression)
        if kind == "list":
            for part in parts:
                self._check(part)
            return "list"
        if kind == "chain" or (kind == "binary" and value in _COMPARISONS):
            operators = [one for one, _ in value] if kind == "chain" else [value]
            return self._check_comparison(expression, operators)
        if kind == "binary" and value in ("in", "not in"):
            self._check(parts[0])
            if parts[1].kind != "list":
                self._fail(f"{value} needs a list, as in depth in [18, 34]", expression.offset)
            for part in parts[1].parts:
                self._check(part)
            return "truth"
        if kind in ("not",) or (kind == "binary" and value in ("and", "or")):
            for part in parts:
                if self._check(part) not in ("truth", "value"):
                    self._fail(f"{value or 'not'} connects comparisons, as in params <= 5M", part.offset)
            return "truth"
        if kind == "call" and value not in _FUNCTIONS:
            self._fail(f"there is no function {value[:40]!r}; there are {', '.join(_FUNCTIONS)}", expression.offset)
        if kind not in ("binary", "sign", "call"):
            self._fail(f"{'a condition has no if' if kind == 'if' else 'there is nothing to index'}", expression.offset)
        kinds = [self._check(part) for part in parts]
        if not kinds or any(one not in ("number", "bytes", "name") for one in kinds):
            self._fail("arithmetic is for numbers", expression.offset)
        if kind == "call" and len(parts) > 1 and value not in ("min", "max"):
            self._fail(f"{value} takes one number", expression.offset)
        if value == "**":
            exponent = parts[1]
            if exponent.kind != "value" or not isinstance(exponent.value, int) or exponent.value > LARGEST_EXPONENT:
                self._fail(f"an exponent is a whole number from 0 to {LARGEST_EXPONENT}", exponent.offset)
        return "number"

    def _check_name(self, expression: Expression) -> str:
        name = expression.value
        if name == NETWORK:
            return "text"
        key = self._known.key(name)
        if key is None:
            self._fail(self._known.unknown(name), expression.offset)
        self.names[key] = None
        self._keys[name] = key
        if key in self._known.parameters and not self._known.parameters[key]:
            return "value"
        return "name"

    def _check_comparison(self, expression: Expression, operators: Sequence[str]) -> str:
        kinds = [self._check(part) for part in expression.parts]
        for operator, first, second in zip(operators, kinds, kinds[1:], strict=False):
            numbers = [kind in ("number", "bytes", "name") for kind in (first, second)]
            if operator in ("==", "!="):
                if "list" in (first, second) or "truth" in (first, second):
                    self._fail("numbers and words are compared", expression.offset)
            elif not all(numbers):
                self._fail(f"{operator} compares numbers", expression.offset)
        for kind, other, part in zip(kinds, kinds[1:] + kinds[-2:-1], expression.parts, strict=True):
            if kind == "name" and other == "bytes":
                self._check_unit(part)
        return "truth"

    def _check_unit(self, part: Expression) -> None:
        """A plain count is not compared with bytes: most probably a factor was forgotten."""
        key = str(self._known.key(part.value))
        if key in TOTALS and key not in self._known.parameters and total_of(key).unit != "bytes":
            unit = total_of(key).unit
            instead = "param_bytes" if key == "params" else "activation_bytes" if key == "activations" else f"{key}*4"
            self._fail(f"{key} counts {unit}, and the other side is bytes; write {instead}", part.offset)

    # --- of one row

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether it holds for a configuration of which its numbers are known, by key. Raises `ExpressionError`."""
        return bool(evaluate(self._root, {name: row[key] for name, key in self._keys.items()}))

    def limits(self, name: str) -> list[tuple[str, Fraction]]:
        """The limits that it sets to a quantity or parameter by itself: ≤ or ≥ and a number for each.

        They are read from comparisons that `and` connects and whose one side is the name, times or plus a number.
        """
        found: list[tuple[str, Fraction]] = []
        waiting = [self._root]
        while waiting:
            part = waiting.pop(0)
            if part.kind == "binary" and part.value == "and":
                waiting += part.parts
            elif part.kind == "chain":
                pairs = zip(part.value, part.parts, part.parts[1:], strict=False)
                waiting += [Expression("binary", part.offset, one, (a, b)) for (one, _), a, b in pairs]
            elif part.kind == "binary" and part.value in ("<", "<=", ">", ">="):
                found += self._limit(name, part)
        return found

    def _limit(self, key: str, part: Expression) -> list[tuple[str, Fraction]]:
        """The limit of one comparison: where the difference of its sides is 0, if that is a straight line."""
        known = {name for name, one in self._keys.items() if one == key}
        named = {name for name, _ in part.names()}
        if not named or not named <= known:
            return []
        try:
            sides = [[evaluate(side, dict.fromkeys(known, value)) for side in part.parts] for value in (1, 2, 3)]
            at = [left - right for left, right in sides]
        except ExpressionError:
            return []
        slope = at[1] - at[0]
        if not slope or at[2] - at[1] != slope:
            return []
        is_below = (part.value in ("<", "<=")) == (slope > 0)
        return [("≤" if is_below else "≥", 1 - Fraction(at[0]) / slope)]

    # --- what it becomes

    def build(self, program: Program, look_up: Callable[[str], Any]) -> Operand:
        """The condition as a number of a program; `look_up` gives the `Number` of a name, or a word."""
        return self._truth(self._build(self._root, program, look_up), program)

    def _truth(self, value: Any, program: Program) -> Operand:
        return value.over if isinstance(value, Number) else int(bool(value))

    def _build(self, expression: Expression, program: Program, look_up: Callable[[str], Any]) -> Any:
        kind, _, value, parts = expression
        if kind in ("value", "bytes"):
            return value if isinstance(value, (bool, str)) else constant(value)
        if kind == "name":
            return look_up(value if value == NETWORK else str(self._known.key(value)))
        if kind == "binary" and value in ("and", "or"):
            truths = [self._truth(self._build(part, program, look_up), program) for part in parts]
            return Number(program.emit(value, *truths))
        if kind == "not":
            return Number(program.emit("not", self._truth(self._build(parts[0], program, look_up), program)))
        if kind == "binary" and value in ("in", "not in"):
            left = self._build(parts[0], program, look_up)
            found: Operand = 0
            for part in parts[1].parts:
                equal = self._compared("==", left, self._build(part, program, look_up), program)
                found = program.emit("or", found, equal)
            return Number(found if value == "in" else program.emit("not", found))
        values = [self._build(part, program, look_up) for part in parts]
        if kind == "chain":
            result: Operand = 1
            for (operator, _), left, right in zip(value, values, values[1:], strict=False):
                result = program.emit("and", result, self._compared(operator, left, right, program))
            return Number(result)
        if kind == "list":
            return values
        if kind == "sign":
            return values[0] if value == "+" else program.sum(constant(0), values[0], "-")
        if kind == "call":
            return _called(value, values, program)
        if value in _COMPARISONS:
            return Number(self._compared(value, values[0], values[1], program))
        return _calculated(value, parts, values, program)

    def _compared(self, operator: str, left: Any, right: Any, program: Program) -> Operand:
        if not isinstance(left, Number) or not isinstance(right, Number):
            same = type(left) is type(right) and left == right
            return int(same if operator == "==" else not same)
        if operator == "!=":
            return program.emit("not", program.compared("==", left, right).over)
        if operator in _SWAPPED:
            return program.compared(_SWAPPED[operator], right, left).over
        return program.compared(operator, left, right).over


def _called(name: str, values: Sequence[Number], program: Program) -> Number:
    first = values[0]
    if name in ("min", "max"):
        for other in values[1:]:
            first = program.extreme(name, first, other)
        return first
    if name == "abs":
        negative = program.compared("<", first, constant(0)).over
        return program.choice(negative, program.sum(constant(0), first, "-"), first)
    if name == "ceil":
        return program.ceiling(first)
    return program.floor(program.sum(first, constant(Fraction(1, 2))) if name == "round" else first)


def _calculated(operator: str, parts: Sequence[Expression], values: Sequence[Number], program: Program) -> Number:
    left, right = values
    if operator in ("+", "-"):
        return program.sum(left, right, operator)
    if operator == "*":
        return program.product(left, right)
    if operator == "**":
        result = constant(1)
        for _ in range(int(parts[1].value)):
            result = program.product(result, left)
        return result
    quotient = program.quotient(left, right)
    if operator == "/":
        return quotient
    whole = program.floor(quotient)
    return whole if operator == "//" else program.sum(left, program.product(right, whole), "-")


def constant(value: Any) -> Number:
    """A number of a query."""
    found = Fraction(value)
    return Number(found.numerator, found.denominator)


def quantity_number(key: str, totals: Mapping[str, Node], program: Program) -> Number:
    """A quantity of a structure."""
    name, factor = TOTALS[key]
    return program.product(constant(factor), program.add(totals[name]))


def parse_objectives(text: str | None, names: Names) -> tuple[Objective, ...]:
    """Objectives such as `multiplications,params` or `multiplications,resolution:max`. Raises `UsageError`."""
    found: list[Objective] = []
    for part in (one.strip() for one in (text or "").split(",")):
        if not part:
            continue
        name, colon, direction = part.partition(":")
        if colon and direction not in ("min", "max"):
            raise UsageError(f"--pareto: {direction[:40]!r} is neither min nor max")
        key = names.key(name)
        if key is None:
            raise UsageError(f"--pareto: {names.unknown(name)}")
        if key in names.parameters and not names.parameters[key]:
            raise UsageError(f"--pareto: {key} is no number")
        if key in [one.name for one in found]:
            raise UsageError(f"--pareto: {key} is named twice")
        found.append(Objective(key, direction == "max"))
    if text is not None and not 1 <= len(found) <= MOST_OBJECTIVES:
        raise UsageError(f"--pareto takes 1 to {MOST_OBJECTIVES} quantities, not {len(found)}")
    return tuple(found)


def parse_columns(text: str | None, names: Names) -> tuple[str, ...]:
    """The quantities that a result shows, by key. Raises `UsageError`."""
    found: dict[str, None] = {}
    for part in (one.strip() for one in (text or "params,multiplications").split(",")):
        key = searchable(part)
        if part and key is None:
            raise UsageError(f"--columns: {names.unknown(part)}")
        if key is not None and key not in names.parameters:
            found[key] = None
    return tuple(found)
