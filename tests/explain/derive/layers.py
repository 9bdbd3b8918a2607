"""Random layers of every kind, for the tests that hold derivations against the analysis."""

from __future__ import annotations

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from archcalc.core.errors import ShapeError
from archcalc.core.shapes import Shape
from archcalc.ops import OPS
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.single import make_op, single_layer
from tests.ops.rows import SMALL, Row

small = st.integers(1, 7)
pairs = st.one_of(small, st.tuples(small, small))
margins = st.one_of(st.integers(0, 3), st.tuples(*[st.integers(0, 3)] * 2), st.tuples(*[st.integers(0, 3)] * 4))
images = st.tuples(st.integers(1, 12), st.integers(1, 30), st.integers(1, 30))
WINDOW = {"kernel_size": pairs, "stride": pairs, "padding": st.one_of(margins, st.just("same")), "dilation": pairs}
POOL = {**WINDOW, "padding": margins, "ceil_mode": st.booleans(), "clip_last_window": st.booleans()}
GROUPED = {"out_channels": st.integers(1, 12), "bias": st.booleans()}
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "conv2d": {**WINDOW, **GROUPED, "groups": st.sampled_from([1, 1, 2, 3, 4])},
    "depthwise_conv2d": {**WINDOW, "depth_multiplier": st.integers(1, 3), "bias": st.booleans()},
    "locally_connected2d": {**WINDOW, **GROUPED},
    "conv_transpose2d": {
        "kernel_size": pairs, "stride": pairs, "padding": margins, "output_padding": st.integers(0, 2), **GROUPED,
        "groups": st.sampled_from([1, 1, 2, 3]),
    },
    "linear": {"out_features": st.integers(1, 99), "bias": st.booleans()},
    "rbf": {"out_features": st.integers(1, 99)},
    "max_pool2d": POOL,
    "avg_pool2d": POOL,
    "lp_pool2d": {**POOL, "norm_type": st.integers(1, 4)},
    "subsampling2d": POOL,
    "adaptive_avg_pool2d": {"output_size": pairs},
    "max_unpool2d": {"kernel_size": pairs, "stride": pairs},
    "batch_norm2d": {"scale": st.booleans(), "shift": st.booleans()},
    "local_response_norm": {"size": st.integers(1, 9)},
    "crop2d": {"margins": margins},
    "slice2d": {"step": pairs, "start": st.integers(0, 3)},
    "zero_pad2d": {"padding": margins},
    "pad_channels": {"before": st.integers(0, 3), "after": st.integers(0, 3)},
    "upsample2d": {"scale": pairs, "mode": st.sampled_from(["nearest", "bilinear"])},
}  # fmt: skip


def _written(row: Row) -> bool:
    """Whether derivations write its shapes: flat ones and images."""
    return all(len(each) in (1, 3) for each in (*row.inputs, row.output))


#: Every op but those that read or give rows of tokens only.
_SMALL = {row.kind: any(_written(each) for each in SMALL if each.kind == row.kind) for row in SMALL}
KINDS = [kind for kind in OPS if kind not in ("input", "reshape") and _SMALL.get(kind, True)]


@st.composite
def single_layers(draw: st.DrawFn, kind: str) -> Analysis:
    """A layer of this kind on an input that it takes."""
    rows = [row for row in SMALL if row.kind == kind and _written(row)]
    if rows and kind not in FIELDS:
        row = draw(st.sampled_from(rows))
        return analyse(single_layer(make_op(kind, row.fields), row.inputs))
    fields = {name: draw(values) for name, values in FIELDS.get(kind, {}).items()}
    shape: Shape = draw(images)
    if kind == "rbf":
        shape = (draw(st.integers(1, 200)),)
    op = make_op(kind, fields)
    inputs = [shape] * max(1, op.fewest_inputs)
    if kind == "concat":
        inputs = [(draw(st.integers(1, 12)), *shape[1:]) for _ in range(draw(st.integers(1, 4)))]
    try:
        op.resolve(inputs).check(inputs)
    except ShapeError:
        assume(False)
    return analyse(single_layer(op, inputs))
