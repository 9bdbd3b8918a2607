"""The arguments of the parts of a class, compared over its members: those that differ become parameters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

from archcalc.interop.export.names import unique
from archcalc.interop.export.spelling import CHANNELS, NEEDED, Arg

#: Channels are written as so many times others at most.
_LARGEST_RATIO = 32
#: With more parameters for channels than these, each is called after its part.
_MOST_CHANNELS = 2


class Param(NamedTuple):
    """A parameter of a class; without a default it must be given."""

    name: str
    default: Any = NEEDED


class Code(str):
    """A value that is an expression of Python."""

    __slots__ = ()


def literal(value: Any) -> str:
    """A value as Python writes it."""
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f'float("{value}")'
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if value.isprintable() else repr(value)
    return repr(value)


class _Found:
    """A parameter of a class while its arguments are compared: where it was found first, and its values."""

    def __init__(self, part: str, arg: str, default: Any, values: list[Any], is_last: bool) -> None:
        self.part, self.arg, self.default, self.values, self.is_last = part, arg, default, values, is_last
        self.name = ""

    def plain_name(self) -> str:
        """The name where no other parameter of the class asks for it: channels that go on inside are no output."""
        return "channels" if self.arg == "out_channels" and not self.is_last else self.arg

    def full_name(self, taken: Collection[str]) -> str:
        """The name with that of its part: reduce_channels, channels_3x3."""
        part = self.part.replace(".", "_")
        shorter = re.sub("^out_channels", "channels", self.arg)
        full = [f"{arg}{part}" if part.startswith("_") else f"{part}_{arg}" for arg in (shorter, self.arg)]
        return next((each for each in full if each not in taken), full[-1])


class Params:
    """The arguments of the members of a class, compared: those that differ become parameters.

    `members`: for each block, for each of its items, the name of each part with an argument.
    """

    def __init__(self, members: Sequence[Sequence[Sequence[tuple[str, Arg]]]]) -> None:
        self._found: dict[tuple[str, tuple[str, ...]], _Found] = {}
        items = list(zip(*members, strict=True))
        ends = [number for number, item in enumerate(items) if any(_gives_channels(arg) for _, arg in item[0])]
        last = ends[-1] if ends else -1
        drafts = [
            [self._text([arg for _, arg in column], column[0][0], number == last) for column in zip(*item, strict=True)]
            for number, item in enumerate(items)
        ]
        self._name()
        #: For each item what is written for each argument; None: nothing.
        self.texts = [[None if text is None else text() for text in item] for item in drafts]
        self._ordered = sorted(
            self._found.values(), key=lambda each: (each.default is not NEEDED, _family(each.arg) != "channels")
        )
        self.params = tuple(Param(each.name, each.default) for each in self._ordered)

    def arguments(self, row: int) -> tuple[Arg, ...]:
        """What one of the blocks gives for the parameters."""
        return tuple(
            Arg(each.name, each.values[row], each.default, keyword=each.default is not NEEDED) for each in self._ordered
        )

    def _name(self) -> None:
        """Names for the parameters: of several that would be called alike only the first input is."""
        taken = {"self", "i", "x", "y", "name"}
        plain = Counter(each.plain_name() for each in self._found.values())
        many = plain["channels"] + plain["out_channels"] > _MOST_CHANNELS
        for each in self._found.values():
            name = each.plain_name()
            is_first = each.arg.startswith("in_") and name not in taken
            alone = plain[name] == 1 and not (many and name in ("channels", "out_channels"))
            each.name = unique(name if alone or is_first else each.full_name(taken), taken)
            taken.add(each.name)

    def _text(self, column: Sequence[Arg], part: str, is_last: bool) -> Callable[[], str] | None:
        """What is written for an argument inside of the class; None: nothing, it is the default everywhere."""
        first = column[0]
        if all(arg.default is not NEEDED and arg.value == arg.default for arg in column):
            return None
        values = [arg.value for arg in column]
        if all(_equal(value, values[0]) for value in values):
            return partial(literal, values[0])
        related = self._related(first.name, values)
        if related is not None:
            return related
        default = first.default if all(arg.default == first.default for arg in column) else NEEDED
        found = _Found(part, first.name, default, values, is_last)
        self._found[_family(first.name), tuple(map(repr, values))] = found
        return lambda: found.name

    def _related(self, name: str, values: Sequence[Any]) -> Callable[[], str] | None:
        """The values by those of a parameter that there is: equal to it, a multiple of it, or half of a window."""
        same = self._found.get((_family(name), tuple(map(repr, values))))
        if same is not None:
            return lambda: same.name
        if not all(type(value) is int for value in values):
            return None
        for (kind, _), param in self._found.items():
            others = param.values
            if not all(type(other) is int for other in others):
                continue
            if name == "padding" and kind == "kernel_size" and [other // 2 for other in others] == list(values):
                return partial("{0.name} // 2".format, param)
            if kind != "channels" or _family(name) != "channels" or 0 in others or 0 in values:
                continue
            ratio = values[0] // others[0]
            if 1 < ratio <= _LARGEST_RATIO and [ratio * other for other in others] == list(values):
                return partial("{1} * {0.name}".format, param, ratio)
            ratio = others[0] // values[0]
            if 1 < ratio <= _LARGEST_RATIO and [ratio * value for value in values] == list(others):
                return partial("{0.name} // {1}".format, param, ratio)
        return None


def _gives_channels(arg: Arg) -> bool:
    return arg.name.endswith(("out_channels", "out_features")) or arg.name == "channels"


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _family(name: str) -> str:
    """Which arguments may share a parameter: those that count channels, else those of one name."""
    plain = next((each for each in CHANNELS if name.endswith(each)), None)
    if plain is not None:
        return "channels"
    return next((each for each in ("kernel_size", "stride", "padding", "dilation") if name.endswith(each)), name)
