"""The language of design spaces: `mobilenet alpha=0.25..1.5 step 0.05, resolution=96..320 step 32; resnet depth=18,34`.

    space   = family {";" family}
    family  = network [name "=" values {"," name "=" values}]
    values  = value {"," value}
    value   = number [".." number ["step" number]] | true | false | word | 'text' | "[" value {"," value} "]"

Nothing is evaluated; lengths and numbers of values are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from archcalc.core.errors import ArchcalcError, Inline, Location, Problem, SpecError, UsageError
from archcalc.core.shapes import AXES, LARGEST_SIZE, Shape
from archcalc.core.suggest import did_you_mean
from archcalc.design.search.steps import Steps, ends_of, plain
from archcalc.graph.layer_graph import LayerGraph
from archcalc.spec.build import build, input_section
from archcalc.spec.catalogue import find
from archcalc.spec.document import Parameter
from archcalc.spec.load import load_spec
from archcalc.spec.settings import accept
from archcalc.spec.spec import Spec

ReadSpec = Callable[[Path], Spec]

LONGEST = 10_000
MOST_FAMILIES = 200
#: Values of one parameter, and configurations of a space.
MOST_VALUES = 1_000_000
MOST_CONFIGURATIONS = 10**13
#: What is searched without being asked for: hours of one core.
MOST_UNASKED = 10**9
#: Digits of a number.
MOST_DIGITS = 15
#: The side of the input, all sides alike.
RESOLUTION = "resolution"

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+(?:\.(?!\.)\d+)?|\.\d+)(?![\w.]*[A-Za-z_])|[-+]?\d+(?:\.(?!\.)\d+)?(?=\.\.))"
    r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<dots>\.\.)|(?P<mark>[;=,\[\]])|(?P<word>[^\s;=,\[\]'\"]+))"
)

_INFINITE = re.compile(r"[-+]?(inf|infinity|nan|∞)", re.IGNORECASE)


class Token(NamedTuple):
    """A piece of a query, and at which character it begins, from 0."""

    kind: str
    text: str
    offset: int


@dataclass(frozen=True)
class Varying:
    """A parameter, or a size of the input, and the values that it takes."""

    name: str
    values: Sequence[Any]
    #: The axes of the input that it is the size of; none for a parameter of the network.
    sides: tuple[int, ...] = ()

    @cached_property
    def is_number(self) -> bool:
        """Whether it takes numbers only, so that formulas hold for all of them."""
        return isinstance(self.values, Steps) or all(
            isinstance(value, (int, Fraction)) and not isinstance(value, bool) for value in self.values
        )

    @cached_property
    def is_whole(self) -> bool:
        """Whether it takes whole numbers only, or truths."""
        return all(isinstance(value, int) for value in ends_of(self.values))


@dataclass(frozen=True)
class Family:
    """A network and what varies of it, words before numbers.

    Configurations are counted with the last parameter changing fastest.
    """

    network: str
    spec: Spec
    member: str | None
    variant: str | None
    axes: tuple[Varying, ...]
    #: The network's own input, where sizes vary.
    input_shape: Shape | None = None

    @cached_property
    def count(self) -> int:
        """The number of configurations."""
        return prod(len(axis.values) for axis in self.axes)

    def values(self, index: int) -> dict[str, Any]:
        """The configuration of an index, by the name of each parameter."""
        found = {}
        for axis in reversed(self.axes):
            index, place = divmod(index, len(axis.values))
            found[axis.name] = axis.values[place]
        return {axis.name: found[axis.name] for axis in self.axes}

    def settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the values that are parameters of the network."""
        return {axis.name: values[axis.name] for axis in self.axes if not axis.sides}

    def sizes(self, values: Mapping[str, Any]) -> Shape | None:
        """The input of a configuration; None: the network's own."""
        if self.input_shape is None:
            return None
        return tuple([values[side] if isinstance(side, str) else side for side in self.named_sizes or ()])

    @cached_property
    def named_sizes(self) -> tuple[int | str, ...] | None:
        """The input with the names of the sizes that vary."""
        if self.input_shape is None:
            return None
        sides: list[int | str] = list(self.input_shape)
        for axis in self.axes:
            for side in axis.sides:
                sides[side] = axis.name
        return tuple(sides)


