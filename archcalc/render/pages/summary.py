"""The head of a network's report: what it is, who made it, and its totals."""

from __future__ import annotations

from fractions import Fraction

from archcalc.core import words
from archcalc.core.language import all_of, say
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
        lines.append(element("p", words.line(say(graph.description)), class_="description"))
    facts = [_fact(say("Network"), element("code", words.line(graph.name)))]
    if graph.paper:
        venue = f", {words.line(graph.paper.venue)}" if graph.paper.venue else ""
        facts.append(_fact(say("Paper"), join(link(words.line(graph.paper.title), graph.paper.url), venue)))
    if settings:
        facts.append(_fact(say("Settings"), words.line(settings)))
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
    layers = analysis.layer_count
    fixed = sums.params - sums.trainable_params
    params = say("{size} in {dtype}", size=words.size(sums.param_bytes), dtype=analysis.dtype)
    if fixed:
        params += say(", {count:,} not trained", count=fixed)
    if sums.buffers:
        params += say("; {count:,} buffer values more", count=sums.buffers)
    stored = say("{count:,} values per image", count=sums.activations)
    if analysis.batch > 1:
        stored += say(", a batch of {count:,}", count=analysis.batch)
    kinds = all_of([say(kind).partition(" (")[0] for kind in analysis.all_counted_kinds])
    cards = [
        ("params", params),
        ("multiplications", say("in {kinds}", kinds=kinds)),
        ("activation_bytes", stored),
        ("peak_activation_bytes", _at(sums.peak_layer)),
        ("depth", say("{kinds} on the longest path; {count:,} layers in all", kinds=kinds, count=layers)),
    ]
    return element("dl", *(_card(report, *card) for card in cards), class_="totals")


def _at(layer: str) -> Html:
    """At the layer, whose name may go on in the next line."""
    before, _, after = say("at {layer}", layer="\0").partition("\0")
    return join(before, breakable(layer), after)


def _card(report: Report, key: str, note: Content) -> Html:
    value = element("strong", network_column(key).text(report.analysis))
    name = quantity_of_network(key).name
    return element("div", element("dt", name), element("dd", value, element("span", note, class_="note")))
