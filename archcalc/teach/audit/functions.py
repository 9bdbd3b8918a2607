"""What claims can ask for: quantities of networks and layers, and the rules by themselves.

A function reads an `Analysis` or calls a rule; no formula stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from archcalc.core.conventions import BYTES
from archcalc.core.errors import SpecError, UsageError
from archcalc.core.numbers import product
from archcalc.core.shapes import AXES, LARGEST_SIZE, Shape, format_shape
from archcalc.core.suggest import did_you_mean
from archcalc.ops import OPS, rules
from archcalc.ops.base import Param
from archcalc.ops.windowed import Windowed
from archcalc.passes.analysis import Analysis, Row
from archcalc.passes.axis_field import AxisField
from archcalc.passes.no_field import in_words
from archcalc.passes.shapes import infer_shapes
from archcalc.spec.catalogue import entries, key_of, load, names
from archcalc.spec.evaluate import FUNCTIONS
from archcalc.spec.single import make_op
from archcalc.teach.audit.networks import NetworkReference, Networks, rows_of

#: Quantities that add up over the layers of a network or a block.
COUNTS = (
    "params", "weights", "biases", "multiplications", "activations", "activation_bytes", "param_bytes",
)  # fmt: skip
#: Quantities of one layer, and of a block those of its last layer; of a network those of its input or output.
SINGLE = (
    "output_shape", "input_shape", "length", "height", "width", "channels", "weights_shape", "receptive_field",
    "receptive_field_stride", "x_col", "w_row", "product_shape",
)  # fmt: skip
#: Settings of a layer, by their names in specs.
SETTINGS = ("kernel_size", "stride", "padding", "groups", "out_channels", "dilation")
#: Facts of a network.
FACTS = ("depth", "year", "venue", "top1_accuracy", "top5_accuracy", "top1_error", "top5_error")
#: What a claim may name as its quantity.
QUANTITIES = (*COUNTS, *SINGLE, *SETTINGS, *FACTS)
#: Figures that others measured: no figure of the specs can refute one.
MEASURED = FACTS[3:]

#: Facts of data sets that are cut once and for all; the large ones are counted in several ways.
DATASETS: dict[str, dict[str, Any]] = {
    "mnist": {"image": [28, 28], "training": 60_000, "test": 10_000, "classes": 10},
    "cifar10": {"image": [32, 32], "training": 50_000, "test": 10_000, "classes": 10},
    "cifar100": {"image": [32, 32], "training": 50_000, "test": 10_000, "classes": 100},
    "stl10": {"image": [96, 96], "training": 5_000, "test": 8_000, "classes": 10},
}


def page(shape: Shape) -> list[int]:
    """A shape in the order of the page, channels last: H×W×C."""
    return [*shape[1:], shape[0]]


class Reader:
    """The functions, reading from one set of networks."""

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        own: dict[str, Callable[..., Any]] = {
            "count": self.count, "reported": self.reported, "fits": self.fits, "setting": self.setting,
            "dataset": dataset, "output_size": output_size, "exact_output_size": exact_output_size,
            "leftover": leftover, "same_padding": rules.same_padding, "dilated_window": rules.dilated_window,
            "reads": self.reads, "conv_params": conv_params, "conv_weights": conv_weights,
            "bytes_of": bytes_of, "product": product,
        }  # fmt: skip
        self.functions: dict[str, Callable[..., Any]] = {
            **FUNCTIONS,
            **own,
            **{name: self._quantity(name) for name in QUANTITIES},
        }

    def analysis(self, network: Any) -> Analysis:
        if not isinstance(network, (str, NetworkReference)):
            raise UsageError("a function of networks takes the name of one in quotes: params('vgg16')")
        return self.networks.analysis(network)

    def _quantity(self, name: str) -> Callable[..., Any]:
        def function(network: Any, layer: str | None = None) -> Any:
            return self.quantity(name, network, layer)

        return function

    def quantity(self, name: str, network: Any, layer: str | None = None) -> Any:
        """A quantity of a network, of a block or of a layer. Raises `UsageError` where there is none."""
        analysis = self.analysis(network)
        if name in FACTS:
            if layer is not None:
                raise UsageError(f"{name} is of a network, not of a layer")
            return self._fact(analysis, name)
        rows = rows_of(analysis, layer)
        self.networks.spend(len(rows))
        if name in COUNTS:
            return sum(_count(row, name, analysis) for row in rows)
        if name in SETTINGS:
            if layer is None:
                raise UsageError(f"{name} is of a layer; which?")
            return _setting(rows[-1], name)
        return _single(rows if layer is not None else analysis.rows[-1:], name, analysis, layer is None)

    def _fact(self, analysis: Analysis, name: str) -> Any:
        graph = analysis.graph
        if name in MEASURED:
            return self.reported_of(analysis, name)
        found = {
            "depth": analysis.depth,
            "year": graph.year,
            "venue": graph.paper.venue if graph.paper else None,
        }[name]
        if found is None:
            raise UsageError(f"the spec of {graph.name} does not give its {name}")
        return found

    def reported_of(self, analysis: Analysis, name: str) -> list[Fraction]:
        """Reported figures of this kind; an accuracy also where the error was reported, and the other way round."""
        which, _, what = name.partition("_")
        found: list[Fraction] = []
        for figure in _reported(analysis):
            accuracy = figure.accuracy if figure.quantity.startswith(which + "_") else None
            if accuracy is not None:
                value = Fraction(str(accuracy))
                found.append(value if what == "accuracy" else 100 - value)
        return list(dict.fromkeys(found))

    def reported(self, network: Any, name: str) -> Any:
        """The first figure that was reported for a network."""
        if name not in MEASURED:
            raise UsageError(f"there is no reported {name!r}{did_you_mean(str(name), MEASURED)}")
        analysis = self.analysis(network)
        figures = self.reported_of(analysis, name)
        if not figures:
            raise UsageError(f"the spec of {analysis.graph.name} reports no {name}")
        return figures[0]

    def count(self, network: Any, kind: str, *where: Any) -> int:
        """Layers of a kind; then, in any order, a kernel size and a block or layer that they lie in."""
        return len(self.counted(network, kind, *where))

    def counted(self, network: Any, kind: str, *where: Any) -> list[Row]:
        """The layers that `count` counts."""
        if kind not in OPS:
            raise UsageError(f"there is no op {str(kind)[:60]!r}{did_you_mean(str(kind), OPS)}")
        block = next((part for part in where if isinstance(part, str)), None)
        size = next((part for part in where if isinstance(part, int)), None)
        rows = rows_of(self.analysis(network), block)
        return [
            row
            for row in rows
            if row.op.kind == kind and (size is None or set(getattr(row.op, "kernel_size", ())) == {size})
        ]

    def fits(self, network: Any) -> bool:
        """Whether every window tiles its input."""
        try:
            analysis = self.analysis(network)
        except SpecError:
            return False
        return not infer_shapes(analysis.graph, strict=True).problems

    def setting(self, network: Any, layer: str, name: str) -> Any:
        """Any setting of a layer by its name in specs."""
        return _setting(rows_of(self.analysis(network), layer)[-1], name)

    def reads(self, network: Any, layer: str, position: int, axis: str | None = None) -> list[int]:
        """First and last row of the input that a row of a layer's output sees, from 0; or along another axis."""
        _whole(position)
        field = rows_of(self.analysis(network), layer)[-1].receptive_field
        axes = {} if field is None else dict(zip(AXES[len(field.axes)], field, strict=True))
        axis = next(iter(axes), "height") if axis is None else axis
        if axis not in axes or position >= axes[axis].positions:
            raise UsageError(f"{layer} has no position {position} along {str(axis)[:60]!r}")
        return list(axes[axis].span(position) or ())