class _Reader:
    """Reads the pieces of a query one after another; what is wrong is shown with its column."""

    def __init__(self, text: str, what: str) -> None:
        self.file = Inline(what, text)
        if len(text) > LONGEST:
            raise UsageError(f"a {what} may have {LONGEST:,} characters, this one has {len(text):,}")
        self.tokens: list[Token] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                offset = len(text) - len(text[position:].lstrip())
                self.tokens.append(Token("end", "", len(text)))
                self.fail(f"{text[offset]!r} cannot stand here: a quote is not closed", offset)
            kind = str(match.lastgroup)
            self.tokens.append(Token(kind, match[kind], match.start(kind)))
            position = match.end()
        self.tokens.append(Token("end", "", len(text)))
        self.index = 0

    def fail(self, message: str, offset: int) -> NoReturn:
        raise SpecError([Problem(message, Location(self.file, 1, offset + 1))])

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def take(self) -> Token:
        token = self.token
        self.index += token.kind != "end"
        return token

    def is_mark(self, text: str) -> bool:
        return self.token.kind == "mark" and self.token.text == text

    def takes(self, text: str) -> bool:
        found = self.is_mark(text)
        self.index += found
        return found

    def assigns(self) -> bool:
        """Whether a name with = after it comes next."""
        following = self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        return self.token.kind == "word" and following.kind == "mark" and following.text == "="


@dataclass(frozen=True)
class _Given:
    """What a query gives a parameter: the name, and values and ranges one after another."""

    token: Token
    #: At which character the values begin.
    start: int
    parts: tuple[Sequence[Any], ...]

    @property
    def count(self) -> int:
        return sum(map(len, self.parts))

    @property
    def values(self) -> Sequence[Any]:
        """All of them; one range as it is."""
        return self.parts[0] if len(self.parts) == 1 else tuple(chain.from_iterable(self.parts))


class _Asked(NamedTuple):
    """A network of a query as it is written."""

    token: Token
    given: Mapping[str, _Given]

    @property
    def name(self) -> str:
        return self.token.text.strip("'\"") if self.token.kind == "text" else self.token.text


def count_configurations(text: str) -> int:
    """How many configurations a space has, without looking at any. Raises `SpecError` with the column of a fault."""
    return _count(_read(_Reader(text, "space")))


def parse_space(text: str, read: ReadSpec = load_spec) -> tuple[Family, ...]:
    """The families of a space. Raises `SpecError` with the column of a fault, `UsageError` for one that is too large.

    `read` reads a spec file.
    """
    reader = _Reader(text, "space")
    asked = _read(reader)
    total = _count(asked)
    if total > MOST_CONFIGURATIONS:
        raise UsageError(f"the space has {total:,} configurations, more than {MOST_CONFIGURATIONS:,}")
    return tuple([_family(reader, one, read) for one in asked])


def _count(asked: Sequence[_Asked]) -> int:
    return sum(prod(given.count for given in one.given.values()) for one in asked)


def _read(reader: _Reader) -> list[_Asked]:
    asked: list[_Asked] = []
    while reader.token.kind != "end":
        if reader.takes(";"):
            continue
        if len(asked) == MOST_FAMILIES:
            raise UsageError(f"a space may have {MOST_FAMILIES} networks")
        asked.append(_read_family(reader))
        if reader.token.kind != "end" and not reader.is_mark(";"):
            reader.fail(f"expected , or ; and not {reader.token.text[:40]!r}", reader.token.offset)
    if not asked:
        raise UsageError(
            "the space is empty; for example: 'mobilenet alpha=0.25..1.5 step 0.05, resolution=96..320 step 32'"
        )
    return asked


def _read_family(reader: _Reader) -> _Asked:
    token = reader.take()
    if token.kind not in ("word", "text", "number") or reader.is_mark("="):
        reader.fail("expected the name of a network", token.offset)
    given: dict[str, _Given] = {}
    while reader.token.kind not in ("end",) and not reader.is_mark(";"):
        if not reader.assigns():
            reader.fail(f"expected NAME=VALUES, not {reader.token.text[:40]!r}", reader.token.offset)
        parameter = reader.take()
        reader.take()
        if parameter.text in given:
            reader.fail(f"{parameter.text} is given twice", parameter.offset)
        given[parameter.text] = _Given(parameter, reader.token.offset, _values(reader))
        if not reader.takes(","):
            break
    return _Asked(token, given)


