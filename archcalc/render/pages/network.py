"""One network in a page: head and totals, diagram, table, plots, notes, and the data of its derivations."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.render.pages import markup
from archcalc.render.pages.charts import figure, network_charts
from archcalc.render.pages.derivations import derivations
from archcalc.render.pages.markup import Drawn, Html, element, fill, join, wide
from archcalc.render.pages.notes import conventions, figures
from archcalc.render.pages.pictures import Picture, diagrams
from archcalc.render.pages.summary import heading, totals
from archcalc.render.pages.table import table
from archcalc.render.tables.report import Report


class Section(NamedTuple):
    """A part of a page, and a sentence for each thing in it that could not be made."""

    html: Html
    missing: tuple[str, ...]


def section(report: Report, key: str = "", level: int = 1) -> Section:
    """`key` distinguishes networks of one page: it begins the `id`s. `level` is that of the title."""
    prefix = f"{key}-" if key else ""
    pictures = diagrams(report.analysis, prefix, whole=not key)
    charts = network_charts(report.analysis, prefix)
    plots = join(*map(not_drawn, charts.missing), *(figure(chart, level + 2) for chart in charts.drawn))
    parts = [
        ("diagram", say("Diagram"), _diagram(pictures, prefix)),
        ("layers", say("Layers"), _layers(report, f"{prefix}layer-")),
        ("plots", say("Plots"), plots),
        ("counted", say("How it is counted"), conventions(report)),
        ("published", say("Published figures"), figures(report)),
    ]
    shown = [(name, title, content) for name, title, content in parts if content]
    links = (element("li", element("a", title, href=f"#{prefix}{name}")) for name, title, _ in shown)
    bars = [name for chart in charts.drawn for name in chart.bars]
    facts = {"prefix": f"{prefix}layer-", "bars": bars, **derivations(report.analysis)}
    html = element(
        "article",
        element("header", heading(report, level), totals(report)),
        element(
            "nav", element("ul", *links), aria_label=say("Parts of {network}", network=report.title), class_="parts"
        ),
        *(part(f"{prefix}{name}", title, content, level + 1) for name, title, content in shown),
        element("script", markup.data(facts), type="application/json", class_="derivations"),
        class_="network",
        id=f"network-{key}" if key else None,
    )
    return Section(html, pictures.missing + charts.missing)


def part(name: str, title: str, content: Html, level: int) -> Html:
    """A section with a heading, which can be linked to."""
    heading_ = element(f"h{level}", title, id=f"{name}-title")
    return element("section", heading_, Html("\n"), content, id=name, aria_labelledby=f"{name}-title")


def not_drawn(sentence: str) -> Html:
    """The note that replaces a picture."""
    return element("p", say("This picture could not be drawn: {why}", why=sentence), class_="missing")


def _diagram(pictures: Drawn[Picture], prefix: str) -> Html:
    missing = join(*map(not_drawn, pictures.missing))
    if not pictures.drawn:
        return missing
    views = (
        element("div", picture.svg, class_="view", data_style=picture.key, hidden=index > 0)
        for index, picture in enumerate(pictures.drawn)
    )
    words = {
        "label": say("Diagram"), "nearer": say("Zoom in"), "farther": say("Zoom out"),
        "whole": say("Fit: show all of it"), "fit": say("Fit"), "full": say("Full screen"),
        "hint": say("Click a layer for its derivation. Drag to move; zoom by the buttons, by + and −, or by the wheel "
                    "once the diagram was clicked."),
    }  # fmt: skip
    return fill(
        "diagram.html", **words, missing=missing, choice=_choice(pictures.drawn, f"{prefix}style"), views=join(*views)
    )


def _choice(pictures: tuple[Picture, ...], name: str) -> Html:
    """Buttons of which one is pressed: which of the pictures is shown."""
    if len(pictures) < 2:
        return Html()
    choices = (
        element(
            "label",
            element("input", type="radio", name=name, value=picture.key, checked=index == 0),
            element("span", picture.label),
        )
        for index, picture in enumerate(pictures)
    )
    legend = element("legend", say("Picture"), class_="hidden")
    return element("fieldset", legend, *choices, class_="choice")


def _layers(report: Report, prefix: str) -> Html:
    kinds = Counter(row.op.family for row in report.rows)
    options = [element("option", say("every kind ({count:,})", count=len(report.rows)), value="")]
    options += [
        element("option", say("{kind} ({count:,})", kind=_kind(kind), count=kinds[kind]), value=kind)
        for kind in sorted(kinds, key=_kind)
    ]
    label = say("Layers of {network}", network=report.title)
    controls = fill(
        "filter.html", label=label, find=say("Find"), kind=say("Kind"), all=say("Show all"), options=join(*options)
    )
    return join(controls, wide(table(report, prefix), say("Table of the layers of {network}", network=report.title)))


def _kind(family: str) -> str:
    from archcalc.render.diagrams.theme import FAMILIES, family_name

    return family_name(family) if family in FAMILIES else family
