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
from tests.ops.rows import SMALL
from tests.ranks import plane, rank_of


def fields_of(rank: int) -> dict[str, dict[str, st.SearchStrategy[Any]]]:
    """Settings by the kind for images, with so many position axes."""
    small = st.integers(1, 7)
    sizes = st.one_of(small, st.tuples(*[small] * rank))
    margin = st.integers(0, 3)
    margins = st.one_of(margin, st.tuples(*[margin] * rank), st.tuples(*[margin] * 2 * rank))
    window = {"kernel_size": sizes, "stride": sizes, "padding": st.one_of(margins, st.just("same")), "dilation": sizes}
    pool = {**window, "padding": margins, "ceil_mode": st.booleans(), "clip_last_window": st.booleans()}
    grouped = {"out_channels": st.integers(1, 12), "bias": st.booleans()}
    return {
        "conv2d": {**window, **grouped, "groups": st.sampled_from([1, 1, 2, 3, 4])},
        "depthwise_conv2d": {**window, "depth_multiplier": st.integers(1, 3), "bias": st.booleans()},
        "locally_connected2d": {**window, **grouped},
        "conv_transpose2d": {
            **window, "output_padding": st.integers(0, 2), **grouped,
            "groups": st.sampled_from([1, 1, 2, 3]),
        },
        "linear": {"out_features": st.integers(1, 99), "bias": st.booleans()},
        "rbf": {"out_features": st.integers(1, 99)},
        "max_pool2d": pool,
        "avg_pool2d": pool,
        "lp_pool2d": {**pool, "norm_type": st.integers(1, 4)},
        "subsampling2d": pool,
        "adaptive_avg_pool2d": {"output_size": sizes},
        "adaptive_max_pool2d": {"output_size": sizes},
        "max_unpool2d": {"kernel_size": sizes, "stride": sizes},
        "batch_norm2d": {"scale": st.booleans(), "shift": st.booleans()},
        "local_response_norm": {"size": st.integers(1, 9)},
        "crop2d": {"margins": margins},
        "slice2d": {"step": sizes, "start": st.integers(0, 3)},
        "zero_pad2d": {"padding": margins},
        "pad_channels": {"before": st.integers(0, 3), "after": st.integers(0, 3)},
        "opaque": {
            "of": st.just("grid_sample"), "shape": st.sampled_from(["7x7x3", "9x4", 10]), "params": st.integers(0, 99),
        },
        "upsample2d": {
            "scale": sizes, "mode": st.sampled_from(["nearest", ("linear", "bilinear", "trilinear")[rank - 1]]),
        },
    }  # fmt: skip


FIELDS = {rank: fields_of(rank) for rank in (1, 2, 3)}
#: Without what has no input: there is nothing to derive from.
KINDS = [kind for kind, op in OPS.items() if op.most_inputs != 0 and kind != "reshape"]


@st.composite
def single_layers(draw: st.DrawFn, kind: str) -> Analysis:
    """A layer of this kind on an input that it takes."""
    rows = [row for row in SMALL if row.kind == kind]
    if rows and plane(kind) not in FIELDS[2]:
        row = draw(st.sampled_from(rows))
        return analyse(single_layer(make_op(kind, row.fields), row.inputs))
    rank = rank_of(kind) or draw(st.integers(1, 3))
    fields = {name: draw(values) for name, values in FIELDS[rank].get(plane(kind), {}).items()}
    shape: Shape = (draw(st.integers(1, 12)), *draw(st.tuples(*[st.integers(1, 30)] * rank)))
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
