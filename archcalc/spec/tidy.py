"""A spec put in order: spaces and indentation as in the catalogue; comments stay."""

from __future__ import annotations

import re

import yaml

from archcalc.core.errors import SpecError, UsageError
from archcalc.spec.source import compose, parse_source

#: The file that places in a text are of.
_FILE = "<text>"
#: The indentation of a mapping or list below its key.
_STEP = 2
_HEAD = re.compile(r"(?P<indent> *)(?P<dashes>(?:-[ \t]+)*)(?P<body>.*)", re.DOTALL)
_COLON = re.compile(r"[ \t]*:[ \t]+")


def tidied(text: str) -> str:
    """A YAML text in order. Raises `UsageError` where its meaning would change, `SpecError` for no YAML."""
    before = parse_source(text, _FILE).value
    new = _Layout(text).tidied()
    try:
        is_same = parse_source(new, _FILE).value == before
    except SpecError:
        is_same = False
    if not is_same:
        raise UsageError("the text cannot be put in order: its meaning would change")
    return new


class _Layout:
    """The lines of a text, and the column in which each of them is to begin."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        #: The new column of the lines that begin an entry of a block mapping or a block list.
        self.begins: dict[int, int] = {}
        #: Lines that go on with a value, by the line on which it begins.
        self.goes_on: dict[int, int] = {}
        #: Lines with a text over several lines, whose spaces may mean something.
        self.kept: set[int] = set()
        #: What stands between a key and its value, as line, start and end.
        self.colons: list[tuple[int, int, int]] = []
        self._seen: set[int] = set()
        node = compose(text)
        if node is not None:
            self._walk(node, 0)

    def _walk(self, node: yaml.Node, column: int) -> None:
        # An alias is the node of its anchor.
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode) and not node.flow_style:
            for key, value in node.value:
                self.begins.setdefault(key.start_mark.line, column)
                if key.end_mark.line == value.start_mark.line:
                    self.colons.append((key.end_mark.line, key.end_mark.column, value.start_mark.column))
                self._inner(value, column + _STEP)
        elif isinstance(node, yaml.SequenceNode) and not node.flow_style:
            for item in node.value:
                self.begins.setdefault(item.start_mark.line, column)
                self._inner(item, column + _STEP)

    def _inner(self, node: yaml.Node, column: int) -> None:
        if isinstance(node, yaml.CollectionNode) and not node.flow_style:
            self._walk(node, column)
            return
        first, last = node.start_mark.line, node.end_mark.line
        # A block of text ends where the next line begins.
        ends = last - 1 if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">") else last
        for line in range(first + 1, ends + 1):
            self.goes_on.setdefault(line, first)
            if isinstance(node, yaml.ScalarNode):
                self.kept.add(line)
        if isinstance(node, yaml.ScalarNode) and ends > first:
            self.kept.add(first)

    def tidied(self) -> str:
        spaced = list(self.lines)
        for at, start, end in sorted(self.colons, reverse=True):
            if _COLON.fullmatch(spaced[at], start, end):
                spaced[at] = f"{spaced[at][:start]}: {spaced[at][end:]}"
        moves: dict[int, int] = {}
        found: list[str] = []
        for number, line in enumerate(spaced):
            if number in self.kept and number in self.goes_on:
                found.append(self._moved(line, moves.get(self.goes_on[number], 0)) if line.strip() else line)
                continue
            if not line.strip():
                if found and found[-1]:
                    found.append("")
                continue
            indent = len(line) - len(line.lstrip(" "))
            column = self._column(number, indent, moves)
            moves[number] = column - indent
            match = _HEAD.fullmatch(line)
            assert match is not None
            dashes = "- " * match["dashes"].count("-") if number in self.begins else match["dashes"]
            body = match["body"] if number in self.kept else _spaced(match["body"].rstrip())
            found.append(f"{' ' * column}{dashes}{body}")
        return "\n".join(found).strip("\n") + "\n"

    def _column(self, number: int, indent: int, moves: dict[int, int]) -> int:
        """Where a line begins: a comment as the line below it, what goes on with a value as far as that moved."""
        if number in self.begins:
            return self.begins[number]
        if number in self.goes_on:
            return max(0, indent + moves.get(self.goes_on[number], 0))
        after = next((at for at in range(number + 1, len(self.lines)) if at in self.begins), None)
        if after is not None and self._indent(after) == indent:
            return self.begins[after]
        before = next((at for at in range(number - 1, -1, -1) if at in self.begins), None)
        return max(0, indent + (moves[before] if before is not None else 0))

    def _indent(self, number: int) -> int:
        return len(self.lines[number]) - len(self.lines[number].lstrip(" "))

    @staticmethod
    def _moved(line: str, by: int) -> str:
        """A line further to the right, or to the left as far as there are spaces."""
        return " " * by + line if by > 0 else line[min(-by, len(line) - len(line.lstrip(" "))) :]


def _spaced(body: str) -> str:
    """`{a: 1,b: 2 }` as `{a: 1, b: 2}`, outside of quotes and comments."""
    if not re.search("[{}]", body) or any(sign in body for sign in "\"'|>"):
        return body
    code, sign, comment = body.partition(" #")
    plain = code.rstrip()
    after = f"{code[len(plain) :]}{sign}{comment}" if sign else ""
    code = re.sub(r"\s*,\s*", ", ", plain).rstrip()
    code = re.sub(r"(?<=[{\[])\s+|\s+(?=[}\]])", "", code)
    return re.sub(r"(?<=[\w}\]]):\s+(?=\S)", ": ", code) + after
