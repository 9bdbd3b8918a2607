"""Expressions evaluated for many configurations at once: exact whole numbers in numpy arrays.

A fraction is a pair of whole numbers. Each number has limits, known from those of the parameters: what may leave 64
bits is calculated with Python's own ints, so that no result is ever cut off; a comparison that comes out the same
everywhere is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import isqrt, lcm
from typing import Any, NamedTuple

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.design.search.steps import Steps, ends_of
from archcalc.explain.derive.trace import Node

Array = np.ndarray[Any, np.dtype[Any]]
#: Largest magnitude that is kept in 64 bits.
LARGEST = 1 << 62


class CannotVectoriseError(Exception):
    """An expression that arrays cannot hold: a division by 0 or less."""


class Slot(NamedTuple):
    """A whole number, or a truth, for every configuration, and its least and its largest value."""

    place: int
    low: int
    high: int

    @property
    def is_wide(self) -> bool:
        """Whether it may need more than 64 bits."""
        return max(-self.low, self.high) >= LARGEST


#: A number that is the same everywhere, or one for every configuration.
Operand = int | Slot


class Number(NamedTuple):
    """A fraction: numerator and denominator, which is positive."""

    over: Operand
    under: Operand = 1


class _Instruction(NamedTuple):
    run: Callable[..., Any]
    target: int
    arguments: tuple[Operand, ...]
    widen: bool
    narrow: bool


def _low(operand: Operand) -> int:
    return operand.low if isinstance(operand, Slot) else operand


def _high(operand: Operand) -> int:
    return operand.high if isinstance(operand, Slot) else operand


def _corners(function: Callable[[int, int], int], a: Operand, b: Operand) -> tuple[int, int]:
    found = [function(x, y) for x in (_low(a), _high(a)) for y in (_low(b), _high(b))]
    return min(found), max(found)


def _limits_of_rest(a: Operand, b: Operand) -> tuple[int, int]:
    if _low(a) >= 0 and _high(a) < _low(b):
        return _low(a), _high(a)
    return 0, _high(b) - 1


def _where(condition: Any, yes: Any, no: Any) -> Any:
    return np.where(condition, yes, no)


def _isqrt(number: Any) -> Any:
    return np.frompyfunc(isqrt, 1, 1)(number).astype(np.int64)


#: What each operation does to arrays, to whole numbers, and to limits.
_OPERATIONS: dict[str, tuple[Any, Callable[..., int], Callable[..., tuple[int, int]]]] = {
    "+": (np.add, lambda a, b: a + b, lambda a, b: (_low(a) + _low(b), _high(a) + _high(b))),
    "-": (np.subtract, lambda a, b: a - b, lambda a, b: (_low(a) - _high(b), _high(a) - _low(b))),
    "*": (np.multiply, lambda a, b: a * b, lambda a, b: _corners(lambda x, y: x * y, a, b)),
    "//": (np.floor_divide, lambda a, b: a // b, lambda a, b: _corners(lambda x, y: x // y, a, b)),
    "%": (np.remainder, lambda a, b: a % b, _limits_of_rest),
    "neg": (np.negative, lambda a: -a, lambda a: (-_high(a), -_low(a))),
    "min": (np.minimum, min, lambda a, b: (min(_low(a), _low(b)), min(_high(a), _high(b)))),
    "max": (np.maximum, max, lambda a, b: (max(_low(a), _low(b)), max(_high(a), _high(b)))),
    "isqrt": (_isqrt, isqrt, lambda a: (isqrt(_low(a)), isqrt(_high(a)))),
    "where": (
        _where,
        lambda c, a, b: a if c else b,
        lambda _, a, b: (min(_low(a), _low(b)), max(_high(a), _high(b))),
    ),
    "<": (np.less, lambda a, b: a < b, lambda a, b: (int(_high(a) < _low(b)), int(_low(a) < _high(b)))),
    "<=": (np.less_equal, lambda a, b: a <= b, lambda a, b: (int(_high(a) <= _low(b)), int(_low(a) <= _high(b)))),
    "==": (
        np.equal,
        lambda a, b: a == b,
        lambda a, b: (
            int(_low(a) == _high(a) == _low(b) == _high(b)),
            int(_low(a) <= _high(b) and _low(b) <= _high(a)),
        ),
    ),
    "and": (np.logical_and, lambda a, b: bool(a and b), lambda a, b: (min(_low(a), _low(b)), min(_high(a), _high(b)))),
    "or": (np.logical_or, lambda a, b: bool(a or b), lambda a, b: (max(_low(a), _low(b)), max(_high(a), _high(b)))),
    "not": (np.logical_not, lambda a: not a, lambda a: (1 - _high(a), 1 - _low(a))),
}  # fmt: skip
_LOGICAL = {"<", "<=", "==", "and", "or", "not"}


class Axis(NamedTuple):
    """What is known of a parameter over the whole space: limits of its numerators, and their denominator."""

    low: int
    high: int
    under: int

    @classmethod
    def of(cls, values: Sequence[int | Fraction]) -> Axis:
        """The axis of a parameter that takes these values."""
        under = values.under if isinstance(values, Steps) else lcm(*{value.denominator for value in values})
        numerators = [value.numerator * (under // value.denominator) for value in ends_of(values)]
        return cls(min(numerators), max(numerators), under)

    def array(self, values: Sequence[int | Fraction]) -> Array:
        """The numerators of its values."""
        if isinstance(values, Steps):
            steps = values.numerators
            return np.arange(steps.start, steps.stop, steps.step, dtype=np.int64)
        return np.array([value.numerator * (self.under // value.denominator) for value in values], dtype=np.int64)


class Program:
    """Instructions that calculate numbers from the arrays of some parameters, each number once."""

    def __init__(self, axes: Mapping[str, Axis]) -> None:
        self._axes = axes
        self._inputs: dict[str, Slot] = {}
        self._instructions: list[_Instruction] = []
        self._limits: list[Slot] = []
        self._known: dict[tuple[Any, ...], Operand] = {}
        self._nodes: dict[int, tuple[Node, Number]] = {}
        #: Truths without which the numbers mean nothing: divisors that are above 0.
        self.assumed: list[Operand] = []

    # --- whole numbers

    def _slot(self, low: int, high: int) -> Slot:
        slot = Slot(len(self._limits), low, high)
        self._limits.append(slot)
        return slot

    def emit(self, operation: str, *arguments: Operand) -> Operand:
        """The result of an operation on whole numbers or truths."""
        run, plain, limits = _OPERATIONS[operation]
        if operation in ("//", "%"):
            arguments = (arguments[0], self._positive(arguments[1]))
        if not any(isinstance(one, Slot) for one in arguments):
            return plain(*arguments)
        simpler = _simplified(operation, arguments)
        if simpler is not None:
            return simpler
        key = (operation, *arguments)
        known = self._known.get(key)
        if known is not None:
            return known
        low, high = limits(*arguments)
        result: Operand
        if low == high:
            result = low
        else:
            slot = self._slot(low, high)
            values = arguments[1:] if operation == "where" else arguments
            wide = any(one.is_wide for one in values if isinstance(one, Slot)) or any(
                abs(one) >= LARGEST for one in values if not isinstance(one, Slot)
            )
            is_logical = operation in _LOGICAL
            widen = not wide and not is_logical and slot.is_wide
            narrow = not is_logical and wide and not slot.is_wide
            self._instructions.append(_Instruction(run, slot.place, arguments, widen, narrow))
            result = slot
        self._known[key] = result
        return result

    def _positive(self, divisor: Operand) -> Operand:
        """A divisor; where its limits leave it open, it is assumed to be above 0. Raises `CannotVectoriseError`."""
        if _low(divisor) > 0:
            return divisor
        if _high(divisor) <= 0:
            raise CannotVectoriseError("a divisor of 0 or less")
        self.assumed.append(self.emit("<", 0, divisor))
        return self.emit("max", divisor, 1)

    # --- fractions

    def number(self, name: str) -> Number:
        """A parameter."""
        axis = self._axes[name]
        if axis.low == axis.high:
            return Number(axis.low, axis.under) if axis.low % axis.under else Number(axis.low // axis.under)
        slot = self._inputs.get(name)
        if slot is None:
            slot = self._inputs[name] = self._slot(axis.low, axis.high)
        return Number(slot, axis.under)

    def sum(self, a: Number, b: Number, sign: str = "+") -> Number:
        if a.under == b.under:
            return _reduced(self.emit(sign, a.over, b.over), a.under)
        if isinstance(a.under, int) and isinstance(b.under, int):
            under = lcm(a.under, b.under)
            parts = [self.emit("*", one.over, under // one.under) for one in (a, b) if isinstance(one.under, int)]
            return _reduced(self.emit(sign, *parts), under)
        parts = [self.emit("*", a.over, b.under), self.emit("*", b.over, a.under)]
        return _reduced(self.emit(sign, *parts), self.emit("*", a.under, b.under))

    def product(self, a: Number, b: Number) -> Number:
        a, b = _reduced(a.over, b.under), _reduced(b.over, a.under)
        return _reduced(self.emit("*", a.over, b.over), self.emit("*", a.under, b.under))

    def quotient(self, a: Number, b: Number) -> Number:
        return self.product(a, Number(b.under, self._positive(b.over)))

    def floor(self, a: Number) -> Number:
        return a if a.under == 1 else Number(self.emit("//", a.over, a.under))

    def ceiling(self, a: Number) -> Number:
        if a.under == 1:
            return a
        return Number(self.emit("neg", self.emit("//", self.emit("neg", a.over), a.under)))

    def _over(self, under: int, *numbers: Number) -> list[Operand]:
        """What stands over a common denominator, of numbers whose own denominators are whole."""
        found: list[Operand] = []
        for number in numbers:
            assert isinstance(number.under, int)
            found.append(self.emit("*", number.over, under // number.under))
        return found

    def compared(self, kind: str, a: Number, b: Number) -> Number:
        if a.under == b.under:
            return Number(self.emit(kind, a.over, b.over))
        if isinstance(a.under, int) and isinstance(b.under, int):
            under = lcm(a.under, b.under)
            return Number(self.emit(kind, *self._over(under, a, b)))
        return Number(self.emit(kind, self.emit("*", a.over, b.under), self.emit("*", b.over, a.under)))

    def choice(self, condition: Operand, a: Number, b: Number) -> Number:
        if not isinstance(condition, Slot):
            return a if condition else b
        if a.under == b.under:
            return _reduced(self.emit("where", condition, a.over, b.over), a.under)
        if isinstance(a.under, int) and isinstance(b.under, int):
            under = lcm(a.under, b.under)
            return _reduced(self.emit("where", condition, *self._over(under, a, b)), under)
        return Number(self.emit("where", condition, a.over, b.over), self.emit("where", condition, a.under, b.under))

    def extreme(self, kind: str, a: Number, b: Number) -> Number:
        if a.under == b.under:
            return Number(self.emit(kind, a.over, b.over), a.under)
        smaller = self.compared("<", a, b).over
        return self.choice(smaller, a, b) if kind == "min" else self.choice(smaller, b, a)

    # --- expressions

    def add(self, root: Node) -> Number:
        """The number of an expression. Raises `CannotVectoriseError`."""
        done = self._nodes
        waiting = [root]
        while waiting:
            node = waiting[-1]
            if id(node) in done:
                waiting.pop()
                continue
            missing = [part for part in node.parts if id(part) not in done]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            done[id(node)] = (node, self._calculate(node, [done[id(part)][1] for part in node.parts]))
        return done[id(root)][1]

    def _calculate(self, node: Node, parts: Sequence[Number]) -> Number:
        kind = node.kind
        if kind == "number":
            found = Fraction(node.value)
            return Number(found.numerator, found.denominator)
        if kind == "symbol":
            assert node.symbol is not None
            return self.number(node.symbol.text)
        if kind in ("+", "-"):
            return self.sum(parts[0], parts[1], kind)
        if kind == "*":
            return self.product(*parts)
        if kind == "/":
            return self.quotient(*parts)
        if kind == "neg":
            return Number(self.emit("neg", parts[0].over), parts[0].under)
        if kind == "//":
            return self.floor(self.quotient(*parts))
        if kind == "ceil":
            return self.ceiling(self.quotient(*parts))
        if kind == "%":
            whole = parts[0].under == parts[1].under == 1
            if whole:
                return Number(self.emit("%", parts[0].over, parts[1].over))
            rest = self.product(parts[1], self.floor(self.quotient(*parts)))
            return self.sum(parts[0], rest, "-")
        if kind == "floor":
            return self.floor(parts[0])
        if kind == "ceiling":
            return self.ceiling(parts[0])
        if kind == "isqrt":
            if parts[0].under != 1 or _low(parts[0].over) < 0:
                raise CannotVectoriseError("a root of what is not whole")
            return Number(self.emit("isqrt", parts[0].over))
        if kind in ("min", "max"):
            return self.extreme(kind, *parts)
        if kind == "choice":
            return self.choice(parts[0].over, parts[1], parts[2])
        if kind in ("<", "<=", "=="):
            return self.compared(kind, *parts)
        if kind in ("and", "or", "not"):
            return Number(self.emit(kind, *(part.over for part in parts)))
        assert kind == "whole", kind
        return Number(
            True if parts[0].under == 1 else self.emit("==", self.emit("%", parts[0].over, parts[0].under), 0)
        )

    # --- running it

    def compiled(self, outputs: Sequence[Operand]) -> Compiled:
        """The part of the program that these numbers need."""
        needed = {one.place for one in outputs if isinstance(one, Slot)}
        kept: list[tuple[_Instruction, tuple[int, ...]]] = []
        for instruction in reversed(self._instructions):
            if instruction.target not in needed:
                continue
            indices = [one.place for one in instruction.arguments if isinstance(one, Slot)]
            last = tuple({index for index in indices if index not in needed})
            needed.update(indices)
            kept.append((instruction, last))
        inputs = {name: slot.place for name, slot in self._inputs.items() if slot.place in needed}
        return Compiled(inputs, tuple(reversed(kept)), tuple(outputs))


class Compiled:
    """A program that can be run: instructions in order, each with the numbers that nothing needs after it."""

    def __init__(
        self,
        inputs: Mapping[str, int],
        instructions: Sequence[tuple[_Instruction, tuple[int, ...]]],
        outputs: Sequence[Operand],
    ) -> None:
        self._inputs, self._outputs = inputs, outputs
        kept = {one.place for one in outputs if isinstance(one, Slot)}
        self._instructions = [
            (one.run, one.target, one.arguments, one.widen, one.narrow, tuple(i for i in last if i not in kept))
            for one, last in instructions
        ]

    def __len__(self) -> int:
        return len(self._instructions)

    def run(self, arrays: Mapping[str, Array]) -> list[Any]:
        """The outputs, for parameters whose arrays of numerators broadcast against each other."""
        slots: dict[int, Any] = {index: arrays[name] for name, index in self._inputs.items()}
        for run, target, arguments, widen, narrow, last in self._instructions:
            values = [slots[one.place] if isinstance(one, Slot) else one for one in arguments]
            if widen:
                values = [value.astype(object) if isinstance(value, np.ndarray) else value for value in values]
            result = run(*values)
            slots[target] = result.astype(np.int64) if narrow else result
            for index in last:
                del slots[index]
        return [slots[one.place] if isinstance(one, Slot) else one for one in self._outputs]


def _reduced(over: Operand, under: Operand) -> Number:
    if isinstance(over, int) and isinstance(under, int):
        found = Fraction(over, under)
        return Number(found.numerator, found.denominator)
    if over == under:
        return Number(1)
    return Number(over, under)


def _simplified(operation: str, arguments: Sequence[Operand]) -> Operand | None:
    """What needs no instruction: a factor of 1, a condition that is known."""
    if operation == "*":
        if 1 in arguments[:1] and not isinstance(arguments[0], Slot):
            return arguments[1]
        if not isinstance(arguments[1], Slot) and arguments[1] == 1:
            return arguments[0]
        if any(not isinstance(one, Slot) and one == 0 for one in arguments):
            return 0
    elif operation == "+":
        if not isinstance(arguments[0], Slot) and arguments[0] == 0:
            return arguments[1]
        if not isinstance(arguments[1], Slot) and arguments[1] == 0:
            return arguments[0]
    elif operation in ("-", "//"):
        neutral = 0 if operation == "-" else 1
        if not isinstance(arguments[1], Slot) and arguments[1] == neutral:
            return arguments[0]
    elif operation in ("and", "or"):
        for one, other in (arguments, tuple(reversed(arguments))):
            if not isinstance(one, Slot):
                return other if bool(one) == (operation == "and") else one
    elif operation == "where":
        if not isinstance(arguments[0], Slot):
            return arguments[1] if arguments[0] else arguments[2]
        if arguments[1] == arguments[2]:
            return arguments[1]
    elif operation in ("min", "max"):
        low, high = (_low(arguments[0]), _high(arguments[0]))
        if high <= _low(arguments[1]):
            return arguments[0] if operation == "min" else arguments[1]
        if low >= _high(arguments[1]):
            return arguments[1] if operation == "min" else arguments[0]
    return None


def check_axes(axes: Mapping[str, Axis]) -> None:
    """Raise `UsageError` for numbers that no array holds."""
    for name, axis in axes.items():
        if max(-axis.low, axis.high, axis.under) >= LARGEST:
            raise UsageError(f"the values of {name} are too large, or have too many digits")
