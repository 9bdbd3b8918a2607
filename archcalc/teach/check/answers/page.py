"""Tables of HTML: a page, or what is pasted from one."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from archcalc.core.language import say
from archcalc.teach.check.answers.table import MOST_COLUMNS, MOST_ROWS, Answers, Item, fault, read_tables
from archcalc.teach.check.labels import read_label
from archcalc.teach.check.model import Place

_TABLE = re.compile(r"<table[\s>]|<tr[\s>]", re.IGNORECASE)
_CELLS = ("td", "th")
#: What is no text of a cell.
_HIDDEN = ("style", "script", "annotation", "del")


def looks_like_html(text: str) -> bool:
    """Whether a text has a table of HTML."""
    return _TABLE.search(text) is not None


def read_html(text: str, file: str) -> Answers:
    """The answers of every table of a page that has columns to check. Raises `SpecError` without one."""
    reader = _Tables(file)
    reader.feed(text)
    reader.close()
    reader.end_row()
    wanted = say("the first row names the columns: {names}", names="layer, params, …")
    return read_tables([table for table in reader.tables if table], file, wanted)


class _Tables(HTMLParser):
    """The tables of a page as rows of cells; of a table in another one the inner cells are cells of the page too."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file
        self.tables: list[list[list[Item]]] = [[]]
        self._row: list[Item] | None = None
        self._text: list[str] | None = None
        self._place = Place(file, 1, 1)
        self._span = 1
        self._down = 1
        #: By column: the cell that reaches down into the next rows, how many, and whether it stands in this one.
        self._held: dict[int, tuple[Item, int, bool]] = {}
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.end_row()
            self.tables.append([])
            self._held = {}
        elif tag == "tr":
            self.end_row()
            self._row = []
            if len(self.tables[-1]) > MOST_ROWS:
                raise fault(
                    say("holds more than {count:,} rows", count=MOST_ROWS), Place(self.file, self.getpos()[0], 1)
                )
        elif tag in _CELLS:
            self._end_cell()
            self._row = [] if self._row is None else self._row
            self._text = []
            self._place = Place(self.file, self.getpos()[0], len(self._row) + 1)
            given = dict(attrs)
            self._span, self._down = _many(given.get("colspan")), _many(given.get("rowspan"))
        elif tag == "sup":
            self.handle_data("^")
        elif tag in ("br", "p", "div", "li"):
            self.handle_data(" ")
        self._hidden += tag in _HIDDEN

    def handle_endtag(self, tag: str) -> None:
        if tag in _CELLS:
            self._end_cell()
        elif tag in ("tr", "table", "thead", "tbody"):
            self.end_row()
        if tag in _HIDDEN and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if self._text is not None and not self._hidden:
            self._text.append(data)

    def _end_cell(self) -> None:
        if self._text is None or self._row is None:
            return
        self._hold()
        item = Item(" ".join("".join(self._text).split()), self._place)
        is_total = not self._row and read_label(item.text).is_total
        for at in range(min(self._span, MOST_COLUMNS - len(self._row))):
            if at and is_total:
                item = Item("", self._place)
            if self._down > 1:
                self._held[len(self._row)] = (item, self._down, True)
            self._row.append(item)
        self._text = None

    def _hold(self) -> None:
        """The cells of rows above that reach down to the place of the next one."""
        assert self._row is not None
        while (held := self._held.get(len(self._row))) is not None and not held[2]:
            self._row.append(held[0])

    def end_row(self) -> None:
        """The end of a row, whether it is marked or not."""
        self._end_cell()
        if self._row:
            self._hold()
            self._held = {at: (item, down - 1, False) for at, (item, down, _) in self._held.items() if down > 1}
            self.tables[-1].append(self._row)
        self._row = None


def _many(text: str | None) -> int:
    return min(int(text), MOST_COLUMNS) if text and re.fullmatch(r"\d{1,4}", text) else 1