def _reported(analysis: Analysis) -> Iterator[Any]:
    """What was reported for a network, then for its variants: people mean any of them by its name."""
    yield from analysis.graph.reported
    name = analysis.graph.name
    for other in names() if "@" not in name and key_of(name) in entries() else ():
        if other.startswith(f"{name}@"):
            yield from load(other).reported


def _params(row: Row) -> tuple[Param, ...]:
    return tuple(param for param in row.op.param_shapes(row.input_shapes) if not param.buffer)


def _count(row: Row, name: str, analysis: Analysis) -> int:
    if name == "param_bytes":
        return row.params * BYTES[analysis.dtype]
    value = getattr(row, name)
    if value is None:
        raise UsageError(f"{name} of {row.name} is not known: {row.op.summary()} cannot be counted")
    return int(value)


def _single(rows: Any, name: str, analysis: Analysis, is_network: bool) -> Any:
    first, last = (analysis.rows[0], rows[-1]) if is_network else (rows[0], rows[-1])
    if name == "input_shape":
        shape = first.input_shapes[0] if first.input_shapes else first.output_shape
        return page(shape)
    if name in ("length", "height", "width", "channels"):
        sides = dict(zip(("channels", *AXES[len(last.output_shape) - 1]), last.output_shape, strict=True))
        if name not in sides:
            shape = format_shape(last.output_shape) if len(last.output_shape) > 1 else "flat"
            raise UsageError(f"the output of {last.name} is {shape} and has no {name}")
        return sides[name]
    if name == "output_shape":
        return page(last.output_shape)
    if name in ("receptive_field", "receptive_field_stride"):
        return _field(last, "size" if name == "receptive_field" else "stride", analysis)
    if name == "weights_shape":
        weight = next((param for param in _params(last) if param.name == "weight"), None)
        if weight is None:
            raise UsageError(f"{last.name} has no weights")
        return [*weight.shape[2:], *reversed(weight.shape[:2])]
    found = last.op.matrix_product(last.input_shapes, last.output_shape)
    if found is None:
        raise UsageError(f"{last.name} is no product of matrices")
    sides = {"w_row": found.weights, "x_col": found.patches, "product_shape": (found.weights[0], found.patches[1])}
    return list(sides[name])


