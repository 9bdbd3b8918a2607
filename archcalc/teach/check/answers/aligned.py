"""Tables in plain text: columns apart by spaces, with rules or in boxes, and lines that each describe a layer.

Such are the tables of reStructuredText, of databases and notebooks, the listings of course notes, and what is left of a
table that was pasted from a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from archcalc.teach.check.answers.heads import LAYER, find_head
from archcalc.teach.check.answers.lines import read_calculated, read_described, read_totals
from archcalc.teach.check.answers.records import read_records
from archcalc.teach.check.answers.table import MOST_COLUMNS, Answers, Item, is_heading, read_table
from archcalc.teach.check.model import Place
from archcalc.teach.check.vocabulary import words

_LONGEST_LINE = 400
#: Lines that are searched for a heading.
_FIRST = 40
#: The bars of boxes, as one.
_BARS = str.maketrans(dict.fromkeys("│┃║╎┆", "|"))
#: ----, ==== ====, +---+---+, ├───┼───┤
_LINES = r"[\s+|\-=_─━═┌┬┐├┼┤└┴┘╒╤╕╞╪╡╘╧╛╔╦╗╠╬╣╚╩╝┏┳┓┡╇┩┣╋┫┗┻┛╭╮╰╯]"
_RULE = re.compile(rf"(?=.*[\-=_─━═]{{3}}){_LINES}+")
_PIECE = re.compile(r"[^ ]+(?: [^ ]+)*")
#: Spaces that do not break, or are narrow: only those before three digits of a number belong to it.
_NO_NUMBER = re.compile(r"(?<!\d)[\u00a0\u2009\u202f]|[\u00a0\u2009\u202f](?!\d{3}(?!\d))")
_WORD = re.compile(r"\S+")
#: The cells of a line and the columns of the page at which they begin.
Line = Sequence[tuple[str, int]]


def read_aligned(text: str, file: str) -> Answers | None:
    """The answers of a table in plain text; None of what is none."""
    plain = _NO_NUMBER.sub(" ", text.translate(_BARS))
    lines = [line[:_LONGEST_LINE].expandtabs(8).rstrip() for line in plain.splitlines()]
    for layout in (_boxed, _by_rule, read_records, read_described, read_totals, read_calculated, _stacked, _by_spaces):
        rows = layout(lines, file)
        if rows is not None:
            return read_table(rows, file)
    return None


def has_box(text: str) -> bool:
    """Whether a text has the upper edge of a box."""
    return any(line.strip()[:1] in set("+┌╔┏╭╒") and _is_rule(line.strip()) for line in text[:20_000].splitlines())


def _items(cells: Line, number: int, file: str) -> list[Item]:
    return [Item(text.strip(), Place(file, number, start + 1)) for text, start in cells]


def _is_rule(line: str) -> bool:
    return _RULE.fullmatch(line) is not None


# --- boxes


def _boxed(lines: Sequence[str], file: str) -> list[list[Item]] | None:
    """Rows between bars. Where a rule stands between all of them, the lines between two rules are one row."""
    if not any(_is_rule(line) and line.strip() for line in lines):
        return None
    rows: list[list[Item]] = []
    groups: list[list[list[Item]]] = [[]]
    for number, line in enumerate(lines, 1):
        plain = line.strip()
        if _is_rule(plain):
            groups.append([])
        elif plain.count("|") > 1 and plain[0] == "|":
            inner = plain.removeprefix("|").removesuffix("|").split("|", MOST_COLUMNS)
            groups[-1].append([Item(part.strip(), Place(file, number, at + 1)) for at, part in enumerate(inner)])
    groups = [group for group in groups if group]
    is_grid = len(groups) > 2 and all(not any(is_heading(row) for row in group) for group in groups[1:])
    for group in groups:
        if is_grid and len({len(row) for row in group}) == 1:
            joined = [" ".join(filter(None, (item.text for item in cells))) for cells in zip(*group, strict=True)]
            rows.append([Item(text, item.place) for text, item in zip(joined, group[0], strict=True)])
        else:
            rows += group
    return rows if any(map(is_heading, rows)) else None


# --- columns apart by spaces


def _by_rule(lines: Sequence[str], file: str) -> list[list[Item]] | None:
    """Columns as wide as the dashes above and below their heading."""
    for number, line in enumerate(lines[: _FIRST + 1]):
        spans = [match.span() for match in _WORD.finditer(line)]
        if number and len(spans) > 1 and _is_rule(line):
            for heading in (number - 1, number + 1):
                if heading < len(lines) and is_heading(_items(_cut(lines[heading], spans), heading + 1, file)):
                    return [
                        _items(_cut(one, spans), at, file)
                        for at, one in enumerate(lines, 1)
                        if at > heading and one.strip() and not _is_rule(one)
                    ]
    return None


def _cut(line: str, spans: Sequence[tuple[int, int]]) -> Line:
    """A line at the beginnings of its columns, where no word is cut."""
    starts = [0, *(start for start, _ in spans[1:])]
    return [(line[start:end], start) for start, end in zip(starts, [*starts[1:], len(line)], strict=True)]


def _by_spaces(lines: Sequence[str], file: str) -> list[list[Item]] | None:
    """Columns apart by two spaces or more, or by places that are blank in all lines."""
    filled = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not _is_rule(line)]
    for at, (number, line) in enumerate(filled[:_FIRST]):
        body = filled[at:]
        pieces = _pieces(line)
        spans = _with_whole(pieces, _between_blanks([row for _, row in body]))
        by_blanks = _cut(line, spans) if len(spans) > 1 else []
        if _known(by_blanks) > max(_known(pieces), 1) and is_heading(_items(by_blanks, number, file)):
            return [_items(_cut(row, spans), one, file) for one, row in body]
        if is_heading(_items(pieces, number, file)):
            return _sorted([(one, _pieces(row)) for one, row in body], file)
    return None


def _with_whole(pieces: Line, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans; those that a heading of several words covers are one: Output size."""
    whole = [
        (start, start + len(text))
        for text, start in pieces
        if find_head(text) and not (start == pieces[0][1] and _has_layer(text))
    ]
    found: list[tuple[int, int]] = []
    for first, last in spans:
        if found and any(start < first < end for start, end in whole):
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found


