"""State dicts of PyTorch's models, with its names and shapes: the outputs with them are PyTorch's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.execute.kernels import Array
from archcalc.execute.runner.execute import execute
from archcalc.execute.runner.files import load_weights
from archcalc.execute.runner.names import Source, Wanted, match
from archcalc.passes.analysis import analyse
from tests.execute.runner.small_state_dicts import OUTPUTS, SPECS, image, state_dict
from tests.networks import graph


def sides(name: str) -> int:
    """How large the image of a small network is."""
    return int(SPECS[name].removeprefix("input: ").partition("x")[0])


def save(path: Path, arrays: dict[str, Array]) -> Path:
    """Arrays as a file of the kind that its ending says."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's own stub takes them for a flag
    else:
        safetensors.numpy.save_file(arrays, path)
    return path


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
@pytest.mark.parametrize("name", SPECS)
def test_the_outputs_are_those_of_pytorch(name: str, ending: str, tmp_path: Path) -> None:
    network = graph(SPECS[name])
    weights = load_weights(save(tmp_path / f"w.{ending}", state_dict(name)), analyse(network))
    outputs = execute(network, image(sides(name)), weights, "im2col").outputs
    np.testing.assert_allclose(outputs["output"].reshape(-1), OUTPUTS[name], rtol=1e-4)


