"""The index of all reports: the comparison of the catalogue and the line of development."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from archcalc.core.markup import escape_markdown
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import Analysis
from archcalc.render.tables.networks import network_column

#: By network: what else there is of it, and the file.
Files = Mapping[str, Mapping[str, str]]
_WITH_PAGES = (
    "Made by `archcalc report --all -o FOLDER`. Each name links to the full table; next to it are the page for a "
    "browser and the diagrams. [comparison.html](comparison.html) has all networks side by side."
)
_WITHOUT_PAGES = (
    "Made by `archcalc report --all -f markdown -o reports/`. Each name links to the page of its family with the "
    "tables, of blocks where there are many layers; well-known networks have a diagram. `archcalc report --all -o "
    "FOLDER` makes the full tables, a page for browsers and all diagrams of every network."
)
#: By key: facts of a network, and its quantities.
_FACTS = ("network", "input", "output")
_COLUMNS = (
    "network", "year", "input", "depth", "params", "multiplications", "activation_bytes", "top1_accuracy",
    "top5_accuracy",
)  # fmt: skip


def file_name(network: str, ending: str = "md") -> str:
    """Where the report of a network lies, seen from the index."""
    return f"{network}.{ending}"


def family_file(analysis: Analysis) -> str:
    """Where the short form has the report of a network: with those of its family; all building blocks are together."""
    return file_name("blocks" if is_block(analysis) else analysis.graph.family)


def is_block(analysis: Analysis) -> bool:
    """Whether a network of the catalogue is a building block."""
    return analysis.graph.name.startswith("blocks/")


def render_index(analyses: Sequence[Analysis], files: Files | None = None, pages: bool = True) -> str:
    """Markdown: one line a network, with links to its other files, then what each brought.

    `pages`: whether the folder holds pages and all plots, or tables and some diagrams.
    """
    files = files or {}
    page_of = _own_file if pages else family_file
    networks = [analysis for analysis in analyses if not is_block(analysis)]
    blocks = [analysis for analysis in analyses if is_block(analysis)]
    out = [
        "# The catalogue",
        "",
        _WITH_PAGES if pages else _WITHOUT_PAGES,
        "",
    ]
    out += _comparison(networks, files, page_of)
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
        out += _comparison(blocks, files, page_of, ("network", "input", "output", "params", "multiplications"))
    return "\n".join(out) + "\n"


def _own_file(analysis: Analysis) -> str:
    return file_name(analysis.graph.name)


def _comparison(
    analyses: Sequence[Analysis],
    files: Files,
    page_of: Callable[[Analysis], str],
    columns: Sequence[str] = _COLUMNS,
) -> list[str]:
    heads = [key if key in _FACTS else network_column(key).title for key in columns]
    lines = [
        "| " + " | ".join(heads) + " |",
        "|" + "|".join(":---" if key in _FACTS else "---:" for key in columns) + "|",
    ]
    for analysis in analyses:
        facts = _facts(analysis, files, page_of(analysis))
        cells = [facts[key] if key in _FACTS else network_column(key).text(analysis) for key in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _facts(analysis: Analysis, files: Files, page: str) -> Mapping[str, str]:
    graph = analysis.graph
    title = escape_markdown(graph.title or graph.name)
    links = " · ".join(f"[{what}]({target})" for what, target in files.get(graph.name, {}).items())
    return {
        "network": f"[{title}]({page})<br>`{graph.name}`" + (f"<br>{links}" if links else ""),
        "input": graph.inputs_in_words(),
        "output": format_shape(analysis.rows[graph.outputs[0].layer].output_shape),
    }


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
