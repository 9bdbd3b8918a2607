"""Networks of one layer: each row of the tables of ops."""

from __future__ import annotations

from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops.reshape import Input
from tests.networks import op
from tests.ops.rows import ROWS, Row


def of_row(row: Row) -> LayerGraph:
    """The op of a row as a network; what it reads are the inputs; what reads nothing has one all the same."""
    shapes = row.inputs or ((1,),)
    layers = [Layer(f"x{number}", Input(shape=shape), ()) for number, shape in enumerate(shapes)]
    own = Layer("layer", op(row.kind, **row.fields), tuple(range(len(row.inputs))))
    return LayerGraph("one_layer", (*layers, own), (Output("output", len(layers)),))


#: Rows whose op reads nothing, or where another layer found the maxima, are tried in networks.
ALONE = [row for row in ROWS if row.kind not in ("opaque", "input") and not row.kind.startswith("max_unpool")]