def _field(row: Row, what: str, analysis: Analysis) -> Any:
    if row.receptive_field is None:
        why = [reason for name, reason in analysis.fields_not_known.items() if name == row.name]
        raise UsageError(f"{row.name} has no receptive field: {in_words(why)}")

    def side(axis: AxisField) -> Any:
        value = getattr(axis, what)
        if value is None:
            raise UsageError(f"the positions of {row.name} have no even step")
        return value if isinstance(value, int) else Fraction(value)

    sides = [side(axis) for axis in row.receptive_field]
    if not sides:
        raise UsageError(f"the input of the network of {row.name} has no positions to see")
    return sides[0] if len(set(sides)) == 1 else sides


def _setting(row: Row, name: str) -> Any:
    fields = type(row.op).model_fields
    if name not in fields:
        raise UsageError(f"{row.name} ({row.op.kind}) has no {name}{did_you_mean(str(name), fields)}")
    value = getattr(row.op, name)
    if isinstance(value, (tuple, list)):
        return value[0] if len(set(value)) == 1 else list(value)
    return value


# --- data sets, and rules by themselves


def dataset(name: str, fact: str) -> Any:
    """The size of the images of a data set in pixels, the number of images or of classes."""
    facts = DATASETS.get(name) if isinstance(name, str) else None
    if facts is None:
        raise UsageError(f"there is no data set {str(name)[:60]!r}{did_you_mean(str(name), DATASETS)}")
    if fact not in facts:
        raise UsageError(f"of {name} there is {', '.join(facts)}")
    return facts[fact]


class _Exact(Fraction):
    """A number for which the floor of a rule does nothing: the same formula, not rounded."""

    def __floordiv__(self, other: Any) -> Any:
        return _Exact(Fraction(self) / Fraction(other))

    def __add__(self, other: Any) -> Any:
        return _Exact(Fraction(self) + Fraction(other))

    def __sub__(self, other: Any) -> Any:
        return _Exact(Fraction(self) - Fraction(other))


def output_size(size: int, window: int, stride: int, padding: int) -> int:
    """Positions of a window along one axis; `padding` is that of one side."""
    _whole(size, window, stride, padding)
    return int(rules.window_output_size(size, window, stride, rules.total_padding(padding, padding)))


def exact_output_size(size: int, window: int, stride: int, padding: int) -> Fraction:
    """The same, not rounded down: not whole where the window does not tile its input."""
    _whole(size, window, stride, padding)
    return Fraction(rules.window_output_size(_Exact(size), window, stride, rules.total_padding(padding, padding)))


def leftover(size: int, window: int, stride: int, padding: int) -> int:
    """Rows or columns that no window reads; `padding` is that of one side."""
    _whole(size, window, stride, padding)
    return int(rules.leftover(size, window, stride, rules.total_padding(padding, padding)))


def conv_params(window: Any, channels: int, filters: int) -> int:
    """Weights and biases of a convolution."""
    return _conv(window, channels, filters, True)


def conv_weights(window: Any, channels: int, filters: int) -> int:
    """Weights of a convolution."""
    return _conv(window, channels, filters, False)


def _conv(window: Any, channels: int, filters: int, bias: bool) -> int:
    _whole(channels)
    op = make_op("conv2d", {"kernel_size": window, "out_channels": filters, "bias": bias})
    assert isinstance(op, Windowed)
    return sum(product(param.shape) for param in op.param_shapes([(channels, *op.kernel_size)]))


def bytes_of(dtype: str) -> int:
    """Bytes of a value."""
    if dtype not in BYTES:
        raise UsageError(f"there is no dtype {str(dtype)[:60]!r}{did_you_mean(str(dtype), BYTES)}")
    return BYTES[dtype]


def _whole(*numbers: Any) -> None:
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= LARGEST_SIZE:
            raise TypeError
