"""Reads printed tables back, format by format, and adds their columns up.

None of it uses what prints them: a wrong sum cannot be accepted by updating a snapshot.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from html.parser import HTMLParser
from typing import Any, NamedTuple

#: The texts of a number, a size and a share in a cell.
_NUMBER = re.compile(r"\d{1,3}(,\d{3})*|\d+")
_SIZE = re.compile(r"([\d,.]+) (bytes|KiB|MiB|GiB)")
_SHARE = re.compile(r"(<?)(\d+\.\d) %")
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Table(NamedTuple):
    """A table as printed: headings, rows, and the last line."""

    heads: list[str]
    rows: list[list[str]]
    total: list[str]

    def column(self, head: str) -> list[str]:
        """The cells under the first heading of this name."""
        index = self.heads.index(head)
        return [row[index] for row in self.rows]


def _table(lines: Sequence[list[str]]) -> Table:
    heads, *rows, total = lines
    assert all(len(line) == len(heads) for line in lines)
    return Table(heads, rows, total)


# --- readers, one a format


def read_text(text: str) -> list[Table]:
    """Tables for terminals: columns are separated by gaps of two spaces that go through all lines."""
    tables = []
    for block in _blocks(text):
        ruled = [index for index, line in enumerate(block) if set(line) == {"─"}]
        if not ruled:
            continue
        assert ruled == [len(block) - 2], "the rule stands above the total"
        rule = block.pop(-2)
        assert len(rule) == max(len(line) for line in block[1:])
        tables.append(_table(_columns(block)))
    return tables


def read_partial(text: str) -> Table:
    """The table of a network that failed: headings and rows, no total."""
    _, block = _blocks(text)
    heads, *rows = _columns(block)
    return Table(heads, rows, [""] * len(heads))


def _blocks(text: str) -> list[list[str]]:
    return [block.splitlines() for block in text.split("\n\n")]


def _columns(lines: Sequence[str]) -> list[list[str]]:
    width = max(len(line) for line in lines)
    padded = [line.ljust(width) for line in lines]
    blank = "".join(" " if all(line[at] == " " for line in padded) else "x" for at in range(width))
    starts = [0, *(match.end() for match in re.finditer(r" {2,}", blank))]
    ends = [*(match.start() for match in re.finditer(r" {2,}", blank)), width]
    return [[line[start:end].strip() for start, end in zip(starts, ends, strict=True)] for line in padded]


def read_markdown(text: str) -> list[Table]:
    """GitHub's tables: cells between unescaped bars."""
    tables: list[list[list[str]]] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            continue
        cells = [cell.strip() for cell in _markdown_cells(line)]
        if cells[0] == "layer":
            tables.append([])
        tables[-1].append([_unmark(cell) for cell in cells])
    result = []
    for lines in tables:
        rules = lines.pop(1)
        assert all(re.fullmatch(":?-+:?", rule) for rule in rules)
        result.append(_table(lines))
    return result


def _markdown_cells(line: str) -> list[str]:
    cells, cell, escaped = [], "", False
    for character in line:
        if character == "|" and not escaped:
            cells.append(cell)
            cell = ""
            continue
        cell += character
        escaped = character == "\\" and not escaped
    return cells[1:]


def _unmark(cell: str) -> str:
    bold = re.fullmatch(r"\*\*(.*)\*\*", cell)
    return re.sub(r"\\(.)", r"\1", bold[1] if bold else cell)


