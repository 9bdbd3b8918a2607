"""Small networks of the kinds of torchvision's, and their state dicts as torchvision names and stores the arrays.

The arrays hold numbers that are made here; what PyTorch gives for them is in `OUTPUTS`, and
`tests/peers/test_state_dicts.py` compares that with PyTorch itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from archcalc.core.shapes import Shape
from archcalc.execute.kernels import Array

SPECS = {
    "convnext": """\
input: 16x16x3
blocks:
  block:
    parameters: {dim: int}
    layers:
      - branches:
          residual:
            - depthwise_conv2d: {name: d7x7, kernel_size: 7, padding: 3}
            - layer_norm: {name: norm, epsilon: 1.0e-6}
            - linear: {name: fc1, out_features: 4*dim, per_position: true}
            - gelu
            - linear: {name: fc2, out_features: dim, per_position: true}
            - scale: {name: layer_scale}
          shortcut: []
        merge: add
layers:
  - conv2d: {name: stem, out_channels: 8, kernel_size: 4, stride: 4}
  - layer_norm: {name: stem_norm, epsilon: 1.0e-6}
  - block: {name: res2_1, dim: 8}
  - block: {name: res2_2, dim: 8}
  - layer_norm: {name: down_norm, epsilon: 1.0e-6}
  - conv2d: {name: down, out_channels: 16, kernel_size: 2, stride: 2}
  - block: {name: res3_1, dim: 16}
  - block: {name: res3_2, dim: 16}
  - global_avg_pool2d
  - layer_norm: {name: norm, epsilon: 1.0e-6}
  - linear: {name: fc, out_features: 3}
""",
    "vit": """\
input: 8x8x3
layers:
  - conv2d: {name: patches, out_channels: 8, kernel_size: 4, stride: 4}
  - tokens
  - class_token: {name: class}
  - position_embedding: {name: positions}
  - transformer_encoder: {name: "encoder1", num_heads: 2}
  - transformer_encoder: {name: "encoder2", num_heads: 2}
  - layer_norm: {name: norm, epsilon: 1.0e-6}
  - narrow: {axis: length, start: 0, length: 1}
  - linear: {name: head, out_features: 3}
""",
    "swin": """\
input: 32x32x3
blocks:
  block:
    parameters: {dim: int, num_heads: int, shift: int}
    layers:
      - branches:
          attention:
            - layer_norm: {name: norm}
            - roll: {when: shift > 0, shifts: "[-shift, -shift]"}
            - multi_head_attention: {name: attention, num_heads, window_size: 4, shift_size: shift,
                                     relative_position_bias: true}
            - roll: {when: shift > 0, shifts: "[shift, shift]"}
          shortcut1: []
        merge: add
      - branches:
          mlp:
            - layer_norm: {name: norm}
            - linear: {name: fc1, out_features: 4*dim, per_position: true}
            - gelu
            - linear: {name: fc2, out_features: dim, per_position: true}
          shortcut2: []
        merge: add
layers:
  - conv2d: {name: patches, out_channels: 8, kernel_size: 4, stride: 4}
  - layer_norm: {name: patch_norm}
  - block: {name: block1, dim: 8, num_heads: 2, shift: 0}
  - block: {name: block2, dim: 8, num_heads: 2, shift: 2}
  - branches:
      - - slice2d: {step: 2}
      - - slice2d: {step: 2, start: [1, 0]}
      - - slice2d: {step: 2, start: [0, 1]}
      - - slice2d: {step: 2, start: 1}
    merge: concat
  - layer_norm: {name: merging_norm}
  - linear: {name: merging, out_features: 16, bias: false, per_position: true}
  - block: {name: block3, dim: 16, num_heads: 4, shift: 0}
  - block: {name: block4, dim: 16, num_heads: 4, shift: 0}
  - layer_norm: {name: norm}
  - global_avg_pool2d
  - linear: {name: head, out_features: 3}
""",
    "mobilenet": """\
input: 16x16x3
layers:
  - conv2d: {name: conv1, out_channels: 16, kernel_size: 3, stride: 2, padding: 1, bias: false}
  - batch_norm2d: {name: bn1, epsilon: 0.001}
  - hardswish
  - branches:
      residual:
        - depthwise_conv2d: {name: depthwise, kernel_size: 3, padding: 1, bias: false}
        - batch_norm2d: {name: bn2, epsilon: 0.001}
        - relu
        - branches:
            weights:
              - global_avg_pool2d
              - linear: {name: reduce, out_features: 8}
              - relu
              - linear: {name: expand, out_features: 16}
              - hardsigmoid
            map: []
          merge: multiply
        - conv2d: {name: project, out_channels: 16, kernel_size: 1, bias: false}
        - batch_norm2d: {name: bn3, epsilon: 0.001}
      shortcut: []
    merge: add
  - conv2d: {name: conv2, out_channels: 96, kernel_size: 1, bias: false}
  - batch_norm2d: {name: bn4, epsilon: 0.001}
  - hardswish
  - global_avg_pool2d
  - linear: {name: fc1, out_features: 12}
  - hardswish
  - linear: {name: fc2, out_features: 3}
""",
}

#: What PyTorch gives for the state dict and the input of each.
OUTPUTS: Mapping[str, tuple[float, float, float]] = {
    "convnext": (0.716402173, -0.072750539, -0.803249836),
    "vit": (0.643679500, 0.087501228, -0.815097868),
    "swin": (-0.243074462, 0.009052034, 0.458451390),
    "mobilenet": (0.267492265, -0.031774044, -0.441289306),
}


def shapes(name: str) -> dict[str, Shape]:
    """The arrays in the order of torchvision's state dict."""
    return dict(_STATE_DICTS[name]())


