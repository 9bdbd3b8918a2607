"""The index of all reports: the comparison of the catalogue and the line of development."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.core import words
from archcalc.core.markup import escape_markdown
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import Analysis

#: By network: what else there is of it, and the file.
Files = Mapping[str, Mapping[str, str]]
_WITH_PAGES = (
    "Made by `archcalc report --all -o FOLDER`. Each name links to the full table; next to it are the page for a "
    "browser and the diagrams. [comparison.html](comparison.html) has all networks side by side."
)
_WITHOUT_PAGES = (
    "Made by `archcalc report --all -f markdown -o reports/`. Each name links to the full table; well-known networks "
    "have a diagram. `archcalc report --all -o FOLDER` makes a page for browsers and all diagrams of every network."
)
_HEADS = ("network", "year", "input", "depth", "parameters", "multiplications", "stored", "top-1", "top-5")


def file_name(network: str, ending: str = "md") -> str:
    """Where the report of a network lies, seen from the index."""
    return f"{network}.{ending}"


def is_block(analysis: Analysis) -> bool:
    """Whether a network of the catalogue is a building block."""
    return analysis.graph.name.startswith("blocks/")


def render_index(analyses: Sequence[Analysis], files: Files | None = None, pages: bool = True) -> str:
    """Markdown: one line a network, with links to its other files, then what each brought.

    `pages`: whether the folder holds pages and all plots, or tables and some diagrams.
    """
    files = files or {}
    networks = [analysis for analysis in analyses if not is_block(analysis)]
    blocks = [analysis for analysis in analyses if is_block(analysis)]
    out = [
        "# The catalogue",
        "",
        _WITH_PAGES if pages else _WITHOUT_PAGES,
        "",
    ]
    out += _comparison(networks, files)
    out += [
        "",
        "![Top-1 accuracy over multiplications, parameters as area](comparison.svg)",
        "",
        "Depth: convolution and dense layers on the longest path. Stored: values that the layers keep, float32, one "
        "image. Top-1 and top-5: accuracy in percent as reported for this very network, its source in the full "
        "report; – where no figure with a source is at hand. Multiplications: convolution and dense layers, one for "
        "each multiply-add, per image.",
    ]
    out += _development(networks, pages)
    if blocks:
        out += ["", "## Building blocks", "", "Parts that are taught on their own, as small networks.", ""]
        out += _comparison(blocks, files, ("network", "input", "output", "parameters", "multiplications"))
    return "\n".join(out) + "\n"


def _comparison(analyses: Sequence[Analysis], files: Files, heads: Sequence[str] = _HEADS) -> list[str]:
    left = {"network", "input", "output"}
    lines = [
        "| " + " | ".join(heads) + " |",
        "|" + "|".join(":---" if head in left else "---:" for head in heads) + "|",
    ]
    for analysis in analyses:
        cells = _cells(analysis, files)
        lines.append("| " + " | ".join(cells[head] for head in heads) + " |")
    return lines


def _cells(analysis: Analysis, files: Files) -> Mapping[str, str]:
    graph, totals = analysis.graph, analysis.totals
    title = escape_markdown(graph.title or graph.name)
    links = " · ".join(f"[{what}]({target})" for what, target in files.get(graph.name, {}).items())
    return {
        "network": f"[{title}]({file_name(graph.name)})<br>`{graph.name}`" + (f"<br>{links}" if links else ""),
        "year": str(graph.year or words.NONE),
        "input": format_shape(graph.input_shape),
        "output": format_shape(analysis.rows[graph.outputs[0].layer].output_shape),
        "depth": str(analysis.depth),
        "parameters": f"{totals.params:,}",
        "multiplications": f"{totals.multiplications:,}",
        "stored": words.size(totals.activation_bytes),
        "top-1": accuracy(analysis, "top1"),
        "top-5": accuracy(analysis, "top5"),
    }


def accuracy(analysis: Analysis, which: str) -> str:
    """The reported top-1 or top-5 figure of this very network as an accuracy in percent.

    One of a single crop comes before others, the first in the spec before later ones, as in the chart of
    `archcalc.render.charts.accuracy`.
    """
    figures = [
        figure
        for figure in analysis.graph.reported
        if figure.quantity.startswith(which) and figure.of is None and figure.accuracy is not None
    ]
    chosen = next((figure for figure in figures if figure.crops == 1), figures[0] if figures else None)
    return f"{chosen.accuracy:.1f}" if chosen else words.NONE


def _development(analyses: Sequence[Analysis], picture: bool) -> list[str]:
    """A picture of which family follows which, and a sentence on what each brought."""
    graphs = [analysis.graph for analysis in analyses]
    first = {graph.family: graph for graph in reversed(graphs)}
    chosen = sorted(first.values(), key=lambda graph: (graph.year or 0, graph.family))
    out = ["", "## The line of development", ""]
    if picture:
        out += ["![Families of networks by year](timeline.svg)", ""]
    out += [
        f"- **{escape_markdown(graph.family_title)}** ({graph.year or '?'}): {escape_markdown(graph.description)}"
        for graph in chosen
        if graph.description
    ]
    return out