def read_csv(text: str) -> list[Table]:
    """One table, or one a network where the first column names it."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    # What a spreadsheet would calculate has an apostrophe in front.
    lines = [[cell.removeprefix("'") if cell.startswith("'=") else cell for cell in row] for row in reader]
    heads, *rows = lines
    if heads[0] != "network":
        return [_table(lines)]
    names = list(dict.fromkeys(row[0] for row in rows))
    return [_table([heads[1:], *(row[1:] for row in rows if row[0] == name)]) for name in names]


_LATEX = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<",
    r"\textgreater{}": ">", r"$\times$": "×", r"$\cdot$": "·", r"$\gamma$": "γ", r"$\beta$": "β", r"\&": "&",
    r"\%": "%", r"\$": "$", r"\#": "#", r"\_": "_", r"\{": "{", r"\}": "}", "--": "–", "{[}": "[", "{]}": "]",
    "{*}": "*", r"\textasteriskcentered{}": "*", r"\lbrack{}": "[", r"\rbrack{}": "]",
    "{}": "",
}  # fmt: skip
_LATEX_TOKEN = re.compile("|".join(re.escape(token) for token in sorted(_LATEX, key=len, reverse=True)))


def plain_latex(text: str) -> str:
    """What LaTeX would set."""
    return _LATEX_TOKEN.sub(lambda match: _LATEX[match[0]], text)


def read_latex(text: str) -> list[Table]:
    """The longtables: the first heading, the rows, the total."""
    tables = []
    for body in re.findall(r"\\begin\{longtable\}\{[lr]+\}\n(.*?)\\end\{longtable\}", text, re.DOTALL):
        lines = [line for line in body.splitlines() if line.endswith(r" \\") and not line.startswith(r"\caption")]
        cells = [[plain_latex(cell.strip()) for cell in re.split(r"(?<!\\)&", line[:-3])] for line in lines]
        first, again, *rest = cells
        assert first == again, "the heading of later pages is the heading of the first"
        tables.append(_table([first, *rest]))
    return tables


class Page(HTMLParser):
    """The texts of a page, and its tables of layers."""

    VOID = ("meta", "br", "hr", "link", "img", "input", "wbr")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tables: list[list[list[str]]] = []
        #: The texts of each kind of element.
        self.texts: dict[str, list[str]] = {}
        self._inside = False
        self.feed(text)
        self.close()
        assert self.open == [], f"not closed: {self.open}"

    def handle_decl(self, decl: str) -> None:
        assert decl == "doctype html"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.VOID:
            return
        self.open.append(tag)
        self.texts.setdefault(tag, []).append("")
        if tag == "table":
            self._inside = dict(attrs).get("class") == "layers"
            if self._inside:
                self.tables.append([])
        elif tag == "tr" and self._inside:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self._inside:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open:
            assert not data.strip(), "text outside of the page"
            return
        self.texts[self.open[-1]][-1] += data
        if self._inside and any(tag in self.open for tag in ("td", "th")):
            self.tables[-1][-1][-1] += data


def read_html(text: str) -> list[Table]:
    """The tables of layers of a page."""
    return [_table(lines) for lines in Page(text).tables]


READERS: dict[str, Callable[[str], list[Table]]] = {
    "table": read_text,
    "markdown": read_markdown,
    "csv": read_csv,
    "latex": read_latex,
    "html": read_html,
}


# --- sums


def check_sums(table: Table) -> int:
    """Every column with a total adds up to it, every column of shares to 100 %; how many columns that were."""
    checked = 0
    for index, (head, total) in enumerate(zip(table.heads, table.total, strict=True)):
        cells = [row[index] for row in table.rows]
        if head == "share":
            checked += _check_shares(cells)
        elif head.endswith("_share"):
            shares = [float(cell) for cell in cells]
            assert abs(sum(shares) - bool(any(shares))) < 1e-5 * len(shares), head
            checked += 1
        elif _SIZE.fullmatch(total):
            _check_sizes(cells, total)
            checked += 1
        elif _NUMBER.fullmatch(total):
            assert sum(_number(cell) for cell in cells) == _number(total), head
            checked += 1
    return checked


def _number(cell: str) -> int:
    if cell == "–":
        return 0
    assert _NUMBER.fullmatch(cell), cell
    return int(cell.replace(",", ""))


def _check_shares(cells: Iterable[str]) -> int:
    low = high = 0.0
    for cell in cells:
        if cell == "–":
            continue
        match = _SHARE.fullmatch(cell)
        assert match, cell
        tenth = float(match[2])
        low += 0.0 if match[1] else tenth - 0.0501
        high += tenth if match[1] else tenth + 0.0501
    assert low <= 100 <= high or high == 0
    return 1


def _check_sizes(cells: Iterable[str], total: str) -> None:
    low, high = map(sum, zip(*(_size(cell) for cell in cells), strict=True))
    least, most = _size(total)
    assert low <= most
    assert least <= high


def _size(cell: str) -> tuple[float, float]:
    """The least and the most bytes that a printed size can stand for."""
    if cell == "–":
        return (0, 0)
    match = _SIZE.fullmatch(cell)
    assert match, cell
    digits = match[1].replace(",", "")
    decimals = len(digits.partition(".")[2])
    slack = 0.0 if match[2] == "bytes" else 0.501 * 10**-decimals
    return ((float(digits) - slack) * _UNITS[match[2]], (float(digits) + slack) * _UNITS[match[2]])


#: Quantities of a row in JSON that are summed in the totals.
SUMMED = (
    "params", "trainable_params", "buffers", "multiplications", "activations", "activation_bytes",
)  # fmt: skip
KINDS = ("additions", "multiplications", "comparisons", "divisions", "exponentials")


def check_json_sums(report: Any) -> None:
    """The totals of a report are the sums of its layers."""
    layers, totals = report["layers"], report["totals"]
    for key in SUMMED:
        assert sum(layer[key] for layer in layers) == totals[key], key
    for kind in KINDS:
        assert sum(layer["operations"][kind] for layer in layers) == totals["operations"][kind], kind


def check_output(form: str, text: str, networks: int = 1) -> None:
    """Every table in an output adds up."""
    if form == "json":
        data = json.loads(text)
        reports = data.get("reports", [data])
        assert len(reports) == networks
        for report in reports:
            check_json_sums(report)
        return
    tables = READERS[form](text)
    assert len(tables) == networks
    for table in tables:
        assert table.total[0] == "total"
        assert check_sums(table) > 0
