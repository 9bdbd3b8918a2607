"""Batch norms folded: what the layers before become, what stays and why, and what is trained."""

from __future__ import annotations

import pytest

from archcalc.design.transform.transform import Transformed
from tests.design.transform.test_transform import rewritten, row

PREACTIVATION = """
name: net
title: Net
input: 8x8x4
layers:
  - batch_norm2d: {name: first}
  - conv2d: {name: a, out_channels: 4, kernel_size: 1}
  - batch_norm2d: {name: second}
  - conv2d: {name: b, out_channels: 4, kernel_size: 1, bias: false}
  - batch_norm2d: {name: third}
  - add: {from: [b, third]}
"""


def test_a_batch_norm_that_cannot_be_folded_stays_with_a_reason() -> None:
    done = rewritten(PREACTIVATION, ("fold-batch-norm",))
    assert [one.name for one in done.after.rows if one.op.kind == "batch_norm2d"] == ["first", "third"]
    notes = done.steps[0].rewritten.notes
    assert notes[0] == "1 batch norm folded into the layers before"
    assert notes[1] == '"first" stays: the layer before (input) is no convolution or dense layer'
    assert notes[2] == '"third" stays: the layer before is read by other layers too'


def folding(layer: str, norm: str = "", frozen: bool = False) -> Transformed:
    net = f"""
name: net
title: Net
input: 8x8x3
layers:
  - {layer[:-1]}, name: c, out_channels: 4, kernel_size: 3, frozen: {str(frozen).lower()}}}
  - batch_norm2d: {{name: bn{norm}}}
"""
    return rewritten(net, ("fold-batch-norm",))


@pytest.mark.parametrize("norm", ["weight norm", "spectral norm"])
def test_a_folded_weight_is_normalised_no_more(norm: str) -> None:
    done = folding(f"conv2d: {{{norm.replace(' ', '_')}: true}}")
    arrays = [param.name for param in row(done, "c").op.param_shapes([(3, 8, 8)])]
    assert arrays == ["weight", "bias"]
    assert done.steps[0].notes[1:] == (f'{norm} became part of the weights of "c"',)
    assert (done.after.totals.params, done.after.totals.buffers) == (4 * 27 + 4, 0)


@pytest.mark.parametrize(
    ("conv_frozen", "norm", "frozen"),
    [
        (True, "", False),
        (True, ", scale: false", False),
        (True, ", frozen: true", True),
        (True, ", scale: false, shift: false", True),
        (False, ", frozen: true", False),
    ],
)
def test_what_is_trained_stays_so_where_it_is_folded(conv_frozen: bool, norm: str, frozen: bool) -> None:
    done = folding("conv2d: {bias: false}", norm, conv_frozen)
    conv = row(done, "c")
    assert conv.trainable_params == (0 if frozen else conv.params)
    said = ('no longer frozen, for the batch norm is trained: "c"',) if conv_frozen and not frozen else ()
    assert done.steps[0].notes[1:] == said
