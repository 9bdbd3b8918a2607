"""A demonstration as a page: matrices as tables, steps by buttons and keys, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from archcalc.core.demonstration import Cell, Demonstration, Grid, Group, written_number
from archcalc.core.language import direction, language, say
from archcalc.render.diagrams.text import clean
from archcalc.render.diagrams.theme import DARK, Theme
from archcalc.render.pages import shell
from archcalc.render.pages.markup import Html, data, element, join

#: What the marks mean, and the family of ops whose colours they have.
MARKS = {"read": "convolution", "weights": "pooling", "written": "normalisation"}
#: Matrices of more numbers have smaller cells; so have all of a page with more columns side by side.
SMALL = 500
CROWDED, FULL = 40, 56


def page(shown: Demonstration, theme: Theme) -> str:
    """The whole page; a light one is dark on a dark screen."""
    numbers = _Numbers(shown)
    columns = sum(max(len(grid.values[0]) for grid in group.grids) for group in shown.groups)
    density = "small" if columns > FULL else "dense" if columns > CROWDED else None
    groups = [_group(group, density) for group in shown.groups]
    body = join(
        element("div", *groups, class_="groups", tabindex=0, role="region", aria_label=say("Matrices")),
        element("ul", *(element("li", clean(note)) for note in shown.notes), class_="notes"),
    )
    dark = DARK if theme.name == "light" else theme
    style = (
        f":root{{{_variables(theme)}}}\n@media (prefers-color-scheme:dark){{:root{{{_variables(dark)}}}}}\n"
        + _asset("demo.css")
    )
    title = clean(shown.title)
    inside = Template(_asset("demo.html")).substitute(
        {name: join(text) for name, text in _words().items()}, title=join(title),
        subtitle=join(clean(shown.subtitle)), body=body, count=len(shown.steps), steps=data(numbers.steps()),
    )  # fmt: skip
    return shell.page(title, style, _asset("demo.js"), Html(inside), language(), direction())


def _words() -> Mapping[str, str]:
    """What stands on the page whatever it shows."""
    return {
        "group": say("Steps"), "first": say("First"), "back": say("Back"), "play": say("Play"), "pause": say("Pause"),
        "next": say("Step"), "last": say("Last"), "of": say("{now} of {count}", now="#", count="##"),
        "before": say("Before the first step"), "read": say("read"), "weights": say("weights"),
        "written": say("written"), "calculation": say("Calculation"),
        "keys": say("Keys: {next} and {back} step, {play} plays, {first} and {last}.",
                    next="→", back="←", play="P", first="Home", last="End"),
    }  # fmt: skip


class _Numbers:
    """Cells by number, in the order of the page."""

    def __init__(self, shown: Demonstration) -> None:
        self.shown = shown
        self.first = [0]
        for grid in shown.grids():
            self.first.append(self.first[-1] + len(grid.values) * len(grid.values[0]))
        self.columns = [len(grid.values[0]) for grid in shown.grids()]

    def of(self, cell: Cell) -> int:
        return self.first[cell.grid] + cell.row * self.columns[cell.grid] + cell.column

    def steps(self) -> list[Mapping[str, Any]]:
        """The steps as plain data: numbers of cells, what is written, and the lines."""
        return [
            {
                "title": clean(step.title),
                "read": [self.of(cell) for cell in step.read],
                "weights": [self.of(cell) for cell in step.weights],
                "written": [[self.of(one.cell), written_number(one.value)] for one in step.written],
                "lines": [clean(line) for line in step.lines],
            }
            for step in self.shown.steps
        ]


def _group(group: Group, density: str | None) -> Html:
    tables = (_table(grid, density) for grid in group.grids)
    return element("section", element("h2", clean(group.title)), *tables, class_="group")


def _table(grid: Grid, density: str | None) -> Html:
    top, left, height, width = grid.inner
    rows = []
    for i, row in enumerate(grid.values):
        cells = []
        for j, value in enumerate(row):
            inside = top <= i < top + height and left <= j < left + width
            kind = "padding" if not inside else "zero" if value == 0 else None
            cells.append(element("td", "" if value is None else written_number(value), class_=kind))
        rows.append(element("tr", *cells))
    density = "small" if len(grid.values) * len(grid.values[0]) > SMALL else density
    return element("table", element("caption", clean(grid.name)), element("tbody", *rows), class_=density)


def _variables(theme: Theme) -> str:
    named = {
        "background": theme.background, "ink": theme.ink, "quiet": theme.quiet, "surface": theme.frame.fill,
        "line": theme.frame.line,
    }  # fmt: skip
    for name, family in MARKS.items():
        named |= {f"{name}-fill": theme.families[family].fill, f"{name}-line": theme.families[family].line}
    return "".join(f"--{name}:{colour};" for name, colour in named.items())


@cache
def _asset(name: str) -> str:
    return files("archcalc.render.demos").joinpath("assets", name).read_text(encoding="utf-8")
