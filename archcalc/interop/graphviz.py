"""An analysis as a Graphviz graph, by the Python package `graphviz`: to be changed, and drawn by Graphviz itself."""

from __future__ import annotations

import graphviz

from archcalc.core import words
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import Analysis


def to_graphviz(analysis: Analysis) -> graphviz.Digraph:
    r"""A `graphviz.Digraph` with a node for each layer, named after it, and an edge for each input that a layer reads.

    To make it needs no program; to render it needs Graphviz (https://graphviz.org/download). A `:` in a name is
    written `&#58;`, since Graphviz takes what follows one for a port.

    >>> from archcalc.passes.analysis import analyse
    >>> from archcalc.spec.catalogue import load
    >>> print(to_graphviz(analyse(load("8x8x3 -> fc10"))).source.expandtabs(4).rstrip())
    digraph pattern {
        graph [label="8x8x3 -> fc10" labelloc=t]
        node [shape=box style=rounded]
        input [label="input\n8×8×3"]
        fc1 [label="fc1\ndense 10\n10"]
        input -> fc1
    }
    """
    graph = analysis.graph
    result = graphviz.Digraph(
        graphviz.nohtml(graph.name), graph_attr={"label": _label(words.line(graph.title)), "labelloc": "t"},
        node_attr={"shape": "box", "style": "rounded"},
    )  # fmt: skip
    for row in analysis.rows:
        result.node(_node(row.name), _label(row.name, row.op.summary(), format_shape(row.output_shape)))
    for row in analysis.rows:
        for source in row.inputs:
            result.edge(_node(source), _node(row.name))
    return result


def _node(name: str) -> str:
    """The identity of a node; different names have different ones."""
    node: str = graphviz.escape(name.replace("&", "&amp;").replace(":", "&#58;"))
    return node


def _label(*lines: str) -> str:
    """Lines of text in which nothing is markup."""
    label: str = graphviz.nohtml(r"\n".join(graphviz.escape(line.replace("&", "&amp;")) for line in lines if line))
    return label
