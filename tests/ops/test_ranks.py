"""Ops for one and three position axes: figures worked out by hand, and the laws that hold them to those for images."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archcalc.core.errors import ShapeError
from archcalc.core.shapes import Shape
from archcalc.ops import OPS, Operations
from archcalc.ops.base import Spatial
from archcalc.passes.analysis import analyse
from archcalc.passes.operations import Work, count_operations
from archcalc.passes.params import ParamCount, count_params
from archcalc.passes.receptive_field import ReceptiveField
from archcalc.passes.shapes import ShapedLayer
from archcalc.spec.single import single_layer
from tests.explain.derive.layers import FIELDS
from tests.networks import op, shape
from tests.ranks import PLANE, plane, rank_of
from tests.tiers import examples

BY_HAND: list[tuple[str, dict[str, Any], Shape, Shape, int, int]] = [
    # Kind, fields, input, output, params, multiplications.
    # Dai et al. 2017 (M5), first layer: 128 filters of 80 samples, every fourth of 16,000.
    ("conv1d", {"out_channels": 128, "kernel_size": 80, "stride": 4}, (1, 16_000), (128, 3981), 10_368, 40_765_440),
    # WaveNet: a causal pair of samples, 512 apart.
    ("conv1d", {"out_channels": 32, "kernel_size": 2, "dilation": 512, "padding": [512, 0]}, (32, 4000), (32, 4000),
     2 * 32 * 32 + 32, 4000 * 2 * 32 * 32),
    # Tran et al. 2015 (C3D), conv1a and pool1: 16 frames of 112×112, pooled within the frames.
    ("conv3d", {"out_channels": 64, "kernel_size": 3, "padding": 1}, (3, 16, 112, 112), (64, 16, 112, 112),
     5248, 1_040_449_536),
    ("max_pool3d", {"kernel_size": [1, 2, 2]}, (64, 16, 112, 112), (64, 16, 56, 56), 0, 0),
    # 3D U-Net: a transposed convolution doubles the sides.
    ("conv_transpose3d", {"out_channels": 4, "kernel_size": 2, "stride": 2}, (8, 2, 3, 5), (4, 4, 6, 10),
     8 * 4 * 8 + 4, 2 * 3 * 5 * 8 * 4 * 8),
    ("conv_transpose1d", {"out_channels": 2, "kernel_size": 4, "stride": 2, "padding": 1}, (3, 10), (2, 20),
     3 * 2 * 4 + 2, 10 * 3 * 2 * 4),
    ("depthwise_conv1d", {"kernel_size": 5, "padding": 2}, (16, 100), (16, 100), 16 * 6, 100 * 16 * 5),
    ("locally_connected1d", {"out_channels": 3, "kernel_size": 2}, (2, 5), (3, 4), 4 * 3 * 5, 4 * 3 * 4),
    ("global_avg_pool1d", {}, (512, 3), (512, 1), 0, 0),
    ("adaptive_avg_pool3d", {"output_size": [1, 7, 7]}, (512, 4, 14, 14), (512, 1, 7, 7), 0, 0),
    ("batch_norm3d", {}, (32, 4, 8, 8), (32, 4, 8, 8), 64, 0),
    ("upsample3d", {"scale": [1, 2, 2], "mode": "trilinear"}, (4, 3, 5, 5), (4, 3, 10, 10), 0, 0),
    ("zero_pad1d", {"padding": [2, 0]}, (4, 10), (4, 12), 0, 0),
    ("crop1d", {"margins": [1, 2]}, (4, 10), (4, 7), 0, 0),
    ("slice3d", {"step": [2, 1, 1]}, (4, 5, 6, 7), (4, 3, 6, 7), 0, 0),
]  # fmt: skip


def counted(layer: ShapedLayer) -> tuple[ParamCount, Work]:
    return count_params(layer), count_operations(layer)


@pytest.mark.parametrize(("kind", "fields", "given", "output", "params", "macs"), BY_HAND)
def test_figures_worked_out_by_hand(
    kind: str, fields: dict[str, Any], given: Shape, output: Shape, params: int, macs: int
) -> None:
    layer = shape(op(kind, **fields), given)
    assert layer.output == output
    assert (count_params(layer).params, count_operations(layer).macs) == (params, macs)


def test_every_op_for_images_has_one_for_signals_and_one_for_volumes() -> None:
    spatial = {kind for kind, cls in OPS.items() if issubclass(cls, Spatial)}
    assert {kind for kind in PLANE if kind.endswith("2d")} >= {kind for kind in spatial if kind.endswith("2d")}
    for kind in spatial:
        for rank in (1, 2, 3):
            assert rank_of(f"{kind[:-2]}{rank}d") == OPS[f"{kind[:-2]}{rank}d"].rank == rank  # type: ignore[attr-defined]


#: A setting of an axis that is not there.
NOTHING = {
    "kernel_size": 1, "stride": 1, "dilation": 1, "padding": 0, "margins": 0, "output_padding": 0, "output_size": 1,
    "scale": 1, "step": 1, "start": 0,
}  # fmt: skip


def with_one_more_axis(cls: type[Spatial], name: str, value: Any) -> Any:
    """The setting of the op for one axis more, the last, along which nothing happens."""
    if name not in NOTHING or value == "same" or name == "mode":
        return value
    if name in ("padding", "margins") and len(cls.list_lengths(name)) == 2:
        sides = list(value) if isinstance(value, (list, tuple)) else [value] * cls.rank
        begins, ends = (sides, sides) if len(sides) == cls.rank else (sides[: cls.rank], sides[cls.rank :])
        return [*begins, 0, *ends, 0]
    values = list(value) if isinstance(value, (list, tuple)) else [value] * cls.rank
    return [*values, NOTHING[name]]


@pytest.mark.parametrize("kind", sorted(kind for kind, cls in OPS.items() if issubclass(cls, Spatial) and cls.rank < 3))
@examples(60, quick=3)
@given(data=st.data())
def test_an_axis_of_one_position_changes_nothing(kind: str, data: st.DataObject) -> None:
    """conv1d on (C, L) counts what conv2d counts on (C, L, 1), and so on: the ops for images are the reference."""
    cls = OPS[kind]
    assert issubclass(cls, Spatial)
    rank = cls.rank
    fields = {name: data.draw(values, name) for name, values in FIELDS[rank].get(plane(kind), {}).items()}
    if fields.get("mode", "nearest") != "nearest":
        fields["mode"] = "nearest"  # a mean over one neighbour more has other counts
    given_shape = (data.draw(st.integers(1, 8)), *data.draw(st.tuples(*[st.integers(1, 20)] * rank)))
    inputs = [given_shape] * max(1, cls.fewest_inputs)
    wider = [(*one, 1) for one in inputs]
    other = {name: with_one_more_axis(cls, name, value) for name, value in fields.items()}
    if "stride" in cls.model_fields and "kernel_size" in fields and "stride" not in fields:
        other["stride"] = with_one_more_axis(cls, "stride", fields["kernel_size"])
    try:
        narrow = shape(op(kind, **fields), *inputs)
    except ShapeError:
        with pytest.raises(ShapeError):
            shape(op(f"{kind[:-2]}{rank + 1}d", **other), *wider)
        assume(False)
    wide = shape(op(f"{kind[:-2]}{rank + 1}d", **other), *wider)
    assert wide.output == (*narrow.output, 1)
    assert counted(wide) == counted(narrow)
    fields_seen = [field_of(narrow), field_of(wide)]
    if None not in fields_seen:
        assert fields_seen[1].axes[:-1] == fields_seen[0].axes  # type: ignore[union-attr]  # neither is None
        assert fields_seen[1].size[-1] == 1  # type: ignore[union-attr]


def field_of(layer: ShapedLayer) -> ReceptiveField | None:
    return analyse(single_layer(layer.op, layer.inputs)).rows[-1].receptive_field


@pytest.mark.parametrize(
    ("kind", "fields", "given", "message"),
    [
        ("conv1d", {"out_channels": 1, "kernel_size": 3}, (3, 8, 8), "its input has height, width"),
        ("conv3d", {"out_channels": 1, "kernel_size": 3}, (3, 8, 8), "needs depth, height, width and channels"),
        ("conv2d", {"out_channels": 1, "kernel_size": 3}, (3, 80), "but its input has length"),
        ("max_pool3d", {"kernel_size": 2}, (12,), "but its input is flat"),
        ("upsample1d", {"mode": "bilinear"}, (3, 8), "mode: bilinear is not for maps with length"),
    ],
)  # fmt: skip
def test_an_input_of_another_rank_is_refused(kind: str, fields: dict[str, Any], given: Shape, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        shape(op(kind, **fields), given)
    assert message in caught.value.message


def test_operations_of_a_volume() -> None:
    # 8 means of 2·2·2 values: 7 additions and a division each.
    layer = shape(op("avg_pool3d", kernel_size=2), (1, 4, 4, 4))
    assert count_operations(layer).operations == Operations(additions=56, divisions=8)