#: Layers, a state dict in its order, and for some arrays where they come from.
KINDS: dict[str, tuple[str, dict[str, Shape], dict[str, Source]]] = {
    "one name in common, and the order": (
        "[conv2d: {name: conv2, out_channels: 4, kernel_size: 3}, conv2d: {name: conv3, out_channels: 4, "
        "kernel_size: 3, bias: false}]",
        {"conv1.weight": (4, 4, 3, 3), "conv1.bias": (4,), "conv2.weight": (4, 4, 3, 3)},
        {"conv2.weight": Source("conv1.weight"), "conv3.weight": Source("conv2.weight")},
    ),
    "one name in common, in no order": (
        "[conv2d: {name: a, out_channels: 4, kernel_size: 3}, conv2d: {name: b, out_channels: 4, kernel_size: 3}, "
        "linear: {name: c, out_features: 2}]",
        {"last.weight": (2, 64), "last.bias": (2,), "b.weight": (4, 4, 3, 3), "b.bias": (4,),
         "x.weight": (4, 4, 3, 3), "x.bias": (4,)},
        {"a.weight": Source("x.weight"), "b.weight": Source("b.weight"), "c.bias": Source("last.bias")},
    ),
    "sides of 1": (
        "[linear: {name: a, out_features: 3, per_position: true}, scale: {name: b, bias: true}]",
        {"conv.weight": (3, 4, 1, 1), "conv.bias": (3,), "affine.weight": (1, 3, 1, 1), "affine.bias": (3, 1, 1)},
        {"a.weight": Source("conv.weight"), "b.weight": Source("affine.weight")},
    ),
    "channels last": (
        "[tokens: {}, class_token: {name: a, num_tokens: 2}, position_embedding: {name: b}]",
        {"pos_embed": (1, 66, 4), "registers": (1, 2, 4)},
        {"a.weight": Source("registers", channels_last=True), "b.weight": Source("pos_embed", channels_last=True)},
    ),
    "channels first": (
        "[tokens: {}, position_embedding: {name: a}]",
        {"pos_embed": (1, 4, 64)},
        {"a.weight": Source("pos_embed")},
    ),
    "parts of an attention layer": (
        "[tokens: {}, multi_head_attention: {name: a, num_heads: 2}]",
        {"block.0.qkv.weight": (12, 4), "block.0.qkv.bias": (12,), "block.0.proj.weight": (4, 4),
         "block.0.proj.bias": (4,)},
        {"a.in_proj_bias": Source("block.0.qkv.bias"), "a.out_proj_weight": Source("block.0.proj.weight")},
    ),
    "a weight that is normalised": (
        "[conv2d: {name: a, out_channels: 3, kernel_size: 3, weight_norm: true}]",
        {"m.bias": (3,), "m.parametrizations.weight.original0": (3, 1, 1, 1),
         "m.parametrizations.weight.original1": (3, 4, 3, 3)},
        {"a.original0": Source("m.parametrizations.weight.original0"), "a.bias": Source("m.bias")},
    ),
    "what is next to it": (
        "[conv2d: {name: a/conv, out_channels: 4, kernel_size: 3}, layer_norm: {name: a/norm}, "
        "conv2d: {name: b/conv, out_channels: 4, kernel_size: 1}, layer_norm: {name: b/norm}]",
        {"block.conv.bias": (4,), "block.conv.weight": (4, 4, 3, 3), "block.ln.bias": (4,), "block.ln.weight": (4,),
         "after.conv.bias": (4,), "after.conv.weight": (4, 4, 1, 1), "after.norm.bias": (4,),
         "after.norm.weight": (4,)},
        {"a/norm.weight": Source("block.ln.weight"), "b/norm.bias": Source("after.norm.bias")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("is_sorted", [False, True], ids=["own order", "alphabet"])
@pytest.mark.parametrize("kind", KINDS)
def test_which_array_is_taken(kind: str, is_sorted: bool, tmp_path: Path) -> None:
    items, state, expected = KINDS[kind]
    network = analyse(graph(f"input: 8x8x4\nlayers: {items}\n"))
    values = {name: np.full(shape, number, np.float32) for number, (name, shape) in enumerate(state.items())}
    ordered = dict(sorted(values.items())) if is_sorted else values
    loaded = load_weights(save(tmp_path / "w.npz", ordered), network)
    for name, source in expected.items():
        layer, _, array = name.rpartition(".")
        row = next(row for row in network.rows if row.name == layer)
        sizes = {param.name: param.shape for param in row.op.param_shapes(row.input_shapes)}
        assert (loaded.of(layer, sizes)[array] == list(state).index(source.name)).all()


@pytest.mark.parametrize("name", ["1×5×3", "3×5"])
def test_the_channels_of_positions_come_first(name: str) -> None:
    """Of a row of 5 tokens with 3 channels, PyTorch's arrays have the tokens first."""
    shape = tuple(map(int, name.split("×")))
    matched = match([("pos_embed", shape)], {"p.weight": Wanted((3, 5), "weight", any_order=True)})
    assert matched.arrays == {"p.weight": Source("pos_embed", channels_last=shape[-1] == 3)}
    assert matched.layers == {"p": "pos_embed"}


ERRORS = [
    (
        "[conv2d: {name: a, out_channels: 4, kernel_size: 3}, linear: {name: b, out_features: 3}]",
        {"a.weight": (4, 4, 3, 3), "fc.bias": (3,), "fc.weight": (3, 99)},
        r"by the names of its arrays:\n    a\.bias is missing\n    b\.weight is missing\n    b\.bias is missing\n"
        r"    fc\.bias belongs to no layer\n    fc\.weight belongs to no layer\n"
        r"  by shape and order: neither names nor shapes fit the network:\n    no array fits a: bias 4, weight 4×4×3×3",
    ),
    (
        "[tokens: {}, position_embedding: {name: a}]",
        {"pos_embed": (1, 4, 64), "other": (1, 64, 4)},
        r"ambiguous: the channels of a\.weight \(weight 4×64\) may be first or last",
    ),
    (
        "[slice2d: {step: 4}, tokens: {}, position_embedding: {name: a}]",
        {"pos_embed": (1, 4, 4)},
        r"ambiguous: the channels of a\.weight \(weight 4×4\) may be first or last",
    ),
    (
        "[slice2d: {step: 4}, tokens: {}, position_embedding: {name: a}]",
        {"pos_embed": (4, 4)},
        r"ambiguous: the channels of a\.weight \(weight 4×4\) may be first or last",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("items", "state", "message"), ERRORS)
def test_what_does_not_fit_says_why(items: str, state: dict[str, Shape], message: str, tmp_path: Path) -> None:
    network = analyse(graph(f"input: 8x8x4\nlayers: {items}\n"))
    path = save(tmp_path / "w.npz", {name: np.zeros(shape, np.float32) for name, shape in state.items()})
    with pytest.raises(UsageError, match=message):
        load_weights(path, network)
