"""Functions that give pictures and derivations."""

from __future__ import annotations

from itertools import islice
from typing import Any

from archcalc.cli.serve.requests import Request
from archcalc.cli.serve.tables import has_converter
from archcalc.displays import ALONG, Chart, Drawing, chart_of
from archcalc.explain.derive import formats
from archcalc.explain.derive.network import SUMS, explain_layers, find_layers, find_quantity, sum_up
from archcalc.explain.derive.notation import MATHML, TEXT
from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.choices import STYLES, Choices, default_style
from archcalc.render.diagrams.compose import COLOUR_BY

THEMES = ("light", "dark")
#: The layers of a block whose derivations are shown.
MOST_EXPLAINED = 60
_MOST_TERMS = 400


def draw(request: Request) -> dict[str, Any]:
    """The diagram as SVG."""
    analysis = request.source().analyse()
    style = request.text("style") if request.has("style") else default_style(analysis)
    # The page lets no style sheet of others in.
    drawing = drawn(analysis, request, classes=False)
    return {"svg": drawing.svg, "style": style, "notes": list(drawing.notes)}


def drawn(analysis: Analysis, request: Request, classes: bool = True) -> Drawing:
    """The picture that a request asks for. Raises `UsageError` for a choice that does not exist."""
    words: dict[str, Any] = {key: request.text(key) for key in ("highlight", "only", "expand") if request.has(key)}
    style = request.choice("style", STYLES, "") if request.has("style") else None
    depth = request.number("depth", 0, 99) if request.has("depth") else None
    colour = request.choice("colour", COLOUR_BY, "kind")
    theme = request.choice("theme", THEMES, "light")
    return Drawing(analysis, Choices(style=style, depth=depth, theme=theme, color_by=colour, **words), classes)


def chart(request: Request) -> dict[str, Any]:
    """A chart along the depth of the network as SVG; in a browser what Vega draws it from."""
    kind = request.choice("kind", ALONG, ALONG[0])
    theme = request.choice("theme", THEMES, "light")
    made: Chart = chart_of(request.source().analyse(), kind, theme=theme)
    drawn = {"svg": made._repr_svg_()} if has_converter() else {"spec": made.spec}
    return {**drawn, "notes": list(made.notes)}


def explain(request: Request) -> dict[str, Any]:
    """How the numbers of a layer, of the layers of a block, or a total of the network are calculated."""
    analysis = request.source().analyse()
    layer = request.text("layer", 2_000) if request.has("layer") else None
    quantity = find_quantity(request.text("quantity")) if request.has("quantity") else None
    names = find_layers(analysis, layer)
    if quantity is not None and quantity in SUMS and len(names) > 1:
        return _sum(analysis, quantity, names, layer)
    explanations = explain_layers(analysis, names[:MOST_EXPLAINED], quantity)
    items = []
    for one in explanations:
        texts = formats.lines(one, TEXT)
        for line, text in zip(formats.lines(one, MATHML), texts, strict=True):
            note = f" ({line.note})" if line.note else ""
            items.append(
                {
                    "layer": one.name, "quantity": line.derivation.quantity, "heading": line.label, "label": line.label,
                    "result": f"{line.derivation.value:,}", "text": " = ".join(text.parts) + note,
                    "html": formats.equation(line), "note": line.note, "unit": line.unit,
                }
            )  # fmt: skip
    heading = explanations[0].heading if len(explanations) == 1 else layer or analysis.graph.title
    more = [f"{len(names) - MOST_EXPLAINED:,} more layers"] if len(names) > MOST_EXPLAINED else []
    return {"heading": heading, "items": items, "notes": more}


def _sum(analysis: Analysis, quantity: str, names: list[str], layer: str | None) -> dict[str, Any]:
    """A total, term by term; of many terms the first."""
    total = sum_up(analysis, quantity, names)
    items = [
        {
            "layer": term.layer, "quantity": quantity, "heading": term.layer, "label": term.layer,
            "result": f"{term.derivation.value:,}",
            "text": " = ".join(TEXT.write(node) for node in term.derivation.chain()),
            "html": formats.equation(formats.Line(term.derivation, MATHML)), "note": "", "unit": total.unit,
        }
        for term in islice(total.terms, _MOST_TERMS)
    ]  # fmt: skip
    more = [f"{len(total.terms) - _MOST_TERMS:,} more terms"] if len(total.terms) > _MOST_TERMS else []
    return {"heading": f"{layer or analysis.graph.title}: {total.total:,}", "items": items, "notes": more}