def _family(reader: _Reader, asked: _Asked, read: ReadSpec) -> Family:
    spec, member, variant = _network(reader, asked.name, asked.token.offset, read)
    given = {}
    for key, one in asked.given.items():
        values = one.values
        if not isinstance(values, Steps):
            different = {(value is True or value is False, _hashable(value)) for value in values}
            if len(different) < len(values):
                reader.fail("a value is given twice", one.start)
        given[key] = (one.token, values)
    return _with_axes(reader, asked.name, spec, member, variant, given)


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, list) else value


def _network(reader: _Reader, name: str, offset: int, read: ReadSpec) -> tuple[Spec, str | None, str | None]:
    try:
        return find(name, read)
    except UsageError as error:
        reader.fail(str(error), offset)


def _values(reader: _Reader) -> tuple[Sequence[Any], ...]:
    start = reader.token.offset
    found: list[Sequence[Any]] = []
    count = 0
    while True:
        part = _value(reader, MOST_VALUES - count)
        found.append(part)
        count += len(part)
        if count > MOST_VALUES:
            reader.fail(f"a parameter may take {MOST_VALUES:,} values", start)
        if reader.is_mark(",") and not _next_assigns(reader):
            reader.take()
            continue
        return tuple(found)


def parse_values(text: str, most: int) -> list[str]:
    """The values of one parameter, as `96..320 step 32`, as text. Raises `SpecError` with the column of a fault."""
    reader = _Reader(text, "list of values")
    values = [*chain.from_iterable(part[: most + 1] for part in _values(reader))]
    if reader.token.kind != "end":
        reader.fail(f"expected , or the end, found {reader.token.text!r}", reader.token.offset)
    return [decimal(value) for value in values]


def _next_assigns(reader: _Reader) -> bool:
    reader.index += 1
    found = reader.assigns()
    reader.index -= 1
    return found


