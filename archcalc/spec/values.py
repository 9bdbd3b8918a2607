"""Values of a spec: expressions evaluated, texts filled, ops made of their fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from fractions import Fraction
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from archcalc.core.suggest import did_you_mean
from archcalc.ops import OPS, Op
from archcalc.ops.reshape import Identity, as_shape
from archcalc.spec.evaluate import FAULTY, evaluate, interpolate, show
from archcalc.spec.expressions import KEYWORDS, SIZE_NAMES, TRUTHS, ExpressionError, is_too_long, parse_expression
from archcalc.spec.faults import Faults, describe_fault
from archcalc.spec.hints import name_elsewhere
from archcalc.spec.items import KEYS_BESIDES_FIELDS
from archcalc.spec.source import Mark, MarkedDict, within

Variables = Mapping[str, Any]
MOST_LAYERS = 50_000
LARGEST_WEIGHT = 1_000_000
#: Words that some fields take as they are; suggested for a misspelt one.
_WORDS = ("same", "valid", "half", "nearest", "bilinear")
#: Numbers that are written as words.
_DIGITS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}


def evaluate_tree(value: Any, variables: Variables) -> Any:
    """Evaluate the strings of nested lists and mappings as expressions."""
    if isinstance(value, str):
        return evaluate(parse_expression(value), variables)
    if not isinstance(value, (list, dict)):
        return value
    result: Any
    if isinstance(value, list):
        result = [_item(value, index, variables) for index in range(len(value))]
    else:
        result = {key: _item(value, key, variables) for key in value}
    if is_too_long(result):
        raise ExpressionError("the result is too long")
    return result


def _item(value: Any, key: Any, variables: Variables) -> Any:
    """An item of a list or mapping; a fault says where the item stands."""
    raw = value[key]
    try:
        return evaluate_tree(raw, variables)
    except ExpressionError as error:
        marks = getattr(value, "items_at", None) or getattr(value, "values_at", None)
        if marks and error.mark is None:
            error.mark = within(raw, marks[key], error.offset)
        raise


def plain(value: Any) -> Any:
    """An evaluated value as the ops take it: fractions become floats, whole ones ints."""
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return tuple(plain(item) for item in value) if isinstance(value, tuple) else value


def is_text(raw: Any) -> bool:
    """Whether a value is text with expressions in braces, as "{height}x{width}x64" is, and no expression itself."""
    if not isinstance(raw, str) or "{" not in raw:
        return False
    try:
        parse_expression(raw)
    except ExpressionError:
        return True
    return False


@cache
def words_of(kind: str, key: str) -> frozenset[str]:
    """The words that a field of an op takes as they are."""
    field = OPS[kind].model_fields.get(key)
    waiting: list[Any] = [] if field is None else [field.annotation]
    found: set[str] = set()
    while waiting:
        part = waiting.pop()
        found.update(word for word in get_args(part) if isinstance(word, str) and get_origin(part) is Literal)
        waiting += get_args(part) if get_origin(part) is not Literal else ()
    return frozenset(found)


@cache
def is_text_field(kind: str, key: str) -> bool:
    """Whether a field of an op is free text, in which only braces are expressions."""
    field = OPS[kind].model_fields.get(key)
    return field is not None and field.annotation is str


#: 9*3 as a shape is 9×3, as it is for an input, and no product; 1x32 hwc says which axes are meant.
PLAIN_SHAPE = re.compile(r"\s*\d+(\s*[x×*]\s*\d+)+(\s+(hwc|chw))?\s*", re.IGNORECASE)


@cache
def is_shape_field(kind: str, key: str) -> bool:
    """Whether a field of an op is a shape that is written as text."""
    field = OPS[kind].model_fields.get(key)
    return field is not None and any(getattr(one, "func", None) is as_shape for one in field.metadata)


def field_value(
    kind: str, key: str, raw: Any, variables: Variables, value_of: Callable[[Any, Variables], Any] = evaluate_tree
) -> Any:
    """The value of a field of an op: text with its braces filled, or that of an expression.

    A size such as `height` is a word where the field knows that word, and so are the words of a list.
    """
    if is_text(raw) or (isinstance(raw, str) and is_text_field(kind, key)):
        return interpolate(raw, variables)
    if isinstance(raw, str) and is_shape_field(kind, key) and PLAIN_SHAPE.fullmatch(raw):
        return raw
    words = words_of(kind, key).difference(variables)
    if raw is None or isinstance(raw, (int, float)) or not words:
        return value_of(raw, variables)
    if isinstance(raw, list) and words.intersection(item for item in raw if isinstance(item, str)):
        return [item if isinstance(item, str) and item in words else value_of(item, variables) for item in raw]
    is_word = isinstance(raw, str) and raw in words.intersection(SIZE_NAMES)
    return str(raw) if is_word else value_of(raw, variables)


def _unknown_name(name: str, variables: Variables, elsewhere: str) -> str:
    """What to say of a name that is no variable: where there is one, the nearest, or how a word is written."""
    if elsewhere:
        return elsewhere
    if name in _DIGITS:
        return f"; did you mean {_DIGITS[name]}?"
    hint = did_you_mean(name, [word for word in (*variables, *_WORDS) if word != name])
    hint = hint or did_you_mean(name, TRUTHS, likeness=0.7)
    if not hint and hasattr(variables, "size"):
        hint = did_you_mean(name, SIZE_NAMES)
    return f"{hint}; a word is written in quotes of its own: \"'{name}'\"" if name in _WORDS or not hint else hint


class Values:
    """Evaluates what a spec says; faults are noted, not raised."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._ops: dict[Any, Op] = {}
        #: The names that are known around the blocks that are open.
        self.outside: Collection[str] = ()
        #: Whether something is repeated without a counter, and whether it is not its first time.
        self.uncounted = self.is_again = False

    def elsewhere(self, error: ExpressionError) -> str:
        """What to say of a name that is unknown here, where it is known around a block or is a counter without `as`."""
        return name_elsewhere(error.unknown, self.outside, self.uncounted) if error.unknown else ""

    def wrong(
        self, error: ExpressionError, what: str, raw: Any, variables: Variables, at: Mark, layer: str | None
    ) -> None:
        """Note a faulty expression, with the nearest known names."""
        if not error.message:
            return
        hint = _unknown_name(error.unknown, variables, self.elsewhere(error)) if error.unknown else ""
        self.faults.add(f"{what}: {error.message}{hint}", error.mark or within(raw, at, error.offset), layer)

    def value(self, raw: Any, variables: Variables, at: Mark, what: str) -> Any:
        """An evaluated value, or FAULTY."""
        try:
            return evaluate_tree(raw, variables)
        except ExpressionError as error:
            self.wrong(error, what, raw, variables, at, None)
            return FAULTY

    def text(self, raw: Any, variables: Variables, at: Mark) -> str:
        """A text with its braces filled."""
        try:
            return interpolate(str(raw), variables)
        except ExpressionError as error:
            if error.message:
                self.faults.add(error.message + self.elsewhere(error), within(raw, at, error.offset))
            return str(raw)

    def condition(self, when: Any, variables: Variables, at: Mark, what: str = "when") -> bool:
        """Whether something is wanted; without a condition it is. `what` is the key that holds it."""
        if when is None:
            return True
        value = self.value(when, variables, at, what)
        return value is not FAULTY and bool(value)

    def loss_weight(self, raw: Any, variables: Variables, at: Mark) -> float:
        """The weight of an output's loss; 0 where it is faulty."""
        weight = self.value(raw, variables, at, "loss_weight")
        good = isinstance(weight, (int, Fraction, float)) and not isinstance(weight, bool)
        if not good or not 0 <= weight <= LARGEST_WEIGHT:
            if weight is not FAULTY:
                self.faults.add(f"loss_weight must be a number from 0 to {LARGEST_WEIGHT:,}, not {show(weight)}", at)
            return 0.0
        return float(weight)

    def times(self, raw: Any, variables: Variables, at: Mark) -> int:
        """How often something is repeated; 0 where that is faulty."""
        times = self.value(raw, variables, at, "repeat")
        if isinstance(times, bool) or not isinstance(times, int) or times < 0:
            if times is not FAULTY:
                self.faults.add(f"repeat must be a whole number from 0 on, not {show(times)}", at)
            return 0
        if times > MOST_LAYERS:
            self.faults.add(
                f"repeat: {show(times)} is more than the {MOST_LAYERS:,} layers that a network may have", at
            )
            return 0
        return times

    def repeats(self, raw: Any, variable: str | None, variables: Variables, at: Mark) -> Iterator[Variables]:
        """The variables of each repetition, with the one that counts them from 1."""
        times = 1 if raw is None else self.times(raw, variables, at)
        outer = self.uncounted, self.is_again
        self.uncounted = outer[0] or (raw is not None and variable is None)
        for count in range(1, times + 1):
            self.is_again = outer[1] or count > 1
            yield {**variables, variable: count} if variable else variables
        self.uncounted, self.is_again = outer

    def cell(self, column: str, raw: Any, variables: Variables, at: Mark) -> Any:
        """A value of a table. A `name` is text and may hold braces; a word that is no variable is a word."""
        if column == "name":
            return self.text(raw, variables, at)
        if isinstance(raw, str) and raw.isidentifier() and raw not in (*variables, *SIZE_NAMES):
            return raw if raw not in KEYWORDS else self.value(raw, variables, at, column)
        return self.value(raw, variables, at, column)

    def op(self, kind: str, fields: Mapping[str, Any], at: Mark, name: str | None, variables: Variables) -> Op:
        """The op with its fields evaluated; a faulty one gives an identity."""
        values: dict[str, Any] = {}
        marks = fields.values_at if isinstance(fields, MarkedDict) else {}
        unknown: dict[str, ExpressionError] = {}
        failed = False
        for key, raw in fields.items():
            if key in KEYS_BESIDES_FIELDS:
                continue
            try:
                values[key] = plain(field_value(kind, key, raw, variables)) if isinstance(raw, (str, list)) else raw
            except ExpressionError as error:
                # Words like `same`, sizes like 7x7x512 and lists of them are values of some fields: the op decides.
                if error.message:
                    values[key] = str(raw) if isinstance(raw, str) else list(raw)
                    unknown[key] = error
                else:
                    self.wrong(error, key, raw, variables, marks.get(key, at), name)
                    failed = True
        if failed:
            return Identity()
        cache_key = (kind, *((key, repr(value)) for key, value in values.items()))
        if cache_key not in self._ops:
            try:
                self._ops[cache_key] = OPS[kind].model_validate(values)
            except ValidationError as error:
                self._op_faults(error, kind, at, name, fields, variables, unknown)
                return Identity()
        return self._ops[cache_key]

    def _op_faults(
        self,
        error: ValidationError,
        kind: str,
        at: Mark,
        name: str | None,
        fields: Mapping[str, Any],
        variables: Variables,
        unknown: Mapping[str, ExpressionError],
    ) -> None:
        marks = fields.values_at if isinstance(fields, MarkedDict) else {}
        faulty: dict[str, Any] = {}
        found: list[dict[str, Any]] = [dict(fault) for fault in error.errors()]
        for fault in found:
            if fault["type"] == "missing" and len(fault["loc"]) > 1:
                # [3] where two numbers are wanted.
                size = len(fault["input"])
                fault.update(type="too_short", ctx={"min_length": size + 1, "actual_length": size})
            faulty.setdefault(str(fault["loc"][0]) if fault["loc"] else "", fault)
        for key, fault in faulty.items():
            if key in unknown:
                self.wrong(unknown[key], key, fields[key], variables, marks.get(key, at), name)
            elif fault["type"] == "missing" and len(fault["loc"]) == 1:
                self.faults.add(f"{kind} needs {key}", at, name)
            else:
                message = f"{key}: {describe_fault(fault)}" if key else describe_fault(fault)
                if isinstance(fault["input"], str):
                    message += did_you_mean(fault["input"], _WORDS)
                self.faults.add(message, marks.get(key, at), name)
