"""The summary of a network that a framework prints, pasted as it is: Keras, torchsummary, torchinfo.

Keras wraps names and shapes that are wider than their columns onto more lines: these are one row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archcalc.core.language import say, say_many
from archcalc.core.words import line as one_line
from archcalc.ops import OPS
from archcalc.teach.check.answers.heads import INPUT, LAYER, find_head
from archcalc.teach.check.answers.table import MOST_ROWS, Answers, fault
from archcalc.teach.check.labels import read_label
from archcalc.teach.check.model import OF_KERAS, PRINTED, TOTAL, Answer, Place

_HEADING = re.compile(r"Layer\s*\(type[^)]*\).*(?:Output\s+Shape|Param)", re.IGNORECASE)
#: What the cells of a column look like, by its heading; parameters that are not trained stand in brackets.
_CELLS = {
    "output shape": r"(?P<shape>[(\[]+(?:-?\d+|None|\?)(?:,\s*(?:-?\d+|None|\?))*,?[)\]]+|--|multiple|\?)",
    "param #": r"(?P<params>\d[\d,]*|\(\d[\d,]*\)|--|\(recursive\))",
    "input shape": r"(?:[(\[](?:[-\dNone?()\[\]]|, ?)*[)\]]|--|multiple|\?)",
    "kernel shape": r"(?:\[\d+(?:, \d+)*\]|\d+|--)",
    "param %": r"(?:[\d.]+%|--|\(recursive\))",
    "mult-adds": r"(?P<operations>\d[\d,]*|--|\(recursive\))",
    "trainable": r"(?:True|False|Partial|--|Y|N)",
}
_COLUMN = re.compile("|".join(map(re.escape, _CELLS)), re.IGNORECASE)
#: Total mult-adds (G): 4.09, of torchinfo; older ones write Units.GIGABYTES.
_TOTAL_OPERATIONS = re.compile(r"Total mult-adds \((?:Units\.)?(?P<unit>[KMGT])\w*\):\s*(?P<number>[\d.]+)")
#: What torchinfo prints below its table.
_BELOW = re.compile(
    r"\s*(?:(?:Total|Trainable|Non-trainable) params|Total mult-adds \([\w.]+\)|"
    r"(?:Input|Forward/backward pass|Params|Estimated Total) size \(\w+\)):.*|[=\s]*",
    re.IGNORECASE,
)
_TOTAL = re.compile(r"Total params:\s*(?P<params>\d[\d,]*)", re.IGNORECASE)
#: The lines of tables and of trees.
_LINES = str.maketrans(dict.fromkeys("│┃|├└─┡━╇┩┏┳┓┗┻┛┼┤╰╯╭╮", " "))
#: The bars of Keras's tables, and the columns that are read.
_BAR = re.compile("[│┃]")
_COLUMNS = ("layer", "output", "par")
#: What the columns of a summary are about.
_OF_SUMMARIES = {LAYER, INPUT, "output_shape", "params"}
#: What torchinfo calls multiplications.
_MULT_ADDS = re.compile(r"mult-adds", re.IGNORECASE)
_CUT_OFF = ("…", "...")
#: Modules that only hold others, whatever they are called.
_CONTAINER = re.compile(r"(?:Sequential|ModuleList|ModuleDict)(?![A-Za-z])")
_LONGEST_LINE = 400
_MOST_SHOWN = 5


class _Row(NamedTuple):
    """A row of a summary, put together from its lines, and the number of the first."""

    name: str
    shape: str
    params: str
    line: int
    #: What torchinfo counts as multiply-adds.
    operations: str = ""
    #: The model itself, before its modules.
    is_root: bool = False
    #: Where it stands in a tree of modules; 0 of a list.
    depth: int = 0


def looks_printed(text: str) -> bool:
    """Whether a text is a printed summary."""
    lines = [line[:_LONGEST_LINE] for line in text[:20_000].splitlines()]
    has_heading = any(_HEADING.search(line) for line in lines) or _box_heading(_boxed(lines)) is not None
    return has_heading or _are_totals(lines)


def _are_totals(lines: Sequence[str]) -> bool:
    """Whether there is nothing but what torchinfo prints below its table, with multiply-adds."""
    return all(map(_BELOW.fullmatch, lines)) and any(map(_TOTAL_OPERATIONS.search, lines))


def is_by_hand(text: str) -> bool:
    """Whether a table under the heading of a summary is written by hand: with more columns, or other shapes."""
    lines = [line[:_LONGEST_LINE] for line in text[:20_000].splitlines()]
    is_printed = any("┃" in line for line in lines) or _has_rows(lines) or _are_totals(lines)
    return has_more_columns(text) or not is_printed


def _has_rows(lines: Sequence[str]) -> bool:
    """Whether a line looks as frameworks print a layer."""
    heading = next((line for line in lines if _HEADING.search(line)), "")
    layer = _layer(heading.translate(_LINES).strip())
    return any(layer.fullmatch(line.translate(_LINES).strip()) for line in lines)


def has_more_columns(text: str) -> bool:
    """Whether a heading is that of a summary and more, or has delimiters."""
    heading = next((line for line in text[:20_000].splitlines() if _HEADING.search(line)), "")
    parts = re.split(r"\s{2,}|[\t;,|│]", heading)
    own = [part.strip() for part in parts if not _MULT_ADDS.match(part.strip())]
    heads = [head.key for part in own if (head := find_head(part))]
    return re.search(r"[\t;,|│]", heading) is not None or not set(heads) <= _OF_SUMMARIES


def read_printed(text: str, file: str) -> Answers:
    """The answers of a printed summary: output shapes, parameters and their total; and notes on what is not read.

    Raises `SpecError` for a text that is none.
    """
    lines = [line[:_LONGEST_LINE] for line in text.splitlines()]
    if len(lines) > MOST_ROWS:
        raise fault(say("holds more than {count:,} lines", count=MOST_ROWS), Place(file, MOST_ROWS, 1))
    unread: list[int] = []
    rows = list(_box_rows(lines) if any("┃" in line for line in lines) else _rows(lines, unread))
    # Keras counts running statistics among the parameters.
    heading = f"{PRINTED}{OF_KERAS}" if any(re.search(r"\(\?|None", row.shape) for row in rows) else PRINTED
    held: list[str] = []
    cut_off = [row.name for row in rows if row.params.endswith(_CUT_OFF)]
    shapes = [row.name for row in rows if row.shape.endswith(_CUT_OFF)]
    is_tree = len(rows) > 1
    held += [row.name for row in rows if row.is_root and is_tree]  # a class C3D is no convolution
    # At the depth where a tree ends, a module has the numbers of all that is in it.
    after = [*(row.depth for row in rows[1:]), 0]
    ends = {row.line for row, depth in zip(rows, after, strict=False) if row.depth and depth <= row.depth}
    answers = [
        answer
        for row in rows
        if not (row.is_root and is_tree)
        for answer in _answers(row, file, heading, held, row.line in ends)
    ]
    for number, line in enumerate(lines, 1):
        if total := _TOTAL.search(line):
            place = Place(file, number, total.start("params") + 1)
            answers.append(Answer(TOTAL, "params", total["params"], place, heading))
            break
    for number, line in enumerate(lines, 1):
        if (total := _TOTAL_OPERATIONS.search(line)) and all(_is_of_one_image(row.shape) for row in rows[:1]):
            place = Place(file, number, total.start("number") + 1)
            answers.append(Answer(TOTAL, "multiplications", total["number"] + total["unit"], place, PRINTED))
            break
    if not answers:
        raise fault(
            say("is no printed summary"),
            Place(file, 1, 1),
            say("its heading is: {heading}", heading="Layer (type)   Output Shape   Param #"),
        )
    return Answers(tuple(answers), (*_unread(unread, lines), *_held(held), *_cut(cut_off), *_cut_shapes(shapes)))


def _unread(numbers: Sequence[int], lines: Sequence[str]) -> Iterator[str]:
    if numbers:
        yield say_many(
            "not checked: line {lines}, which is no row of a summary",
            "not checked: {count} lines that are no rows of a summary: {lines}",
            len(numbers),
            lines=_shown([f"{number} ({lines[number - 1].strip()})" for number in numbers]),
        )


def _held(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield say_many(
            "not checked: {names}, which holds other rows",
            "not checked: {count} rows that hold others: {names}",
            len(names),
            names=_shown(names),
        )


def _shown(names: Sequence[str]) -> str:
    return ", ".join(one_line(name)[:30] for name in names[:_MOST_SHOWN]) + (", …" if len(names) > _MOST_SHOWN else "")


def _cut(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield say_many(
            "not checked: a number of parameters that is cut off, of {names}; set COLUMNS=120, line_length=120",
            "not checked: {count} numbers of parameters that are cut off, of {names}; set COLUMNS=120, line_length=120",
            len(names),
            names=_shown(names),
        )


def _cut_shapes(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield say_many(
            "not checked: an output shape that is cut off, of {names}; set COLUMNS=120, line_length=120",
            "not checked: {count} output shapes that are cut off, of {names}; set COLUMNS=120, line_length=120",
            len(names),
            names=_shown(names),
        )


def _answers(row: _Row, file: str, heading: str, held: list[str], is_end: bool) -> Iterator[Answer]:
    """The answers of a row; of a module that holds others the numbers stand with them, as in torchsummary."""
    label, place = read_label(row.name), Place(file, row.line, 1)
    if _CONTAINER.match(row.name) and not (is_end and re.match(r"\d", row.params)):
        held.append(row.name)
        return
    is_module = row.params == "--" or (row.params == "0" and re.fullmatch(r"\w+-\d+", row.name) is not None)
    if is_module and not label.kinds:
        if not label.is_block or not _has_shape(row):
            held.append(row.name)
            return
        yield _of_shape(row, place)
        return
    if _has_shape(row):
        yield _of_shape(row, place)
    # torchsummary counts what is called weight or bias alone, which these layers do not have.
    is_uncounted = is_module and any(OPS[kind].family in ("attention", "recurrent") for kind in label.kinds)
    if row.params[0] not in "-(" and not is_uncounted and not row.params.endswith(_CUT_OFF):
        yield Answer(row.name, "params", row.params, place, heading)
    if re.match(r"\d", row.operations) and _is_of_one_image(row.shape):
        yield Answer(row.name, "multiplications", row.operations, place, PRINTED)


def _is_of_one_image(shape: str) -> bool:
    """Whether a shape is not that of a batch, with whose size torchinfo multiplies."""
    return re.match(r"[\[(]1,", shape) is not None


def _of_shape(row: _Row, place: Place) -> Answer:
    return Answer(row.name, "output_shape", row.shape.strip("[]()").join("()"), place, PRINTED)


def _has_shape(row: _Row) -> bool:
    return re.search(r"\d", row.shape) is not None and not row.shape.endswith(_CUT_OFF)


# --- tables with bars


def _boxed(lines: Sequence[str]) -> Iterator[tuple[list[str], int]]:
    """The rows of a table with bars, their cells put together, and the numbers of their first lines."""
    cells: list[str] = []
    first = 0
    for number, line in enumerate([*lines, ""], 1):
        parts = _box_cells(line)
        if abs(len(parts) - len(cells)) == 1 and (longer := max(parts, cells, key=len))[-1].endswith(_CUT_OFF):
            shorter = min(parts, cells, key=len)
            if len(longer) > 2:
                shorter.append("")  # nothing of the column that is cut off
        if len(parts) < 2:
            if cells:
                yield cells, first
            cells = []
        elif len(parts) != len(cells):
            if cells:
                yield cells, first
            cells, first = parts, number
        else:
            cells = [f"{cell} {part}".strip() for cell, part in zip(cells, parts, strict=True)]


def _box_cells(line: str) -> list[str]:
    """The cells of a line; one that no bar closes was cut off by the width of the terminal."""
    parts = [part.strip() for part in _BAR.split(line.strip())]
    if parts[0] or len(parts) < 2:
        return []
    last = parts[-1] if parts[-1].endswith(")") else f"{parts[-1]}…"  # a shape with its bracket is whole
    return parts[1:-1] + [last] * bool(parts[-1])


def _box_heading(rows: Iterator[tuple[list[str], int]]) -> list[int] | None:
    """The places of the columns for the layer, its output and its parameters, where a row names all of them.

    A terminal that is too narrow cuts off the last column: its place is that after the others.
    """
    for cells, _ in rows:
        names = [cell.lower() for cell in cells]
        places = [next((at for at, name in enumerate(names) if name.startswith(one)), -1) for one in _COLUMNS]
        if min(places) >= 0:
            return places
        if len(names) <= len(_COLUMNS) and names[0].startswith("layer (type") and _is_cut(names[1:]):
            return [0, 1, 2]
    return None


def _is_cut(names: Sequence[str]) -> bool:
    """Whether these are the columns after that of the layers as far as a narrow terminal shows them."""
    known = zip(names, ("output shape", "param #"), strict=False)
    return all(name == whole or (name.endswith("…") and whole.startswith(name[:-1])) for name, whole in known)


def _box_rows(lines: Sequence[str]) -> Iterator[_Row]:
    columns = _box_heading(_boxed(lines))
    if columns is None:
        return
    for cells, number in _boxed(lines):
        name, shape, params = (cells[column] if column < len(cells) else _CUT_OFF[0] for column in columns)
        shape += "…" * (shape.count("(") > shape.count(")"))  # the text ends before its last line
        if name and not name.lower().startswith("layer (type") and name.lower() != "layer":
            yield _Row(name, shape, params or "--", number)


# --- summaries in columns of spaces


def _rows(lines: Sequence[str], unread: list[int]) -> Iterator[_Row]:
    starts: list[int] | None = None
    row: _Row | None = None
    layer = _layer("")
    started = is_root = is_tree = False
    for number, line in enumerate(lines, 1):
        plain = line.translate(_LINES).strip().removeprefix("+ ")  # the branch of a tree in ASCII
        if _HEADING.search(plain):
            # The first row of a tree is the model itself, whose layers follow.
            started, starts, layer = True, _column_starts(line), _layer(plain)
            is_root = is_tree = re.search(r"depth-idx|var_name", line) is not None
        elif _TOTAL.match(plain):
            started = False
        elif not started or not re.search(r"\w", plain.replace("_", "")):
            continue
        elif match := layer.fullmatch(plain):
            if row is not None:
                yield row
            cells = {"shape": "--", "params": "--"} | match.groupdict()
            params = "--" if is_root else cells["params"].strip("()")
            depth = line.index(cells["name"]) if is_tree else 0
            row = _Row(cells["name"], cells["shape"], params, number, cells.get("operations", ""), is_root, depth)
            is_root = False
        elif starts is not None:
            name, shape, params = _cells(line, starts)
            if re.fullmatch(r"\d[\d,]*", params):
                if row is not None:
                    yield row
                row = _Row(name, shape, params, number)
            elif row is not None and not params:
                row = row._replace(name=row.name + name, shape=row.shape + shape)
            else:
                unread.append(number)
        elif row is not None or "[" in plain or "(" in plain:
            unread.append(number)
    if row is not None:
        yield row


def _layer(heading: str) -> re.Pattern[str]:
    """A layer and the columns of a heading in their order; where this is none of torchinfo, more may follow."""
    columns = [match[0].lower() for match in _COLUMN.finditer(heading)]
    is_whole = not _COLUMN.sub("", heading.partition(")")[2]).strip(" ):depthix-")
    if not columns:
        columns = ["output shape", "param #"]
    cells = r"\s+".join(_CELLS[name] for name in dict.fromkeys(columns))
    return re.compile(rf"(?P<name>\S.*?)\s+{cells}" + ("" if is_whole else r"(?:\s+\S.*)?"))


def _column_starts(heading: str) -> list[int] | None:
    """Where the columns of Keras's summary begin, which are aligned at the left; None for other tools."""
    places = [heading.find(name) for name in ("Layer (type)", "Output Shape", "Param #", "Connected to")]
    return places if 0 <= places[0] <= 2 and min(places[1:3]) > 0 else None


def _cells(line: str, starts: Sequence[int]) -> tuple[str, str, str]:
    """The cells of a line by its columns."""
    ends = [*starts[1:3], starts[3] if starts[3] > 0 else len(line)]
    name, shape, params = (line[start:end].strip() for start, end in zip(starts[:3], ends, strict=True))
    return name, shape, params
