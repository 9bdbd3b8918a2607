"""What a derivation says in words: the heading of a layer, and what its numbers count."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.core.shapes import Shape, format_shape
from archcalc.ops.base import Op, by

#: What an array has its values for, by the family of the op.
EACH = {"convolution": "filter", "dense": "neuron", "normalisation": "channel", "pooling": "channel"}
_ARRAYS = {"running_mean": "running mean", "running_var": "running variance", "centers": "code value"}
_PLURALS = {"bias": "biases", "running mean": "running means", "running variance": "running variances"}
#: What sets a kind of convolution apart.
_MANNERS = {"conv_transpose2d": ", transposed", "locally_connected2d": " at every position"}
FIELD_NOTES = ("positions see alike only in turns", "what its inputs see together")


def array_name(name: str) -> str:
    return _ARRAYS.get(name, name.replace("_", " "))


def several(count: int, noun: str) -> str:
    """1 bias, 96 biases, 363 weights."""
    return f"{count:,} {noun if count == 1 else _PLURALS.get(noun, noun + 's')}"


def listed(parts: Sequence[str]) -> str:
    """a, b and c"""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def size(count: int) -> str:
    """Bytes in KiB, MiB or GiB with three digits, where there are more than a thousand."""
    if count < 1000:
        return ""
    value, units = float(count) / 1024, ["GiB", "MiB", "KiB"]
    while value >= 1000 and len(units) > 1:
        value /= 1024
        units.pop()
    unit = units[-1]
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{digits}f} {unit}"


def times(part: int, whole: int) -> str:
    """7.1 times; exactly where it is whole. Rounded half up, without floats."""
    if part % whole == 0:
        return "as many as" if part == whole else f"{part // whole:,} times"
    tenths = (20 * part + whole) // (2 * whole)
    return f"about {tenths // 10:,}.{tenths % 10} times"


def heading(name: str, op: Op, inputs: Sequence[Shape], output: Shape) -> str:
    """conv1: 96 filters of 11×11×3, stride 4, no padding; input 227×227×3"""
    if not inputs:
        return f"{name}: the input, {format_shape(output)}"
    parts = [_what(op, inputs), *settings(op)]
    given = [format_shape(shape) for shape in inputs]
    word = "input" if len(inputs) == 1 else "inputs"
    if len(given) > 2 and len(set(given)) == 1:
        given = [f"{len(given)} of {given[0]}"]
    return f"{name}: {', '.join(part for part in parts if part)}; {word} {listed(given)}"


def _what(op: Op, inputs: Sequence[Shape]) -> str:
    filters, kernel = getattr(op, "out_channels", None), getattr(op, "kernel_size", None)
    if filters is None or kernel is None:
        features = getattr(op, "out_features", None)
        if features is not None:
            return f"{several(features, 'neuron')} of {several(int(_volume(inputs[0])), 'input')}"
        return op.summary().partition(",")[0] if kernel is not None else op.summary()
    depth = inputs[0][0] // getattr(op, "groups", 1)
    if getattr(op, "connections", None) is not None:
        return f"{several(filters, 'filter')} of {by(kernel)} with a connection table"
    manner = _MANNERS.get(op.kind, "")
    return f"{several(filters, 'filter')} of {by(kernel)}×{depth}{manner}"


def _volume(shape: Shape) -> int:
    volume = 1
    for side in shape:
        volume *= side
    return volume


def settings(op: Op) -> list[str]:
    kernel, stride, padding = (getattr(op, name, None) for name in ("kernel_size", "stride", "padding"))
    if kernel is None:
        return []
    parts = []
    if stride is not None:
        parts.append(f"stride {stride[0] if stride[0] == stride[1] else by(stride)}")
    dilation = getattr(op, "dilation", (1, 1))
    if dilation != (1, 1):
        parts.append(f"dilation {dilation[0] if dilation[0] == dilation[1] else by(dilation)}")
    if padding is not None:
        parts.append(_padding(padding))
    groups = getattr(op, "groups", 1)
    if groups != 1:
        parts.append("depthwise" if groups == getattr(op, "out_channels", 0) else f"{groups} groups")
    if getattr(op, "ceil_mode", False):
        parts.append("rounded up")
    if getattr(op, "bias", True) is False:
        parts.append("no bias")
    return parts


def _padding(padding: str | Sequence[int]) -> str:
    if isinstance(padding, str):
        return f"padding {padding}"
    if not any(padding):
        return "no padding"
    if len(set(padding)) == 1:
        return f"padding {padding[0]}"
    if len(padding) == 4 and padding[:2] != padding[2:]:
        names = ("top", "left", "bottom", "right")
        return "padding " + ", ".join(f"{side} {value}" for side, value in zip(names, padding, strict=True))
    return f"padding {padding[0]}×{padding[1]}"
