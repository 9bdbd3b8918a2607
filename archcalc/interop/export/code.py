"""What all code that is written has in common: variables, long lines, and classes that a framework lacks."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from importlib.resources import files

from archcalc.interop.export.classes import Item, Template
from archcalc.interop.export.names import identifier, unique

WIDTH = 110


@cache
def parts_of(file: str) -> dict[str, str]:
    """The source of each class and function of a file of code, by name."""
    text = files("archcalc.interop.export").joinpath(file).read_text(encoding="utf-8")
    lines = text.splitlines()
    return {
        node.name: "\n".join(
            lines[min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1 : node.end_lineno]
        )
        for node in ast.parse(text).body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef))
    }


def used_parts(file: str, calls: Iterator[str]) -> list[str]:
    """Those of these calls that are parts of a file, and the classes that they are made of, in its order."""
    wanted = set(calls) & set(parts_of(file))
    while True:
        more = {
            base.id
            for name in wanted
            for node in ast.parse(parts_of(file)[name]).body
            if isinstance(node, ast.ClassDef)
            for base in node.bases
            if isinstance(base, ast.Name)
        } - wanted
        if not more:
            return [name for name in parts_of(file) if name in wanted]
        wanted |= more


def wrapped(start: str, arguments: Sequence[str], end: str, indent: int) -> list[str]:
    """A call on one line, or with its arguments on lines of their own."""
    line = f"{start}{', '.join(arguments)}{end}"
    if len(line) <= WIDTH or not arguments:
        return [line]
    lines, inner = [start], ""
    for argument in arguments:
        if inner and indent + 4 + len(inner) + len(argument) + 2 > WIDTH:
            lines.append(f"{' ' * (indent + 4)}{inner}")
            inner = ""
        inner += f"{' ' if inner else ''}{argument},"
    return [*lines, f"{' ' * (indent + 4)}{inner}", f"{' ' * indent}{end}"]


class Names:
    """The variables of a function: a part that is the last to read a variable gives its value to it."""

    def __init__(self, template: Template, inputs: Sequence[str], reserved: Collection[str]) -> None:
        """`reserved`: what no variable may be called."""
        self._reserved = reserved
        self.of: dict[tuple[int, int], str] = {(-1, number): name for number, name in enumerate(inputs)}
        self._template = template
        self._last: dict[tuple[int, int], int] = {}
        for number, item in enumerate(template.items):
            self._last.update(dict.fromkeys(item.reads, number))
        self._last.update(dict.fromkeys(template.gives, len(template.items)))

    def steps(self) -> Iterator[tuple[int, Item, list[str], list[str]]]:
        """What is written in order: its place, the variables it reads and those it gives, none if nobody reads it."""
        for number, item in enumerate(self._template.items):
            given = [self.of[place] for place in item.reads]
            is_read = any(self.is_read((number, which)) for which in range(item.gives))
            yield number, item, given, self.give(number) if is_read else []

    def is_read(self, place: tuple[int, int]) -> bool:
        return place in self._last

    def give(self, number: int) -> list[str]:
        """Names for what an item gives."""
        item = self._template.items[number]
        found: list[str] = []
        for which in range(item.gives):
            free = [
                self.of[place]
                for place in item.reads
                if self._last[place] == number and self.of[place] not in found and which == 0
            ]
            name = free[0] if free else self._new(number, which, found)
            found.append(name)
        for which, name in enumerate(found):
            self.of[number, which] = name
        return found

    def _new(self, number: int, which: int, given: Collection[str]) -> str:
        live = set(given) | {
            self.of[place] for place, last in self._last.items() if place in self.of and last >= number
        }
        item = self._template.items[number]
        stem = item.attribute.rpartition(".")[2] if item.first is None else f"{item.attribute}out"
        if which:
            finds = any("return_indices=True" in call.arguments or "Places" in call.call for call in item.calls)
            stem = f"{stem}_indices" if finds else f"{stem}_{which + 1}"
        if not which and "out" not in live and self._goes_on(number):
            stem = "out"
        return unique(identifier(stem, self._reserved), live | set(self._reserved))

    def _goes_on(self, number: int) -> bool:
        """Whether what an item gives is read by the next one alone: the start of a branch of several parts."""
        readers = [other for other, item in enumerate(self._template.items) if (number, 0) in item.reads]
        return readers == [number + 1] and len(self._template.items[number + 1].reads) == 1
