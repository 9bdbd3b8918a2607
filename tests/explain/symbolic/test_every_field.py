"""Closed forms over every field of every op: values put in must give what the analysis gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import ArchcalcError
from archcalc.explain.symbolic.closed import ClosedForm, closed_form
from archcalc.ops import OPS
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.ranks import PLANE
from tests.tiers import examples

QUANTITIES = ("params", "multiplications", "activations")
#: Fields that are needed, or that make a case worth trying; p stands for the parameter.
FIELDS: dict[str, dict[str, list[str]]] = {
    "conv2d": {
        "out_channels": ["12", "p", "12*p"], "kernel_size": ["3", "p", "2*p - 1", "[p, 2]", "[1, p]"],
        "stride": ["1", "p", "[p, 1]", "max(p, 1)"], "groups": ["1", "p", "3"], "dilation": ["1", "p", "[1, p]"],
        "padding": ["0", "p", "max(p, 1)", "p // 2", "[p, 1]", "[0, p, 1, 2]", "same", "valid"],
    },
    "depthwise_conv2d": {
        "kernel_size": ["3", "p"], "depth_multiplier": ["1", "p"], "stride": ["1", "p"], "dilation": ["1", "p"],
        "padding": ["1", "p", "same"],
    },
    "locally_connected2d": {"out_channels": ["3", "p"], "kernel_size": ["2", "p"], "stride": ["1", "p"]},
    "conv_transpose2d": {
        "out_channels": ["12", "p", "12*p"], "kernel_size": ["3", "p", "[p, 3]"], "stride": ["2", "p", "[1, p]"],
        "padding": ["0", "p", "max(p - 1, 0)"], "output_padding": ["0", "min(p, 1)"], "groups": ["1", "p", "2"],
        "dilation": ["1", "2", "p", "[p, 1]"],
    },
    "linear": {"out_features": ["5", "p", "p*p + 1"]},
    "rbf": {"out_features": ["5", "p"]},
    "max_pool2d": {
        "kernel_size": ["3", "p", "[p, 2]"], "stride": ["", "2", "p", "[p, 1]"],
        "padding": ["0", "p // 2", "max(p, 2) - 2"], "dilation": ["1", "p"],
        "ceil_mode": ["false", "true"], "clip_last_window": ["true", "false"],
    },
    "avg_pool2d": {
        "kernel_size": ["p"], "stride": ["", "p + 1"], "padding": ["0", "p // 2"], "ceil_mode": ["false", "true"],
    },
    "lp_pool2d": {"kernel_size": ["p", "2"], "norm_type": ["2", "p"]},
    "subsampling2d": {"kernel_size": ["p", "[2, p]"], "stride": ["", "2"]},
    "adaptive_avg_pool2d": {"output_size": ["p", "[p, 3]"]},
    "adaptive_max_pool2d": {"output_size": ["p", "[p, 3]"]},
    "max_unpool2d": {"kernel_size": ["p", "2"], "stride": ["", "p"], "padding": ["0"]},
    "local_response_norm": {"size": ["p"]},
    "chunk": {"chunks": ["p", "2"], "index": ["0", "1"], "axis": ["channels", "width"]},
    "mean": {"axes": ["channels", "height", "[channels, width]"]}, "amax": {"axes": ["width"]},
    "narrow": {"start": ["p", "0"], "length": ["", "p", "2*p"], "step": ["1", "p"], "axis": ["channels", "height"]},
    "pixel_shuffle": {"upscale_factor": ["p"]},
    "pixel_unshuffle": {"downscale_factor": ["p"]},
    "interpolate": {"scale_factor": ["p"], "mode": ["nearest", "bilinear", "bicubic"]},
    "multi_head_attention": {
        "num_heads": ["p", "2", "3*p"], "embed_dim": ["", "6*p"], "window_size": ["", "2", "[p, 2]"],
    },
    "group_norm": {"num_groups": ["p", "3", "2*p"]},
    "crop2d": {"margins": ["p", "[p, 1]", "[0, p, 1, 2]"]},
    "slice2d": {"step": ["p", "2", "[1, p]"], "start": ["0", "p", "[p, 1]"]},
    "zero_pad2d": {"padding": ["p", "[p, 0, 1, 2]", "same"], "kernel_size": ["p", ""], "stride": ["p", ""]},
    "pad_channels": {"before": ["p", "0", "half"], "after": ["", "p"], "out_channels": ["", "12 + p"]},
    "upsample2d": {"scale": ["p", "[p, 3]"], "mode": ["nearest", "bilinear"]},
}  # fmt: skip
BEFORE = {
    "max_unpool2d": "  - max_pool2d: {name: pooled, kernel_size: 2}\n  - relu: {name: maps}\n",
    "rbf": "  - flatten\n",
}
FROM = {"max_unpool2d": "from: [maps, pooled], "}


def test_every_op_with_a_letter_is_tried() -> None:
    # What reads rows of tokens is tried on its own; the networks below have images.
    tokens = {"scaled_dot_product_attention", "class_token", "embedding", "rnn", "lstm", "gru"}
    # An opaque layer has no formula: tests/ops/test_opaque.py.
    assert {kind for kind, op in OPS.items() if op.letters()} & PLANE <= set(FIELDS) | tokens | {"opaque"}
    assert all(set(fields) <= set(OPS[kind].model_fields) for kind, fields in FIELDS.items())


@st.composite
def specs(draw: st.DrawFn, kind: str) -> tuple[str, int]:
    """A network with an op whose fields depend on p, which may be 0 or more; and the p that it is built at."""
    chosen = {name: draw(st.sampled_from(values)) for name, values in FIELDS[kind].items()}
    fields = ", ".join(f'{name}: "{value}"' for name, value in chosen.items() if value)
    fields = fields.replace('"true"', "true").replace('"false"', "false").replace('"[', "[").replace(']"', "]")
    default = draw(st.integers(1, 4))
    height, width = draw(st.integers(4, 20)), draw(st.integers(4, 20))
    square = draw(st.booleans())
    text = (
        f"name: net\ntitle: net\nparameters: {{p: {default}}}\ninput: {height}x{height if square else width}x12\n"
        f"layers:\n{BEFORE.get(kind, '')}  - {kind}: {{{FROM.get(kind, '')}{fields}}}\n"
    )
    if draw(st.booleans()) and kind != "rbf":
        text += "  - linear: {out_features: 3}\n"
    return text, default


def forms(path: Path) -> Iterator[tuple[str, ClosedForm]]:
    for quantity in QUANTITIES:
        yield quantity, closed_form(str(path), quantity, names=["p"])
        yield quantity, closed_form(str(path), quantity, names=["p", "input"])


counter = iter(range(1 << 30))


@pytest.mark.parametrize("kind", FIELDS)
@examples(120, quick=1)
@given(data=st.data())
def test_a_closed_form_gives_the_totals(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text, default = data.draw(specs(kind))
    path = tmp_path_factory.getbasetemp() / f"net{next(counter)}.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        load(str(path))
        analyse(load(str(path)))
    except ArchcalcError:
        return  # the op does not take these settings
    found = list(forms(path))
    for value in {default, *range(5)}:
        try:
            graph = load(str(path), {"p": value})
            totals = analyse(graph).totals
        except ArchcalcError:
            continue
        _, height, width = graph.input_shape
        for quantity, form in found:
            assert form.at(p=value, s=height, H=height, W=width) == getattr(totals, quantity), f"{text}{form}"