def _value(reader: _Reader, most: int) -> Sequence[Any]:
    token = reader.take()
    if token.kind == "mark" and token.text == "[":
        items: list[Any] = []
        while not reader.takes("]"):
            items += [*_value(reader, 1000 - len(items))]
            if not reader.is_mark("]") and not reader.takes(","):
                reader.fail("expected , or ]", reader.token.offset)
        return [items]
    if token.kind == "text":
        return [token.text[1:-1]]
    if token.kind == "word":
        if _INFINITE.fullmatch(token.text):
            reader.fail("a space is finite: give a number", token.offset)
        if not re.fullmatch(r"[\w./@+-]{1,100}", token.text) or token.text[0].isdigit():
            reader.fail(f"{token.text[:40]!r} is no number and no word", token.offset)
        return [{"true": True, "false": False}.get(token.text, token.text)]
    if token.kind != "number":
        found = repr(token.text) if token.text else "the end"
        reader.fail(f"expected a value, found {found}", token.offset)
    first = _number(reader, token)
    if reader.token.kind != "dots":
        return [first]
    reader.take()
    end = reader.take()
    if end.kind != "number":
        what = "a space is finite: a" if _INFINITE.fullmatch(end.text) else "a"
        reader.fail(f"{what} range needs a number at its end, as in 96..320", end.offset)
    last = _number(reader, end)
    step = Fraction(1)
    if reader.token.kind == "word" and reader.token.text == "step":
        reader.take()
        size = reader.take()
        if size.kind != "number":
            reader.fail("step needs a number", size.offset)
        step = Fraction(_number(reader, size))
        if step <= 0:
            reader.fail("a step must be greater than 0", size.offset)
    elif not (isinstance(first, int) and isinstance(last, int)):
        reader.fail("a range of decimal numbers needs a step, as in 0.25..1.5 step 0.05", token.offset)
    if last < first:
        reader.fail(f"the range from {token.text} to {end.text} is empty", token.offset)
    count = int((last - first) // step) + 1
    if count > most:
        reader.fail(f"the range has {count:,} values, and a parameter may take {MOST_VALUES:,}", token.offset)
    return Steps.of(first, step, count)


def _number(reader: _Reader, token: Token) -> int | Fraction:
    if len(token.text) > MOST_DIGITS:
        reader.fail(f"a number may have {MOST_DIGITS} digits", token.offset)
    return plain(Fraction(token.text))


def _with_axes(
    reader: _Reader,
    name: str,
    spec: Spec,
    member: str | None,
    variant: str | None,
    given: Mapping[str, tuple[Token, Sequence[Any]]],
) -> Family:
    declared = spec.document.parameters
    parameters = {key: values for key, (_, values) in given.items() if key in declared}
    for key, values in parameters.items():
        for value in _to_check(values, declared[key]):
            try:
                accept(key, declared[key], value)
            except ValueError as error:
                reader.fail(f"{name}: {error}", given[key][0].offset)
    others = [key for key in given if key not in declared]
    shape = None
    if others:
        graph = _any_network(spec, member, variant, parameters)
        shape = graph.input_shape
        section = input_section(spec, member or spec.document.name, variant)
        if "{" in str(section.get("input", "")).rpartition("x")[2] and parameters:
            reader.fail(f"{name}: the channels of its input follow from parameters, so its sizes cannot vary with them",
                        given[others[0]][0].offset)  # fmt: skip
        known = _size_names(shape, declared) if len(graph.inputs) == 1 else {}
        for key in others:
            if key not in known:
                hint = did_you_mean(key, [*declared, *known]) or f"; there are {', '.join([*declared, *known])}"
                if len(graph.inputs) > 1:
                    hint += "; sizes of its several inputs cannot vary"
                reader.fail(f"{name} has no parameter {key[:60]!r}{hint}", given[key][0].offset)
            for value in ends_of(given[key][1]):
                if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST_SIZE:
                    reader.fail(
                        f"{key} is a whole number from 1 to {LARGEST_SIZE:,}, not {value}", given[key][0].offset
                    )
        taken = [side for key in others for side in known[key]]
        if len(set(taken)) < len(taken):
            reader.fail(f"{' and '.join(others)} give the same side twice", given[others[-1]][0].offset)
        axes = [Varying(key, values, known[key] if key in others else ()) for key, (_, values) in given.items()]
    else:
        axes = [Varying(key, values) for key, (_, values) in given.items()]
    # Words change slowest: for each of them formulas hold for all numbers.
    return Family(name, spec, member, variant, tuple(sorted(axes, key=lambda axis: axis.is_number)), shape)


def _to_check(values: Sequence[Any], parameter: Parameter) -> Sequence[Any]:
    """The values of which each must be checked: of a range its ends, where any number between limits is good."""
    return values if parameter.choices is not None else ends_of(values)


def _any_network(
    spec: Spec, member: str | None, variant: str | None, parameters: Mapping[str, Sequence[Any]]
) -> LayerGraph:
    """The network as it is, or where a parameter must be set, at the first values."""
    try:
        return build(spec, member, variant)
    except ArchcalcError:
        return build(spec, member, variant, {key: values[0] for key, values in parameters.items()})


def _size_names(shape: Shape, declared: Mapping[str, Parameter]) -> dict[str, tuple[int, ...]]:
    """What sizes of the input are called: `resolution` or `input` for all sides, or each by its axis."""
    rank = len(shape) - 1
    if not rank:
        return {}
    sides = tuple(range(1, rank + 1))
    known = {RESOLUTION: sides, "input": sides, **{axis: (side,) for side, axis in zip(sides, AXES[rank], strict=True)}}
    return {key: sides for key, sides in known.items() if key not in declared}


def decimal(value: Any) -> str:
    """A value as a space and a table have it: 0.25, true, [3, 4]."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(decimal, value))}]"
    if not isinstance(value, Fraction):
        return str(value)
    # Written decimals have finitely many digits, and so have their sums.
    digits = next(digits for digits in range(1, 2 * MOST_DIGITS) if 10**digits % value.denominator == 0)
    whole = abs(int(value * 10**digits))
    sign = "-" if value < 0 else ""
    return f"{sign}{whole // 10**digits}.{whole % 10**digits:0{digits}d}"
