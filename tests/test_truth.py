"""Every network of the catalogue equals a real implementation: its totals, and each layer that computes something.

The tables in `tests/truth` say what the implementations build; its README says where they come from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import prod

import pytest

import archcalc
from archcalc import Analysis, Row
from archcalc.core.shapes import Shape, parse_image_shape
from archcalc.ops.conv import Conv, ConvTranspose
from archcalc.ops.dense import Linear
from archcalc.ops.margins import ZeroPad
from archcalc.ops.norm import BatchNorm, LocalResponseNorm
from archcalc.ops.pool import AvgPool, MaxPool
from archcalc.ops.sample_norm import LayerNorm
from archcalc.ops.whole_pool import AdaptiveAvgPool
from archcalc.ops.windowed import Sides, Windowed
from archcalc.spec.catalogue import names
from tests.tables import read_catalogue, read_layers, table_names
from tests.tiers import slow_but

FAMILIES = ("convolution", "dense", "pooling", "normalisation", "attention", "recurrent")

#: A layer as the tables write it: column → text.
Layer = dict[str, str]


#: The columns that a table may leave out where they would be empty.
COLUMNS = (
    "layer", "op", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "input", "output", "params",
    "multiplications", "ceil_mode", "count_include_pad", "epsilon", "size", "alpha", "beta", "k",
)  # fmt: skip


def read_table(name: str) -> list[Layer]:
    rows = read_layers(name)
    assert rows, name
    assert set(rows[0]) <= set(COLUMNS), name
    return [dict.fromkeys(COLUMNS, "") | row for row in rows]


CATALOGUE = read_catalogue()
#: One network of each kind; the slow tier compares all of them.
QUICK = (
    "lenet5@1998", "alexnet", "vgg16@bn", "googlenet", "inception_v2", "resnet18", "mobilenet@keras", "xception",
    "unet", "squeezenet1_1", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x1_0", "regnet_x_800mf",
    "se_resnet50", "resnet50_v2", "convnext_tiny", "vit_b_32", "swin_t", "mixer_s_16", "bert_base", "yolov3_tiny",
    "fcn8s", "dcgan_generator", "espcn", "m5", "c3d", "r2plus1d_18",
)  # fmt: skip


def label(expected: Layer) -> str:
    return " ".join(filter(None, (expected[column] for column in ("network", "settings", "resized"))))


@lru_cache(maxsize=1)
def analysis_of(network: str, settings: str = "", resized: str = "") -> Analysis:
    values = {name: float(value) for name, value in (pair.split("=") for pair in settings.split())}
    return archcalc.analyse(archcalc.load(network, values, parse_image_shape(resized) if resized else None))


# --- our layers, written as the tables write them


def times(sizes: Iterable[int]) -> str:
    return "x".join(map(str, sizes))


def window_of(row: Row, analysis: Analysis) -> Layer:
    """Window, stride and padding; zeros that a layer of its own adds before are padding too."""
    op = row.op
    if isinstance(op, ConvTranspose):
        assert not isinstance(op.padding, str)
        padding: tuple[int, ...] = op.padding
        dilation: tuple[int, ...] = (1,) * op.rank
    elif isinstance(op, Windowed):
        axes = [op.axis(row.input_shapes[0], index) for index in range(op.rank)]
        padding = (*(axis.before for axis in axes), *(axis.after for axis in axes))
        dilation = op.dilation
    else:
        return {}
    shape = row.input_shapes[0]
    source = analysis[row.inputs[0]]
    if isinstance(source.op, ZeroPad) and isinstance(source.op.padding, Sides):
        padding = tuple(own + zeros for own, zeros in zip(padding, source.op.padding, strict=True))
        shape = source.input_shapes[0]
    return {
        "kernel_size": times(op.kernel_size),
        "stride": times(op.stride),
        "padding": " ".join(map(str, padding)),
        "dilation": times(dilation),
        "input": times(shape),
    }


def settings_of(row: Row) -> Layer:
    op = row.op
    match op:
        case Conv() | ConvTranspose():
            found: dict[str, float] = {"groups": op.groups, "bias": op.bias}
        case Linear():
            found = {"bias": op.bias}
        case AvgPool():
            found = {"ceil_mode": op.ceil_mode, "count_include_pad": op.count_include_pad}
        case MaxPool():
            found = {"ceil_mode": op.ceil_mode}
        case BatchNorm() | LayerNorm():
            found = {"epsilon": op.epsilon}
        case LocalResponseNorm():
            found = {"size": op.size, "alpha": op.alpha, "beta": op.beta, "k": op.k}
        case AdaptiveAvgPool() if op.output_size == (1,) * op.rank:
            return {"op": f"global_avg_pool{op.rank}d"}
        case _:
            found = {}
    return {name: f"{float(value):g}" for name, value in found.items()}


def our_layers(analysis: Analysis) -> Iterator[Layer]:
    for row in analysis.rows:
        # The tables leave out what only multiplies by a number.
        if (row.op.family in FAMILIES and row.op.kind != "rescale") or row.op.kind == "embedding":
            counts = {"params": str(row.params), "multiplications": str(row.multiplications)}
            shapes = {"input": times(row.input_shapes[0]), "output": times(row.output_shape)}
            yield {"op": row.op.kind, **shapes, **counts, **window_of(row, analysis), **settings_of(row)}


# --- what is the same layer, written in two ways


def sizes(text: str) -> Shape:
    return tuple(int(size) for size in text.split("x"))


def flat(shape: Shape) -> Shape:
    """A map of one position is the same as a flat one."""
    return shape[:1] if prod(shape[1:]) == 1 else shape


def tiles(layer: Layer) -> bool:
    """Whether the windows end exactly at the edge, so that rounding up or down is the same."""
    kernel, stride, padding = sizes(layer["kernel_size"]), sizes(layer["stride"]), layer["padding"].split()
    rank = len(kernel)
    padded = [
        size + int(before) + int(after)
        for size, before, after in zip(sizes(layer["input"])[1:], padding[:rank], padding[rank:], strict=True)
    ]
    return all((size - window) % step == 0 for size, window, step in zip(padded, kernel, stride, strict=True))


def canonical(layers: Iterable[Layer]) -> Iterator[Layer]:
    """The layers without the differences that change nothing."""
    for layer in layers:
        source, output, op = sizes(layer["input"]), sizes(layer["output"]), layer["op"]
        result = {**layer, "output": times(flat(output))}
        if op.startswith("adaptive_avg_pool") and source == output:
            continue  # an average over single values
        if op in ("linear", "rbf"):
            result["input"] = str(prod(source))  # flattened by a layer before or by itself
        if op.startswith("conv") and prod(source[1:]) == prod(sizes(layer["kernel_size"])) == int(layer["groups"]) == 1:
            # A convolution of one position is a dense layer.
            counts = {column: layer[column] for column in ("output", "params", "multiplications", "bias")}
            result = {**counts, "op": "linear", "input": str(prod(source)), "output": result["output"]}
        if op.startswith(("max_pool", "avg_pool")):
            padded = set(layer["padding"].split()) != {"0"}
            if not padded:
                result["count_include_pad"] = ""
            if tiles(layer):
                result["ceil_mode"] = ""
            if op.startswith("avg_pool") and sizes(layer["kernel_size"]) == source[1:] and not padded:
                result["op"] = f"global_{op}"
        if result["op"].startswith("global_avg_pool"):
            result = {column: result[column] for column in ("op", "input", "output", "params", "multiplications")}
        yield result


def compared(
    ours: Sequence[Layer], theirs: Sequence[Layer], left_out: Sequence[str]
) -> tuple[list[tuple[str, ...]], ...]:
    """Both lists with the columns that the table fills for an op, each cell as column=value."""
    filled: dict[str, set[str]] = {}
    for layer in theirs:
        columns = {column for column, value in layer.items() if value and column not in ("layer", *left_out)}
        filled.setdefault(layer["op"], set()).update(columns)
    return tuple(
        [
            tuple(f"{column}={layer.get(column, '')}" for column in sorted(filled.get(layer["op"], {"op"})))
            for layer in layers
        ]
        for layers in (ours, theirs)
    )


# --- the tests


@pytest.mark.parametrize("expected", slow_but([row for row in CATALOGUE if label(row) in QUICK], CATALOGUE), ids=label)
def test_totals_and_layers_equal_the_implementation(expected: Layer) -> None:
    analysis = analysis_of(expected["network"], expected["settings"], expected["resized"])
    totals = analysis.totals
    assert times(analysis.graph.input_shape) == expected["input"]
    assert totals.params == int(expected["params"])
    assert totals.trainable_params == int(expected["trainable_params"])
    if expected["buffers"]:
        assert totals.buffers == int(expected["buffers"])
    assert totals.multiplications == int(expected["multiplications"])
    ours, theirs = compared(
        list(canonical(our_layers(analysis))),
        list(canonical(read_table(expected["layers"]))),
        expected["not_compared"].split(),
    )
    if all(row.inputs == (before.name,) for before, row in pairwise(analysis.rows)):
        assert ours == theirs
    else:
        # Implementations run branches in orders of their own.
        assert Counter(ours) - Counter(theirs) == Counter()
        assert Counter(theirs) - Counter(ours) == Counter()


def test_every_table_is_used() -> None:
    assert table_names() == {row["layers"] for row in CATALOGUE}


#: Nothing here holds these networks: no implementation of them was at hand when the tables were made.
WITHOUT_TABLE = {"plain18", "plain34", "deconvnet", "unet@padded", "unet@released"}


def test_every_network_of_the_catalogue_has_a_table() -> None:
    known = {name for name in names() if not name.startswith("blocks/")}
    assert known - {row["network"] for row in CATALOGUE} == WITHOUT_TABLE
    assert {*QUICK} <= {*map(label, CATALOGUE)}


def test_vgg16_stores_the_values_of_the_cs231n_table() -> None:
    assert analysis_of("vgg16").totals.activations == 15_237_608


@pytest.mark.parametrize(
    ("network", "layer", "size", "stride"),
    [
        ("alexnet", "pool1", 19, 8),
        ("alexnet", "pool2", 67, 16),
        ("alexnet", "pool5", 195, 32),
        ("vgg16", "pool5", 212, 32),
    ],
)
def test_receptive_fields_have_the_known_sizes(network: str, layer: str, size: int, stride: int) -> None:
    field = analysis_of(network)[layer].receptive_field
    assert field is not None
    for axis in (field.axes[0], field.axes[1]):
        assert (axis.size, axis.stride) == (size, stride)


@pytest.mark.parametrize(
    ("settings", "resized", "params", "multiplications"),
    [
        # keras 3.15.1, keras.applications.MobileNet: the sum over its layers of kernel·depth·filters·positions.
        ("", "97x97x3", 4_231_976, 105_608_832),
        ("alpha=0.125", "", 186_480, 12_085_568),
    ],
)
def test_mobilenet_of_keras_at_odd_sizes_and_small_widths(
    settings: str, resized: str, params: int, multiplications: int
) -> None:
    totals = analysis_of("mobilenet@keras", settings, resized).totals
    assert (totals.params, totals.multiplications) == (params, multiplications)