def _has_layer(heading: str) -> bool:
    """Whether a heading of several words is that of the layers and of another column: Layer Output, not Layer name."""
    heads = [find_head(part) for part in heading.split(maxsplit=1)]
    return (
        len(heads) == 2
        and heads[0] is not None
        and heads[0].key == LAYER
        and (heads[1] is None or heads[1].key != LAYER)
    )


def _pieces(line: str) -> Line:
    """The parts of a line between two spaces or more."""
    return [(match[0], match.start()) for match in _PIECE.finditer(line)]


def _known(cells: Line) -> int:
    return sum(find_head(text.strip()) is not None for text, _ in cells)


def _sorted(rows: Sequence[tuple[int, Line]], file: str) -> list[list[Item]]:
    """The cells of rows under the headings of the first: by their order, or where some are empty by their place."""
    heads = rows[0][1]
    spans = [(start, start + len(text)) for text, start in heads]
    for _, cells in rows:
        if len(cells) == len(heads):
            spans = [
                (min(first, start), max(last, start + len(text)))
                for (first, last), (text, start) in zip(spans, cells, strict=True)
            ]
    # The numbers of the rows, before the first heading, have none.
    has_index = len(rows) > 1 and all(len(cells) == len(heads) + 1 for _, cells in rows[1:])
    found = [_items(heads, rows[0][0], file)]
    for number, cells in rows[1:]:
        if len(cells) == len(heads) + has_index:
            found.append(_items(cells[has_index:], number, file))
            continue
        texts = [""] * len(heads)
        for text, start in cells:
            end = start + len(text)
            own = max(range(len(heads)), key=lambda one: min(end, spans[one][1]) - max(start, spans[one][0]))
            texts[own] = f"{texts[own]} {text}".strip()
        found.append(_items([(text, span[0]) for text, span in zip(texts, spans, strict=True)], number, file))
    return found


def _between_blanks(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The columns of the page that are blank in no line, as spans."""
    width = max(map(len, lines))
    is_used = [any(at < len(line) and line[at] != " " for line in lines) for at in range(width)]
    edges = [at for at, (one, other) in enumerate(pairwise([False, *is_used, False])) if one != other]
    yield from zip(edges[::2], edges[1::2], strict=True)


# --- one cell a line


def _stacked(lines: Sequence[str], file: str) -> list[list[Item]] | None:
    """One cell a line, as a table is pasted without its tabs."""
    filled = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    heads = [find_head(line) for _, line in filled[:MOST_COLUMNS]]
    width = next((at for at, head in enumerate(heads) if head is None), len(heads))
    last = heads[width - 1] if width else None
    if last is not None and last.text in words("input alone") and len(filled) % (width - 1) == 0:
        width -= 1  # the row of the input, not a column
    if width < 2 or len(filled) % width or heads[0] is None or heads[0].key != LAYER:
        return None
    return [
        [Item(text, Place(file, filled[at][0], place + 1)) for place, (_, text) in enumerate(filled[at : at + width])]
        for at in range(0, len(filled), width)
    ]
