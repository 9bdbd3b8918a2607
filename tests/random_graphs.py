"""Random legal graphs over all ops and all ranks, from a seed: branches, merges, shared weights, several inputs.

`random_graph(seed)` gives the same graph every time. The maps are small, so that a graph runs in milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from operator import gt
from random import Random
from typing import Any

from archcalc.core.errors import ShapeError
from archcalc.core.shapes import Shape
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops import OPS, Op
from archcalc.ops.axes import AxisName, axes_named
from tests.networks import op
from tests.ops.rows import ROWS
from tests.ranks import plane, rank_of

#: All that a graph is made of: inputs are its first layers, and an opaque layer is one that cannot be executed.
KINDS = sorted(set(OPS) - {"input", "opaque"})
LARGEST_MAP, MOST_CHANNELS = 500, 16
#: How often settings and inputs are drawn for an op before it is given up.
ATTEMPTS = 12

Fields = dict[str, Any]


def _flag(draw: Random) -> bool:
    return draw.random() < 0.5


def _each(draw: Random, rank: int, low: int, high: int) -> int | list[int]:
    """A number for all axes, or one for each."""
    return draw.randint(low, high) if _flag(draw) else [draw.randint(low, high) for _ in range(rank)]


def _padding(draw: Random, rank: int, words: Sequence[str] = ("same",)) -> Any:
    forms = [0, 0, 1, [draw.randint(0, 2) for _ in range(rank)], [draw.randint(0, 2) for _ in range(2 * rank)], *words]
    return draw.choice(forms)


def _divisor(draw: Random, number: int) -> int:
    return draw.choice([each for each in range(1, number + 1) if number % each == 0])


def _slides(draw: Random, rank: int) -> Fields:
    fields = {"kernel_size": _each(draw, rank, 1, 3), "padding": _padding(draw, rank)}
    return fields | ({"stride": _each(draw, rank, 1, 3)} if _flag(draw) else {"dilation": _each(draw, rank, 1, 2)})


def _conv(draw: Random, shape: Shape, rank: int) -> Fields:
    fields = _slides(draw, rank) | {"bias": _flag(draw)}
    if draw.random() < 0.15:
        rows = [sorted(draw.sample(range(shape[0]), draw.randint(1, shape[0]))) for _ in range(draw.randint(1, 4))]
        return fields | {"out_channels": len(rows), "connections": rows}
    groups = draw.choice([1, _divisor(draw, shape[0])])
    return fields | {"groups": groups, "out_channels": groups * draw.randint(1, max(1, 6 // groups))}


def _conv_transpose(draw: Random, shape: Shape, rank: int) -> Fields:
    stride, groups = draw.randint(1, 3), draw.choice([1, _divisor(draw, shape[0])])
    return {
        "kernel_size": _each(draw, rank, 1, 4), "stride": stride, "padding": _padding(draw, rank), "groups": groups,
        "output_padding": draw.randint(0, stride - 1), "out_channels": groups * draw.randint(1, 3), "bias": _flag(draw),
        "dilation": _each(draw, rank, 1, 3) if _flag(draw) else 1,
    }  # fmt: skip


def _pool(draw: Random, rank: int, **more: Any) -> Fields:
    """Of windows that may reach beyond the end PyTorch knows no padding but an equal one of up to half a window."""
    sizes = {"kernel_size": _each(draw, rank, 2, 3), "stride": _each(draw, rank, 1, 3), **more}
    if _flag(draw):
        return sizes | {"padding": draw.randint(0, 1), "ceil_mode": True}
    return sizes | {"kernel_size": _each(draw, rank, 1, 3), "padding": _padding(draw, rank)}


def _axis(draw: Random, shape: Shape) -> AxisName:
    return draw.choice(axes_named(shape))


def _reduced(draw: Random, shape: Shape, _rank: int) -> Fields:
    return {"axes": draw.sample(axes_named(shape), draw.randint(1, len(shape)))}


def _split(draw: Random, shape: Shape, _rank: int) -> Fields:
    axis = _axis(draw, shape)
    size = shape[axes_named(shape).index(axis)]
    if _flag(draw) or size == 1:
        return {"axis": axis, "sizes": draw.randint(1, size), "index": draw.randint(0, 1)}
    first = draw.randint(1, size - 1)
    return {"axis": axis, "sizes": [first, size - first], "index": draw.randint(0, 1)}


def _narrow(draw: Random, shape: Shape, _rank: int) -> Fields:
    fields: Fields = {"axis": _axis(draw, shape), "start": draw.randint(0, 2), "step": draw.randint(1, 3)}
    return fields | ({"length": draw.randint(1, 3)} if _flag(draw) else {})


def _factors(draw: Random, number: int, count: int) -> list[int]:
    found = []
    for _ in range(count - 1):
        found.append(_divisor(draw, number))
        number //= found[-1]
    return draw.sample([*found, number], count)


def _reshape(draw: Random, shape: Shape, _rank: int) -> Fields:
    return {"shape": tuple(_factors(draw, prod(shape), draw.randint(1, 4)))}


def _grid(draw: Random, shape: Shape, _rank: int) -> Fields:
    return draw.choice([{}, {"size": _factors(draw, shape[-1], draw.randint(2, 3))}])


def _interpolate(draw: Random, _shape: Shape, rank: int) -> Fields:
    mode = draw.choice(["nearest", *(), *(("linear",), ("bilinear", "bicubic"), ("trilinear",))[max(rank, 1) - 1]])
    fields: Fields = {"mode": mode}
    if mode != "nearest" and _flag(draw):
        fields["align_corners"] = True
    return fields | draw.choice(
        [{"size": _each(draw, max(rank, 1), 1, 7)}, {"scale_factor": draw.choice([1, 2, 3, 1.5])}, {}]
    )


def _border(draw: Random, _shape: Shape, rank: int) -> Fields:
    return {"padding": draw.choice([draw.randint(0, 2), [draw.randint(0, 2) for _ in range(2 * max(rank, 1))]])}


def _multi_head(draw: Random, shape: Shape, rank: int) -> Fields:
    fields: Fields = {"num_heads": _divisor(draw, shape[0]), "bias": _flag(draw)}
    if draw.random() < 0.2:
        fields["embed_dim"] = fields["num_heads"] * draw.randint(1, 3)
    if rank and _flag(draw):
        window = [_divisor(draw, size) for size in shape[1:]]
        fields |= {"window_size": window, "relative_position_bias": _flag(draw)}
        way = draw.randrange(3)
        if way == 1:
            fields["partition"] = "grid"
        elif way == 2:
            fields["shift_size"] = [draw.randint(0, side - 1) for side in window]
    elif draw.random() < 0.3:
        fields["is_causal" if rank == 1 and _flag(draw) else "relative_position_bias"] = True
    return fields


def _recurrent(draw: Random, _shape: Shape, _rank: int) -> Fields:
    return {
        "hidden_size": draw.randint(1, 4), "num_layers": draw.randint(1, 2), "bias": _flag(draw),
        "bidirectional": _flag(draw), "last": _flag(draw),
    }  # fmt: skip


def _pad_channels(draw: Random, shape: Shape, _rank: int) -> Fields:
    return draw.choice(
        [{"before": 1}, {"after": 2}, {"before": "half", "out_channels": shape[0] + 3}, {"before": 1, "after": 1}]
    )


def _affine(draw: Random, *_: Any) -> Fields:
    return {"axes": draw.choice(["channels", "all"]), "elementwise_affine": _flag(draw)}


def _linear_mode(draw: Random, rank: int) -> str:
    return draw.choice(["nearest", ("linear", "bilinear", "trilinear")[rank - 1]])


#: Settings by the kind for images, from a map's shape and its number of position axes. They need not fit.
#: Where PyTorch has no dilation, no padding, or means something else, nothing of the kind is drawn: the powers of its
#: Lp pooling have no absolute value (ONNX's have), its local response normalisation has the other half where the size
#: is even, and windows of Lp pooling that reach beyond the end are scaled up.
SETTINGS: dict[str, Callable[[Random, Shape, int], Fields]] = {
    "adaptive_avg_pool2d": lambda draw, _, rank: {"output_size": _each(draw, rank, 1, 4)},
    "adaptive_max_pool2d": lambda draw, _, rank: {"output_size": _each(draw, rank, 1, 4)},
    "add": lambda draw, *_: {"broadcast": _flag(draw)},
    "avg_pool2d": lambda draw, _, rank: _pool(draw, rank, count_include_pad=_flag(draw)),
    "amax": _reduced,
    "batch_norm2d": lambda draw, *_: {"scale": _flag(draw), "shift": _flag(draw)},
    "channel_shuffle": lambda draw, shape, _: {"groups": _divisor(draw, shape[0])},
    "chunk": lambda draw, shape, _: {
        "axis": _axis(draw, shape), "chunks": draw.randint(1, 3), "index": draw.randint(0, 2)
    },
    "circular_pad": _border,
    "class_token": lambda draw, *_: {"num_tokens": draw.randint(1, 2)},
    "concat": lambda draw, shape, _: {"axis": _axis(draw, shape)},
    "conv2d": _conv,
    "conv_transpose2d": _conv_transpose,
    "crop2d": lambda draw, _, rank: {} if _flag(draw) else {"margins": _padding(draw, rank, ())},
    "depthwise_conv2d": lambda draw, _, rank: _slides(draw, rank) | {
        "depth_multiplier": draw.randint(1, 2), "bias": _flag(draw)
    },
    "elu": lambda draw, *_: {"alpha": draw.choice([1.0, 0.5])},
    "embedding": lambda draw, *_: {"num_embeddings": draw.randint(5, 8), "embedding_dim": draw.randint(1, 4)},
    "gelu": lambda draw, *_: {"approximate": draw.choice(["none", "tanh"])},
    "grid": _grid,
    "group_norm": lambda draw, shape, _: {"num_groups": _divisor(draw, shape[0]), "affine": _flag(draw)},
    "gru": _recurrent,
    "instance_norm": lambda draw, *_: {"affine": _flag(draw)},
    "interpolate": _interpolate,
    "layer_norm": _affine,
    "leaky_relu": lambda draw, *_: {"negative_slope": draw.choice([0.01, 0.2])},
    "linear": lambda draw, *_: {
        "out_features": draw.randint(1, 6), "bias": _flag(draw), "per_position": _flag(draw)
    },
    "local_response_norm": lambda draw, *_: {"size": draw.choice([1, 3, 5])},
    "locally_connected2d": lambda draw, _, rank: _slides(draw, rank) | {
        "out_channels": draw.randint(1, 4), "bias": _flag(draw)
    },
    "lp_pool2d": lambda draw, _, rank: {
        "kernel_size": _each(draw, rank, 1, 3), "stride": _each(draw, rank, 1, 3), "norm_type": draw.choice([2, 4])
    },
    "lstm": _recurrent,
    "matmul": lambda draw, *_: {"transpose_first": _flag(draw), "transpose_second": _flag(draw)},
    "max_pool2d": lambda draw, _, rank: _pool(draw, rank, dilation=_each(draw, rank, 1, 2)),
    "mean": _reduced,
    "multi_head_attention": _multi_head,
    "multiply": lambda draw, *_: {"factor": draw.choice([1.0, 0.5]), "broadcast": _flag(draw)},
    "narrow": _narrow,
    "pad_channels": _pad_channels,
    "parameter": lambda draw, shape, _: {"shape": shape},
    "permute": lambda draw, shape, _: {"dims": draw.sample(axes_named(shape), len(shape))},
    "pixel_shuffle": lambda draw, *_: {"upscale_factor": draw.choice([1, 2, 2, 3])},
    "pixel_unshuffle": lambda draw, *_: {"downscale_factor": draw.choice([1, 2, 2, 3])},
    "prelu": lambda draw, shape, _: {"num_parameters": draw.choice([1, shape[0]])},
    "rbf": lambda draw, *_: {"out_features": draw.randint(1, 5)},
    "reflection_pad": _border,
    "replication_pad": _border,
    "reshape": _reshape,
    "rms_norm": _affine,
    "rnn": lambda draw, *_: _recurrent(draw, (), 1) | {"nonlinearity": draw.choice(["tanh", "relu"])},
    "roll": lambda draw, _, rank: {"shifts": _each(draw, max(rank, 1), -2, 3)},
    "scale": lambda draw, *_: {"bias": _flag(draw)},
    "scaled_dot_product_attention": lambda draw, shape, _: {
        "num_heads": _divisor(draw, shape[0]), "is_causal": _flag(draw)
    } | draw.choice([{}, {"scale": 0.4}]),
    "slice2d": lambda draw, _, rank: {"step": _each(draw, rank, 1, 3), "start": _each(draw, rank, 0, 1)},
    "split": _split,
    "subsampling2d": lambda draw, _, rank: {
        "kernel_size": _each(draw, rank, 1, 3), "stride": _each(draw, rank, 1, 3)
    },
    "transpose": lambda draw, shape, _: {"dims": [_axis(draw, shape), _axis(draw, shape)]},
    "upsample2d": lambda draw, _, rank: {"scale": _each(draw, rank, 1, 3), "mode": _linear_mode(draw, rank)},
    "zero_pad2d": lambda draw, _, rank: {"padding": _padding(draw, rank, ())},
}  # fmt: skip


#: Settings of all other ops: those of the table of rows.
_ROWS = {kind: [row.fields for row in ROWS if row.kind == kind] or [{}] for kind in KINDS}


class _Builder:
    """A graph while it grows: its layers and the shapes of their maps."""

    def __init__(self, draw: Random, kinds: Sequence[str]) -> None:
        self.draw = draw
        self.kinds = kinds
        self.layers: list[Layer] = []
        self.shapes: list[Shape] = []

    def add(self, layer: Op, sources: Sequence[int], shape: Shape, weights_of: int | None = None) -> int:
        self.layers.append(Layer(f"{layer.kind}_{len(self.layers)}", layer, tuple(sources), weights_of))
        self.shapes.append(shape)
        return len(self.layers) - 1

    def inputs(self, rank: int) -> None:
        """One to three, most of them of one shape."""
        first = self.shape(rank)
        for index in range(self.draw.choice([1, 1, 1, 2, 3])):
            shape = first if index == 0 or _flag(self.draw) else self.shape(self.draw.randint(0, 3))
            self.add(op("input", shape=shape), (), shape)

    def shape(self, rank: int) -> Shape:
        high = (1, 12, 7, 5)[rank]
        return (self.draw.choice([1, 2, 3, 4, 4, 6, 8]), *(self.draw.randint(1, high) for _ in range(rank)))

    def sources(self, kind: str) -> list[int]:
        """Maps for an op to read; they need not fit."""
        rank = rank_of(kind)
        fits = [index for index, shape in enumerate(self.shapes) if rank is None or len(shape) - 1 == rank]
        if not fits:
            return []
        # Mostly what is new, so that graphs grow deep.
        first = self.draw.choice(fits[-3:] if self.draw.random() < 0.7 else fits)
        cls = OPS[kind]
        most = cls.most_inputs if cls.most_inputs is not None else 3
        count = self.draw.randint(max(cls.fewest_inputs, 1), max(most, 1))
        same = [index for index in fits if self.shapes[index] == self.shapes[first]]
        others = [self.draw.choice(same if _flag(self.draw) else range(len(self.shapes))) for _ in range(count - 1)]
        if kind == "divide":  # by what is never 0
            others = [self.draw.choice([index for index, layer in enumerate(self.layers) if layer.op.is_input])]
        return [first, *others]

    def fits(self, layer: Op, sources: Sequence[int]) -> Shape | None:
        """The shape of the op's map, or None where it does not fit or is too large."""
        inputs = [self.shapes[source] for source in sources]
        try:
            final = layer.resolve(inputs)
            final.check(inputs)
            shape = final.output_shape(inputs)
        except ShapeError:
            return None
        if layer.kind == "instance_norm" and prod(inputs[0][1:]) == 1:
            return None  # the deviation of one value is 0; PyTorch refuses it
        if layer.kind == "local_response_norm" and len(inputs[0]) == 1:
            return None  # PyTorch has it for maps with positions alone
        if layer.kind == "avg_pool3d" and any(map(gt, layer.kernel_size, inputs[0][1:])):  # type: ignore[attr-defined]
            return None  # PyTorch refuses it for volumes
        return shape if prod(shape) <= LARGEST_MAP and shape[0] <= MOST_CHANNELS * 4 else None

    def grow(self) -> bool:
        """A layer more; False where none was found."""
        kind = self.draw.choice(self.kinds)
        for _ in range(ATTEMPTS):
            if plane(kind) == "max_unpool2d":
                if self.unpool(kind):
                    return True
                continue
            sources = self.sources(kind)
            if not sources:
                return False
            shape = self.shapes[sources[0]]
            make = SETTINGS.get(plane(kind))
            fields = make(self.draw, shape, len(shape) - 1) if make else dict(self.draw.choice(_ROWS[kind]))
            if kind == "multi_head_attention" and len(sources) > 1:
                fields |= {"kdim": self.shapes[sources[1]][0], "vdim": self.shapes[sources[-1]][0], "embed_dim": None}
            layer = op(kind, **fields)
            reads = sources if OPS[kind].most_inputs != 0 else []
            found = self.fits(layer, reads)
            if found is not None:
                self.add(layer, reads, found)
                return True
        return False

    def unpool(self, kind: str) -> bool:
        """A max pool and its undoing."""
        pool = f"max_pool{rank_of(kind)}d"
        sources = self.sources(pool)
        if not sources:
            return False
        (source,) = sources
        fields = {"kernel_size": self.draw.randint(1, 3), "stride": self.draw.randint(1, 3)}
        pooled = self.fits(op(pool, **fields), [source])
        if pooled is None:
            return False
        small = self.add(op(pool, **fields), [source], pooled)
        undo = op(kind, **fields)
        # Without the map that was pooled, the places are those in a map of the same size.
        reads = [small, small] if self.fits(undo, [small, small]) == self.shapes[source] else [small, small, source]
        found = self.fits(undo, reads)
        if found is not None:
            self.add(undo, reads, found)
        return found is not None

    def share(self) -> bool:
        """A layer again, with the same weights, on a map for which they fit."""
        owners = [index for index, layer in enumerate(self.layers) if layer.op.may_have_arrays and layer.inputs]
        owners = [index for index in owners if self.layers[index].weights_of is None]
        if not owners:
            return False
        owner = self.draw.choice(owners)
        layer = self.layers[owner]
        read = [self.shapes[each] for each in layer.inputs]
        for source in self.draw.sample(range(len(self.shapes)), len(self.shapes)):
            reads = [source, *layer.inputs[1:]]
            found = self.fits(layer.op, reads)
            inputs = [self.shapes[each] for each in reads]
            if found is None:
                continue
            arrays = layer.op.resolve(read).param_shapes(read)
            if arrays and layer.op.resolve(inputs).param_shapes(inputs) == arrays:
                self.add(layer.op, reads, found, owner)
                return True
        return False


def random_graph(seed: int, largest: int = 10, kinds: Sequence[str] = KINDS) -> LayerGraph:
    """A graph of inputs and up to `largest` further layers of these kinds; every map that nothing reads is an output.

    The number of position axes of the first input is seed modulo 4.
    """
    draw = Random(seed)
    made = _Builder(draw, kinds)
    made.inputs(seed % 4)
    inputs, wanted = len(made.layers), draw.randint(1, largest)
    while len(made.layers) - inputs < wanted:
        if draw.random() < 0.12 and made.share():
            continue
        made.grow()
    read = {source for layer in made.layers for source in layer.inputs}
    ends = [index for index in range(len(made.layers)) if index not in read]
    extra = [index for index in read if draw.random() < 0.1]
    outputs = tuple(Output(f"out{index}", index) for index in sorted({*ends, *extra}))
    return LayerGraph(f"random{seed}", tuple(made.layers), outputs)


def in_words(graph: LayerGraph) -> str:
    """The layers of a graph with their settings and what they read, for the message of a failing test."""
    return "\n".join(
        f"{index}: {layer.op!r} {list(layer.inputs)}" + ("" if layer.weights_of is None else f" @{layer.weights_of}")
        for index, layer in enumerate(graph)
    )