def values(number: int, shape: Shape) -> Array:
    """Numbers between −0.5 and 0.5 that look random."""
    steps = np.arange(1, math.prod(shape) + 1, dtype=np.float64) * (number + 2) ** 0.5
    return np.asarray(steps % 1 - 0.5, np.float32).reshape(shape)


def state_dict(name: str) -> dict[str, Array]:
    """A state dict with numbers; variances are between 0.5 and 1.5."""
    found: dict[str, Array] = {}
    for number, (key, shape) in enumerate(shapes(name).items()):
        if key.endswith("relative_position_index"):
            found[key] = np.arange(math.prod(shape))  # PyTorch's own: nothing reads them here
        elif key.endswith("num_batches_tracked"):
            found[key] = np.array(7)
        else:
            found[key] = values(number, shape) + np.float32(key.endswith("running_var"))
    return found


def image(size: int) -> Array:
    """The input: a batch of one image."""
    return 2 * values(97, (1, 3, size, size))


def _dense(name: str, *shape: int) -> Iterator[tuple[str, Shape]]:
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def _norm(name: str, channels: int) -> Iterator[tuple[str, Shape]]:
    for array in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{array}", (channels,)
    yield f"{name}.num_batches_tracked", ()


def _convnext() -> Iterator[tuple[str, Shape]]:
    yield from _dense("features.0.0", 8, 3, 4, 4)
    yield from _dense("features.0.1", 8)
    for stage, dim in ((1, 8), (3, 16)):
        if stage == 3:
            yield from _dense("features.2.0", 8)
            yield from _dense("features.2.1", 16, 8, 2, 2)
        for unit in range(2):
            yield f"features.{stage}.{unit}.layer_scale", (dim, 1, 1)
            yield from _dense(f"features.{stage}.{unit}.block.0", dim, 1, 7, 7)
            yield from _dense(f"features.{stage}.{unit}.block.2", dim)
            yield from _dense(f"features.{stage}.{unit}.block.3", 4 * dim, dim)
            yield from _dense(f"features.{stage}.{unit}.block.5", dim, 4 * dim)
    yield from _dense("classifier.0", 16)
    yield from _dense("classifier.2", 3, 16)


def _vit() -> Iterator[tuple[str, Shape]]:
    yield "class_token", (1, 1, 8)
    yield from _dense("conv_proj", 8, 3, 4, 4)
    yield "encoder.pos_embedding", (1, 5, 8)
    for unit in range(2):
        layer = f"encoder.layers.encoder_layer_{unit}"
        yield from _dense(f"{layer}.ln_1", 8)
        yield f"{layer}.self_attention.in_proj_weight", (24, 8)
        yield f"{layer}.self_attention.in_proj_bias", (24,)
        yield from _dense(f"{layer}.self_attention.out_proj", 8, 8)
        yield from _dense(f"{layer}.ln_2", 8)
        yield from _dense(f"{layer}.mlp.0", 32, 8)
        yield from _dense(f"{layer}.mlp.3", 8, 32)
    yield from _dense("encoder.ln", 8)
    yield from _dense("heads.head", 3, 8)


def _swin() -> Iterator[tuple[str, Shape]]:
    yield from _dense("features.0.0", 8, 3, 4, 4)
    yield from _dense("features.0.2", 8)
    for stage, dim, heads in ((1, 8, 2), (3, 16, 4)):
        if stage == 3:
            yield "features.2.reduction.weight", (16, 32)
            yield from _dense("features.2.norm", 32)
        for unit in range(2):
            block = f"features.{stage}.{unit}"
            yield from _dense(f"{block}.norm1", dim)
            yield f"{block}.attn.relative_position_bias_table", (49, heads)
            yield f"{block}.attn.relative_position_index", (256,)
            yield from _dense(f"{block}.attn.qkv", 3 * dim, dim)
            yield from _dense(f"{block}.attn.proj", dim, dim)
            yield from _dense(f"{block}.norm2", dim)
            yield from _dense(f"{block}.mlp.0", 4 * dim, dim)
            yield from _dense(f"{block}.mlp.3", dim, 4 * dim)
    yield from _dense("norm", 16)
    yield from _dense("head", 3, 16)


def _mobilenet() -> Iterator[tuple[str, Shape]]:
    yield "features.0.0.weight", (16, 3, 3, 3)
    yield from _norm("features.0.1", 16)
    yield "features.1.block.0.0.weight", (16, 1, 3, 3)
    yield from _norm("features.1.block.0.1", 16)
    yield from _dense("features.1.block.1.fc1", 8, 16, 1, 1)
    yield from _dense("features.1.block.1.fc2", 16, 8, 1, 1)
    yield "features.1.block.2.0.weight", (16, 16, 1, 1)
    yield from _norm("features.1.block.2.1", 16)
    yield "features.2.0.weight", (96, 16, 1, 1)
    yield from _norm("features.2.1", 96)
    yield from _dense("classifier.0", 12, 96)
    yield from _dense("classifier.3", 3, 12)


_STATE_DICTS = {"convnext": _convnext, "vit": _vit, "swin": _swin, "mobilenet": _mobilenet}
