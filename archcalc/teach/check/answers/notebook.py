"""The answers in a notebook that `archcalc exercise` made. Its cells are parsed and never run.

An answer is what `check(layer, quantity=…)` is given: a number, a calculation, a text or a tuple. Of one that needs
names the value is taken that the cell printed when the student ran it.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from archcalc.core.language import say
from archcalc.core.words import visible
from archcalc.teach.check.answers.table import MOST_ROWS, Answers, Item, fault, read_cells
from archcalc.teach.check.model import CHECKED, Place
from archcalc.teach.reading.calculation import StatementError, calculate

#: The function that students call.
CHECK = "check"
_LONGEST_CELL = 200_000
#: Lines that are for Jupyter and no Python: %magic and !command.
_MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)
#: What a cell prints of an answer: conv1 | params | 34944 | right.
_PRINTED = re.compile(r"(?P<layer>.+) \| (?P<quantity>\w+) \| (?P<text>.*) \| (?:right|not right yet)")


class _Given(NamedTuple):
    """An answer, and the cell and the line of it."""

    text: str
    cell: int
    line: int


def read_notebook(text: str, file: str) -> Answers:
    """The answers of a notebook, a row for each layer; the place of an answer is its cell and the line in it.

    Raises `SpecError` for what is no notebook, and for one without answers.
    """
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        raise fault(say("is no notebook: it is not JSON"), Place(file, 1, 1)) from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise fault(
            say("is no notebook: it has no cells"), Place(file, 1, 1), say("notebooks of version 4 can be read")
        )
    given: dict[tuple[str, str], _Given] = {}
    for number, cell in enumerate(cells[:MOST_ROWS], 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            for key, answer in _of_cell(cell, number):
                if answer.text or key not in given:  # of several the last that is answered counts
                    given[key] = answer
    if not given:
        raise fault(
            say("holds no answers"),
            Place(file, 1, 1),
            say("they are read from cells like {cell}", cell=f'{CHECK}("conv1", params=34944)'),
        )
    return read_cells({key: Item(one.text, Place(file, one.cell, one.line)) for key, one in given.items()}, file)


def _of_cell(cell: dict[str, Any], number: int) -> Iterator[tuple[tuple[str, str], _Given]]:
    source = visible(_joined(cell.get("source")))
    if CHECK not in source or len(source) > _LONGEST_CELL:
        return
    try:
        tree = ast.parse(_MAGIC.sub("", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    printed = _printed(cell)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == CHECK):
            continue
        layer = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if not isinstance(layer, str):
            continue
        for keyword in node.keywords:
            if keyword.arg in CHECKED:
                key = (layer.strip(), keyword.arg)
                has_names = any(isinstance(part, (ast.Name, ast.Call)) for part in ast.walk(keyword.value))
                text = printed.get(key, "") if has_names else ""
                yield key, _Given(text or _written(keyword.value), number, keyword.lineno)


def _joined(source: Any) -> str:
    """A text of the format: in one piece, or in lines."""
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _printed(cell: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The answers as the cell printed them."""
    found = {}
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        for line in _joined(output.get("text") if isinstance(output, dict) else "")[:_LONGEST_CELL].splitlines():
            if match := _PRINTED.fullmatch(line):
                found[match["layer"], match["quantity"]] = match["text"]
    return found


def _written(value: ast.expr) -> str:
    """An answer as text; nothing for `...` and `None`."""
    if isinstance(value, ast.Constant):
        return "" if value.value in (None, ...) else str(value.value)
    if isinstance(value, (ast.Tuple, ast.List)):
        return "x".join(_side(one) for one in value.elts)
    return _unparsed(value)


def _side(value: ast.expr) -> str:
    """A side of a shape; a calculation as its result."""
    text = _unparsed(value)
    try:
        tree = calculate(text)
    except StatementError:
        return text
    return str(tree.value)


def _unparsed(value: ast.expr) -> str:
    try:
        return ast.unparse(value)
    except (RecursionError, ValueError):
        return "?"
