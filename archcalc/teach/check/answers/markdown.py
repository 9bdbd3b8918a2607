"""Tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archcalc.core.language import say
from archcalc.teach.check.answers.table import MOST_COLUMNS, Answers, Item, read_tables
from archcalc.teach.check.model import Place

_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")
_BAR = re.compile(r"(?<!\\)\|")
_LONGEST_RULE = 2000
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]<>()#+\-.!|~])")


def looks_like_markdown(text: str) -> bool:
    """Whether a text has a table with its rule."""
    return any(_is_rule(line) for line in text[:200_000].splitlines())


def _is_rule(line: str) -> bool:
    """|---|:---:|"""
    return "|" in line and "-" in line and len(line) <= _LONGEST_RULE and _RULE.fullmatch(line) is not None


def read_markdown(text: str, file: str) -> Answers:
    """The answers of every table of a page that has columns to check."""
    return read_tables(list(_tables(text, file)), file, say("a table begins with | layer | params | and a rule"))


def _tables(text: str, file: str) -> Iterator[list[list[Item]]]:
    lines = text.splitlines()
    index = 1
    while index < len(lines):
        if not ("|" in lines[index - 1] and _is_rule(lines[index])):
            index += 1
            continue
        table = [_cells(lines[index - 1], index, file)]
        index += 1
        while index < len(lines) and "|" in lines[index]:
            table.append(_cells(lines[index], index + 1, file))
            index += 1
        yield table


def _cells(line: str, row: int, file: str) -> list[Item]:
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    texts = _BAR.split(inner, MOST_COLUMNS)
    return [Item(_plain(text), Place(file, row, column + 1)) for column, text in enumerate(texts)]


def _plain(text: str) -> str:
    plain = text.strip()
    for mark in ("**", "__", "`"):
        if len(plain) > 2 * len(mark) and plain.startswith(mark) and plain.endswith(mark):
            plain = plain[len(mark) : -len(mark)].strip()
    return _ESCAPED.sub(r"\1", plain)
