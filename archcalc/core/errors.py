"""Errors that a user can act on: what is wrong, where, and what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple


class Location(NamedTuple):
    """A place in a spec file; lines and columns count from 1. Line 0: `file` says the whole place."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Inline(str):
    """The name of a source that is one line and was given on the command line; errors show it and point into it."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, name: str, text: str) -> Inline:
        self = super().__new__(cls, name)
        self.text = text
        return self

    def excerpt(self, column: int) -> tuple[str, str]:
        """The text around a column, and a line with a caret under it."""
        start = max(0, column - 61)
        shown = self.text[start : start + 100].translate(_BLANKS)
        before, after = "…" if start else "", "…" if start + 100 < len(self.text) else ""
        return f"{before}{shown}{after}", " " * (len(before) + column - 1 - start) + "^"


_BLANKS = dict.fromkeys([*range(32), 127], " ")


class Problem(NamedTuple):
    """One fault: a sentence, its place, the layer it concerns, and lines that help to repair it."""

    message: str
    location: Location | None = None
    layer: str | None = None
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{self.location}: " if self.location else ""
        layer = f"layer {self.layer}: " if self.layer else ""
        where: tuple[str, ...] = ()
        if self.location and isinstance(self.location.file, Inline):
            where = self.location.file.excerpt(self.location.column)
        return "\n    ".join([f"{head}{layer}{self.message}", *where, *self.details])


class ArchcalcError(Exception):
    """The base of every error that archcalc raises on purpose; the command line prints it and exits with 2.

    >>> import archcalc as ac
    >>> try:
    ...     ac.load("alexnt")
    ... except ac.ArchcalcError as error:
    ...     print(error)
    there is no network 'alexnt'; did you mean alexnet or lenet5 or facenet?

    """


class DerivationError(AssertionError):
    """A derivation does not give the number of the analysis: a fault of archcalc, not of its user."""

    def __init__(self, layer: str, quantity: str, derived: object, expected: object) -> None:
        super().__init__(
            f"internal error: the derivation of {quantity} of layer {layer} gives {derived}, the analysis {expected}"
        )


class UsageError(ArchcalcError):
    """A wrong argument: an unknown network, a malformed size, a value out of range.

    >>> import archcalc as ac
    >>> try:
    ...     ac.export("alexnet", "alexnet.doc")
    ... except ac.UsageError as error:
    ...     print(error)
    alexnet.doc: there is nothing to write; endings are .py, .onnx, .prototxt, .yaml, .yml, .mmd, .dot

    """


class FileError(UsageError):
    """A fault in a file as a whole: `FILE: what is wrong`, as a `SpecError` has it for a place in a file."""


class MissingPackageError(UsageError):
    """What was asked for needs a package that is not installed."""

    def __init__(self, package: str, message: str) -> None:
        super().__init__(message)
        self.package = package


class ArrayError(UsageError):
    """An array that was given and that does not fit; `key` is its name, by which a file with it finds the place."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class UnknownLayerError(UsageError, KeyError):
    """A layer or block that a network does not have; the message names the nearest ones.

    >>> import archcalc as ac
    >>> ac.analyse("alexnet")["conv9"]
    Traceback (most recent call last):
    archcalc.core.errors.UnknownLayerError: alexnet has no layer or block 'conv9'; did you mean conv1 or conv2 or conv3?

    """

    __str__ = Exception.__str__  # a KeyError would show the message in quotes


class ShapeError(ArchcalcError):
    """An op cannot take the shapes that reach it. The pass that meets it adds the layer and the place.

    >>> from archcalc.ops import OPS
    >>> OPS["conv2d"](out_channels=8, kernel_size=5).check([(3, 4, 4)])
    Traceback (most recent call last):
    archcalc.core.errors.ShapeError: the window is larger than its input

    """

    def __init__(self, message: str, *details: str | Callable[[], str]) -> None:
        """`details`: text, or what gives it: sizes are compared to find what would fit, which few ask for."""
        super().__init__(message)
        self.message = message
        self._details = details

    @property
    def details(self) -> tuple[str, ...]:
        """What came in, what was wanted, and what would fit."""
        return tuple([detail if isinstance(detail, str) else detail() for detail in self._details])


class SpecError(ArchcalcError):
    r"""Everything that is wrong with a spec, in the order of the file.

    >>> import archcalc as ac
    >>> try:
    ...     ac.from_yaml("name: small\ntitle: Small\ninput: 8x8x3\nlayers: [cnov]")
    ... except ac.SpecError as error:
    ...     print(error.problems[0].location, error.problems[0].message)
    <text>:4:10 there is no op or block 'cnov'; did you mean conv2d?

    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(_in_file_order(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def _in_file_order(problems: Iterable[Problem]) -> list[Problem]:
    """One problem a place and message, whatever its numbers: a block that is used sixteen times is wrong once."""
    seen: dict[tuple[str, Location | None], Problem] = {}
    for problem in problems:
        message = re.sub(r"\d+", "0", problem.message) if problem.location else problem.message
        seen.setdefault((message, problem.location), problem)
    return sorted(seen.values(), key=lambda problem: problem.location or Location("", 0, 0))
