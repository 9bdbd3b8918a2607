"""The index of all reports: the comparison of the catalogue and the line of development."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc import words
from archcalc.analysis import Analysis
from archcalc.reports.markdown import escape
from archcalc.shapes import format_shape

_HEADS = ("network", "year", "input", "depth", "parameters", "multiplications", "stored", "top-1", "top-5")


def file_name(network: str) -> str:
    """Where the report of a network lies, seen from the index."""
    return f"{network}.md"


def render_index(analyses: Sequence[Analysis]) -> str:
    """Markdown: one line a network, then what each brought."""
    networks = [analysis for analysis in analyses if not analysis.graph.name.startswith("blocks/")]
    blocks = [analysis for analysis in analyses if analysis.graph.name.startswith("blocks/")]
    out = ["# The catalogue", "", "Made by `archcalc report --all -o reports/`. Each name links to the full table.", ""]
    out += _comparison(networks)
    out += [
        "",
        "![Top-1 accuracy over multiplications, parameters as area](comparison.svg)",
        "",
        "Depth: convolution and dense layers on the longest path. Stored: values that the layers keep, float32, one "
        "image. Top-1 and top-5: accuracy in percent as reported for this very network, its source in the full "
        "report; – where no figure with a source is at hand. Multiplications: convolution and dense layers, one for "
        "each multiply-add, per image.",
    ]
    out += _development(networks)
    if blocks:
        out += ["", "## Building blocks", "", "Parts that are taught on their own, as small networks.", ""]
        out += _comparison(blocks, ("network", "input", "output", "parameters", "multiplications"))
    return "\n".join(out) + "\n"


def _comparison(analyses: Sequence[Analysis], heads: Sequence[str] = _HEADS) -> list[str]:
    left = {"network", "input", "output"}
    lines = [
        "| " + " | ".join(heads) + " |",
        "|" + "|".join(":---" if head in left else "---:" for head in heads) + "|",
    ]
    for analysis in analyses:
        cells = _cells(analysis)
        lines.append("| " + " | ".join(cells[head] for head in heads) + " |")
    return lines


def _cells(analysis: Analysis) -> Mapping[str, str]:
    graph, totals = analysis.graph, analysis.totals
    title = escape(graph.title or graph.name)
    return {
        "network": f"[{title}]({file_name(graph.name)})<br>`{graph.name}`",
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
    """The first reported top-1 or top-5 figure as an accuracy in percent: an error is taken from 100."""
    for figure in analysis.graph.reported:
        if figure.quantity.startswith(which) and figure.accuracy is not None:
            return f"{figure.accuracy:.1f}"
    return words.NONE


def _development(analyses: Sequence[Analysis]) -> list[str]:
    """A picture of which family follows which, and a sentence on what each brought."""
    graphs = [analysis.graph for analysis in analyses]
    first = {graph.family: graph for graph in reversed(graphs)}
    chosen = sorted(first.values(), key=lambda graph: (graph.year or 0, graph.family))
    out = ["", "## The line of development", "", "![Families of networks by year](timeline.svg)", ""]
    out += [
        f"- **{escape(graph.family_title)}** ({graph.year or '?'}): {escape(graph.description)}"
        for graph in chosen
        if graph.description
    ]
    return out
