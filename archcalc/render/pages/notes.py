"""What stands under a report: how things are counted, and the figures that were published."""

from __future__ import annotations

from archcalc.core import words
from archcalc.core.language import say
from archcalc.render.pages.markup import Html, element, wide
from archcalc.render.tables.figures import Published, published
from archcalc.render.tables.report import Report


def conventions(report: Report) -> Html:
    """The notes of the report, as every format has them, without the published figures."""
    return element("ul", *(element("li", note) for note in report.conventions()), class_="notes")


def figures(report: Report) -> Html | None:
    """A table of what papers print next to what is computed; None without such figures."""
    found = published(report.analysis)
    if not found:
        return None
    titles = [(say("quantity"), None), (say("reported"), "number"), (say("computed"), "number"), (say("source"), None)]
    noted = any(figure.note for figure in found)
    if noted:
        titles.append((say("note"), None))
    heads = [element("th", title, scope="col", class_=kind) for title, kind in titles]
    rows = [_row(figure, noted) for figure in found]
    caption = element("caption", say("Published figures next to the computed ones"), class_="hidden")
    body = element("tbody", *rows)
    inner = element("table", caption, element("thead", element("tr", *heads)), body, class_="figures")
    return wide(inner, say("Published figures"))


def _row(figure: Published, noted: bool) -> Html:
    computed = f"{figure.computed:,}" if figure.computed is not None else words.NONE
    return element(
        "tr",
        element("th", figure.name, scope="row"),
        element("td", words.line(figure.value), class_="number"),
        element("td", computed, class_="number"),
        element("td", words.line(figure.source), class_="text"),
        element("td", words.line(figure.note), class_="text") if noted else None,
    )
