"""How titles, subtitles and labels name a network and its layers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from archcalc.core.language import say
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.text import clean

LONGEST = 60
LONGEST_TITLE = 200
_BRACKETS = re.compile(r" \([^()]*\)$")


def short_name(name: str, longest: int = LONGEST) -> str:
    """A name of a spec on one line, shortened in its middle where it is endless."""
    line = " ".join(clean(name).split())
    if len(line) <= longest:
        return line
    tail = longest // 3
    return f"{line[: longest - tail - 1].rstrip()}…{line[-tail:]}"


def title_of(analysis: Analysis) -> str:
    """The title of a network."""
    return short_name(analysis.graph.title or analysis.graph.name)


def short_titles(graphs: Sequence[LayerGraph]) -> list[str]:
    """The titles of networks as labels; variants keep the brackets that distinguish them from their network."""
    titles = [short_name(graph.title or graph.name, LONGEST_TITLE) for graph in graphs]
    return without_brackets(titles, ["@" in graph.name for graph in graphs])


def without_brackets(titles: Sequence[str], keep: Sequence[bool]) -> list[str]:
    """Titles without what stands in brackets at their end, where they still differ and need not `keep` them."""
    plain = [title if kept else _BRACKETS.sub("", title) for title, kept in zip(titles, keep, strict=True)]
    counts = Counter(plain)
    return [short if short and counts[short] == 1 else title for short, title in zip(plain, titles, strict=True)]


def about(analysis: Analysis) -> str:
    """Input, batch and type: what the numbers are for."""
    size, dtype = analysis.graph.inputs_in_words(), analysis.dtype
    if analysis.batch > 1:
        return say("Input {size}, batch {batch:,}, {dtype}", size=size, batch=analysis.batch, dtype=dtype)
    return say("Input {size}, {dtype}", size=size, dtype=dtype)
