"""The head of a network's report: what it is, who made it, and its totals."""

from __future__ import annotations

from fractions import Fraction

from archcalc.core import words
from archcalc.core.quantities import quantity_of_network
from archcalc.render.pages.markup import Content, Html, breakable, element, join, link
from archcalc.render.tables.networks import network_column
from archcalc.render.tables.report import Report


def heading(report: Report, level: int) -> Html:
    """Title, input and settings, description and paper."""
    graph = report.analysis.graph
    settings = ", ".join(f"{name} = {_setting(value)}" for name, value in graph.settings.items())
    lines = [element("p", report.subtitle, class_="subtitle")]
    if graph.description:
        lines.append(element("p", words.line(graph.description), class_="description"))
    facts = [_fact("Network", element("code", words.line(graph.name)))]
    if graph.paper:
        venue = f", {words.line(graph.paper.venue)}" if graph.paper.venue else ""
        facts.append(_fact("Paper", join(link(words.line(graph.paper.title), graph.paper.url), venue)))
    if settings:
        facts.append(_fact("Settings", words.line(settings)))
    lines.append(element("dl", *facts, class_="facts"))
    return join(element(f"h{level}", report.title), *lines)


def _fact(name: str, value: str) -> Html:
    return element("div", element("dt", name), element("dd", value))


def _setting(value: object) -> str:
    """A setting as a spec has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return words.number(value) if isinstance(value, Fraction) else str(value)


def totals(report: Report) -> Html:
    """The totals as cards: the exact number, and what it means."""
    analysis = report.analysis
    sums = analysis.totals
    batch = f", a batch of {analysis.batch:,}" if analysis.batch > 1 else ""
    layers = analysis.layer_count
    fixed = sums.params - sums.trainable_params
    params = f"{words.size(sums.param_bytes)} in {analysis.dtype}"
    if fixed:
        params += f", {fixed:,} not trained"
    if sums.buffers:
        params += f"; {sums.buffers:,} buffer values more"
    cards = [
        ("params", params),
        ("multiplications", "in convolution and dense layers"),
        ("activation_bytes", f"{sums.activations:,} values per image{batch}"),
        ("peak_activation_bytes", join("at ", breakable(sums.peak_layer))),
        ("depth", f"convolution and dense layers on the longest path; {layers:,} layers in all"),
    ]
    return element("dl", *(_card(report, *card) for card in cards), class_="totals")


def _card(report: Report, key: str, note: Content) -> Html:
    value = element("strong", network_column(key).text(report.analysis))
    name = quantity_of_network(key).name
    return element("div", element("dt", name), element("dd", value, element("span", note, class_="note")))
