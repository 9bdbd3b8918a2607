"""What is wrong with a text that is no YAML, in words that do not depend on the parser."""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

#: The space and the dashes before what a line says.
_HEAD = re.compile(r"( *)((?:- +)*(?:-$)?)")
_KEY = re.compile(r"[\w.@-]+(?= *:(?:\s|$))")
#: What holds brackets that are none, else a bracket. Outside of a flow collection a bracket begins a value.
_SIGN = re.compile(r"""(?m)(?:^|(?<=[\s,\[{]))(?:#.*|"(?:\\.|[^"\\])*"|'[^']*')|[\[\]{}]""")
_CLOSING = {"[": "]", "{": "}"}


class Found(NamedTuple):
    """What is wrong, its line and column from 0, and what mends it."""

    message: str
    line: int
    column: int
    details: tuple[str, ...] = ()


def explain(text: str, error: yaml.MarkedYAMLError) -> Found | None:
    """What a parser stumbled over; None where that is none of the known faults."""
    at = error.problem_mark or error.context_mark
    lines = [*text.split("\n"), ""]
    if at is None or at.line >= len(lines):
        return None
    begun, context, problem = error.context_mark or at, error.context or "", error.problem or ""
    line, row, column = lines[at.line], at.line, at.column
    before, here = line[:column], line[column : column + 1]
    first = lines[min(begun.line, len(lines) - 1)][begun.column :]
    if here == "\t":
        where = "a tab stands here; write a space" if before.strip() else "a tab indents this line; write spaces"
        return Found(where, row, column)
    if "end of stream" in problem and "quoted" in context:
        return _not_closed(first[:1], first[:1], begun.line, begun.column)
    if "escape" in problem:
        start = line.rfind("\\", 0, column + 1)
        return Found(f"there is no escape {line[start : start + 2]}; put the text in single quotes", row, start)
    opened, is_closed = _brackets(text, sum(len(one) + 1 for one in lines[:row]) + column)
    if opened is not None:
        sign, last = text[opened], text.rfind("\n", 0, opened) + 1
        if here in _CLOSING.values() and here:
            return Found(f"{sign} is closed by {here}", row, column, (f"close it with {_CLOSING[sign]}",))
        if not is_closed:
            return _not_closed(sign, _CLOSING[sign], text.count("\n", 0, opened), opened - last)
        word = re.search(r"[\w.-]+ *$", before)
        if here == ":" and word:
            return Found(f"a comma is missing before {word[0].strip()}", row, word.start())
        return Found("a value is expected here" if "node" in context or "node" in problem
                     else "a comma is missing before this", row, column)  # fmt: skip
    if here in ("]", "}"):
        return Found(f"nothing is open that {here} closes", row, column)
    if "simple key" in context:
        return _key(first, begun.line, begun.column)
    if "mapping values" in problem:
        return _second_colon(lines, row, column)
    if "alias" in context or "anchor" in context or "start any token" in problem:
        place = begun if "scanning an" in context else at
        sign = lines[place.line][place.column : place.column + 1]
        return Found(f"a value cannot begin with {sign}; put it in quotes", place.line, place.column)
    if "block scalar" in context:
        return Found(f"after {first[:1]} the text begins in the next line", row, column)
    if here and not before.strip():
        return _indentation(lines, row)
    end = before.rstrip()[-1:]
    if end in ("}", "]"):
        return Found(f"nothing can follow this {end} in its line", row, column)
    is_quote = end in ("'", '"')
    return Found("text follows a closing quote; put the whole value in quotes", row, column) if is_quote else None


def _not_closed(sign: str, closing: str, line: int, column: int) -> Found:
    return Found(f"{sign} is not closed", line, column, (f"close it with {closing}",))


def _brackets(text: str, stop: int) -> tuple[int | None, bool]:
    """The last bracket that is open before a place, and whether it is closed after it."""
    opened: list[int] = []
    found: int | None = None
    is_after = False
    for match in _SIGN.finditer(text):
        if not is_after and match.start() >= stop:
            is_after, found = True, opened[-1] if opened else None
        sign = match[0]
        if sign in _CLOSING:
            if opened or re.search(r"(?:^|[:-]\s)\s*$", text[max(0, match.start() - 40) : match.start()], re.MULTILINE):
                opened.append(match.start())
        elif sign in ("]", "}") and opened:
            opened.pop()
    if not is_after:
        found = opened[-1] if opened else None
    return found, found is None or found not in opened


def _key(first: str, line: int, column: int) -> Found:
    """A line that has no `key: value`."""
    glued = re.match(r"[\w.]+:(?=\S)|-(?=\w)", first)
    if glued:
        return Found(f"a space is missing after {glued[0][-1]}", line, column + glued.end())
    return Found("a colon is missing: key: value", line, column)


def _second_colon(lines: list[str], row: int, column: int) -> Found | None:
    """A colon in what is a value so far: the value of the line above that goes on, or one with a colon in it."""
    if not re.fullmatch(r" *(?:- +)*[\w.@-]+ *", lines[row][:column]):
        return Found("a second colon in one value; put settings in braces, and a text in quotes", row, column)
    return _glued(lines, row, r"( *(?:- +)*[\w.]+:)\S+\s*$") or _indentation(lines, row)


def _glued(lines: list[str], row: int, pattern: str) -> Found | None:
    """The line above a row where it lacks a space at the end of the first group."""
    above = next((one for one in range(row - 1, -1, -1) if _says(lines[one])), row)
    found = re.match(pattern, lines[above])
    return Found(f"a space is missing after {found[1][-1]}", above, found.end(1)) if found else None


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _indentation(lines: list[str], row: int) -> Found | None:
    """A line that begins elsewhere than those it belongs to; None where it does not."""
    if glued := _glued(lines, row, r"( *-)\w"):
        return glued
    own = len(lines[row]) - len(lines[row].lstrip(" "))
    is_item = re.match(r" *-(?:\s|$)", lines[row]) is not None
    kind, places, least = "items" if is_item else "keys", set(), len(lines[row]) + 1_000
    for line in filter(_says, reversed(lines[:row])):
        indent, dashes = _HEAD.match(line).groups()  # type: ignore[union-attr]  # it matches every line
        if len(indent) > least:
            continue
        least = len(indent)
        if is_item:
            places |= {len(indent) + place for place, sign in enumerate(dashes) if sign == "-"}
        elif _KEY.match(line, least + len(dashes)):
            places.add(least + len(dashes))
    if not places:
        return Found(
            "an item of a list stands among keys" if is_item else "a key stands among the items of a list", row, own
        )
    if not (places := places - {own}):
        return None
    meant = min(places, key=lambda place: (abs(place - own), place))
    return Found(
        f"the indentation differs from the {kind} above: this one begins in column {own + 1}, they in column "
        f"{meant + 1}",
        row, own, (f"begin it in column {meant + 1}",),
    )  # fmt: skip
