"""Several networks side by side: a table of totals, a chart, and the pages of the networks or links to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.core import words
from archcalc.core.language import mark, say
from archcalc.passes.analysis import Analysis
from archcalc.render.pages.charts import accuracy_chart, figure
from archcalc.render.pages.markup import Html, element, fragment, join, wide
from archcalc.render.pages.network import Section, not_drawn, part, section
from archcalc.render.tables.networks import NetworkColumn, network_column
from archcalc.render.tables.report import Report


class Measure(NamedTuple):
    """What networks are compared by: a column, and what its extremes are called."""

    column: NetworkColumn
    least: str
    most: str
    #: Whether a number twice as large is twice as much of something.
    bars: bool = True


def measures() -> tuple[Measure, ...]:
    """What stands in the table, in its order."""
    least, most, fewest = say("least"), say("most"), say("fewest")
    accuracy = say("lowest"), say("highest"), False
    return (
        Measure(network_column("depth"), least, most),
        Measure(NetworkColumn(say("layers"), lambda analysis: analysis.layer_count, "{:,}".format), fewest, most),
        Measure(network_column("params"), fewest, most),
        Measure(network_column("multiplications"), fewest, most),
        Measure(network_column("activation_bytes"), least, most),
        Measure(network_column("peak_activation_bytes"), least, most),
        Measure(network_column("top1_accuracy"), *accuracy),
        Measure(network_column("top5_accuracy"), *accuracy),
    )


_EXPLAINED = mark(
    "Depth: convolution and dense layers on the longest path. Multiplications: of convolution and dense layers, one "
    "for each multiply-add, per image. Stored: what the layers keep. Live activations: what is alive at one time at "
    "inference. Top-1 and top-5: accuracy in percent as the sources in each report state it for this very network. "
    "Bars: share of the largest number in the column."
)


def comparison(reports: Sequence[Report]) -> Section:
    """The page's contents for some networks: totals, and below them each network by itself."""
    keys = _keys(reports)
    sections = [section(report, key, level=2) for report, key in zip(reports, keys, strict=True)]
    links = {id(report): f"#network-{key}" for report, key in zip(reports, keys, strict=True)}
    head = overview(
        reports, [links[id(report)] for report in reports], say("{count} networks side by side", count=len(reports))
    )
    tabs = element(
        "nav",
        element(
            "ul",
            *(element("li", element("a", report.title, href=links[id(report)])) for report in reports),
        ),
        class_="networks",
        aria_label=say("Networks"),
    )
    parts = [head, *sections]
    return Section(
        join(head.html, tabs, *(one.html for one in sections)),
        tuple(dict.fromkeys(sentence for one in parts for sentence in one.missing)),
    )


def overview(reports: Sequence[Report], links: Sequence[str], title: str) -> Section:
    """The comparison alone: totals and chart. Each network's name leads to the page that is given for it."""
    chart = accuracy_chart([report.analysis for report in reports], "chart-")
    content = join(*map(not_drawn, chart.missing), *(figure(drawn, 3) for drawn in chart.drawn))
    subtitle = element("p", ", ".join(report.title for report in reports), class_="subtitle")
    html = join(
        element("header", element("h1", title), subtitle if len(reports) <= 8 else None),
        part(
            "totals", say("Totals"), join(_table(reports, links), element("p", say(_EXPLAINED), class_="explained")), 2
        ),
        part("chart", say("Accuracy and work"), content, 2) if content else None,
    )
    return Section(html, chart.missing)


def _keys(reports: Sequence[Report]) -> list[str]:
    """A name for each network that is no other's."""
    keys: list[str] = []
    for report in reports:
        name = fragment(report.analysis.graph.name)
        count = sum(key == name or key.startswith(f"{name}~") for key in keys)
        keys.append(f"{name}~{count + 1}" if count else name)
    return keys


def _table(reports: Sequence[Report], links: Sequence[str]) -> Html:
    analyses = [report.analysis for report in reports]
    heads = [(say("network"), None), (say("year"), "number"), (say("input"), None)]
    compared = measures()
    heads += [(measure.column.title, "number") for measure in compared]
    columns = [_column(measure, analyses) for measure in compared]
    rows = [
        element("tr", *_facts(report, link), *(column[place] for column in columns))
        for place, (report, link) in enumerate(zip(reports, links, strict=True))
    ]
    table = element(
        "table",
        element("caption", say("Totals of the networks"), class_="hidden"),
        element("thead", element("tr", *(element("th", head, scope="col", class_=kind) for head, kind in heads))),
        Html("\n"),
        element("tbody", Html("\n"), join(*rows, between="\n")),
        class_="sortable compared",
    )
    return wide(table, say("Totals of the networks"))


def _facts(report: Report, link: str) -> list[Html]:
    graph = report.analysis.graph
    name = join(element("a", report.title, href=link), element("span", words.line(graph.name), class_="note"))
    return [
        element("th", name, scope="row"),
        element("td", str(graph.year or words.NONE), class_="number"),
        element("td", graph.inputs_in_words(report.layout)),
    ]


def _column(measure: Measure, analyses: Sequence[Analysis]) -> list[Html]:
    """The cells of a measure: the number, its bar, and a word at the smallest and at the largest."""
    values = [measure.column.value(analysis) for analysis in analyses]
    known = [value for value in values if value is not None]
    low, high = min(known, default=0), max(known, default=0)
    cells = []
    for analysis, value in zip(analyses, values, strict=True):
        word = None
        if value is not None and low != high:
            word = f"▾ {measure.least}" if value == low else f"▴ {measure.most}" if value == high else None
        cells.append(
            element(
                "td",
                element("span", measure.column.text(analysis), class_="figure"),
                element("span", word, class_="extreme") if word else None,
                class_="number",
                data_value=None if value is None else f"{value:.15g}",
                data_share=f"{value / high:.3g}" if measure.bars and value and high else None,
            )
        )
    return cells
