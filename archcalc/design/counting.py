"""What can be counted of a layer, and how often: the words in which the rule of a tool is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType
from typing import Any, NamedTuple

from archcalc.ops.attention import MultiheadAttention, ScaledDotProductAttention
from archcalc.ops.norm import BatchNorm
from archcalc.passes.analysis import Row


class Measure(NamedTuple):
    """What is counted of a layer, and how many of it there are; None where that is not known."""

    words: str
    of: Callable[[Row], int | None]
    #: Whether an item of a bridge is of all kinds of layers together, not of one.
    of_all_kinds: bool = False


class Term(NamedTuple):
    """So many times a measure."""

    times: int
    measure: Measure


Terms = tuple[Term, ...]
NOTHING: Terms = ()
#: What is counted of a layer of some kind: always the same, or depending on its settings. None: it is not known.
Rule = Terms | Callable[[Row], Terms | None] | None
Rules = Mapping[str, Rule]


def has_array(row: Row, name: str) -> bool:
    """Whether a layer has an array of its own or of another layer with this name."""
    return any(array.name == name for array in row.op.param_shapes(row.input_shapes))


def _bias_additions(row: Row) -> int:
    """A bias for each output value; the gates of a recurrent layer have theirs, which are added at each step."""
    if has_array(row, "bias"):
        return prod(row.output_shape)
    if isinstance(row.op, MultiheadAttention):
        keys = row.input_shapes[min(1, len(row.input_shapes) - 1)]
        queries = prod(row.output_shape[1:])
        return 2 * row.output_shape[0] * (queries + prod(keys[1:])) if row.op.bias else 0
    return prod(row.input_shapes[0][1:]) * _sizes_of_biases(row)


def _sizes_of_biases(row: Row) -> int:
    return sum(prod(array.shape) for array in row.op.param_shapes(row.input_shapes) if array.is_bias)


def _hidden_values(row: Row) -> int:
    """What the layers of a recurrent layer give at all steps, of one direction."""
    fields = row.op.model_dump()
    return prod(row.input_shapes[0][1:]) * int(fields["hidden_size"]) * int(fields["num_layers"])


def _of_both_directions(row: Row) -> int:
    return _hidden_values(row) * (2 if row.op.model_dump()["bidirectional"] else 1)


def _second_biases(row: Row) -> int:
    """Less the biases of the state, where a gate has them besides those of what it reads."""
    return 0 if row.op.model_dump()["single_bias"] else -(row.biases // 2)


def _counters(row: Row) -> int:
    """Keras's `Normalization` keeps how many values it saw."""
    return int(isinstance(row.op, BatchNorm) and row.op.counts_values)


def _factors(row: Row) -> int:
    """Caffe's BatchNorm has a third blob of one number next to mean and variance."""
    return int(isinstance(row.op, BatchNorm) and row.weights_of is None)


def _zero_biases(row: Row) -> int:
    return row.biases if row.op.model_dump()["single_bias"] else 0


def _part(row: Row, name: str) -> int:
    assert isinstance(row.op, (MultiheadAttention, ScaledDotProductAttention))
    return int(row.op.parts(row.input_shapes, row.output_shape)[name])


def _between_tokens(row: Row) -> int:
    return _part(row, "QKᵀ") + _part(row, "AV")


def _pairs(row: Row) -> int:
    assert isinstance(row.op, (MultiheadAttention, ScaledDotProductAttention))
    embed = row.output_shape[0] if isinstance(row.op, MultiheadAttention) else row.input_shapes[0][0]
    return _part(row, "QKᵀ") // embed * row.op.num_heads


def _in_four_digits(count: int | None) -> int | None:
    """Half of what `numpy.einsum_path` prints as the operations of one product: it prints four digits."""
    return None if count is None else int(float(f"{2 * count:.3e}") // 2)


def _of_linear(row: Row) -> int:
    """The weights and biases of the projections of attention, without a table of positions."""
    arrays = row.op.param_shapes(row.input_shapes)
    return sum(prod(array.shape) for array in arrays if array.name.endswith(("_weight", "_bias")))


def _by_output(row: Row) -> int | None:
    """What a transposed convolution multiplies more if output positions count in place of those of the input."""
    if row.multiplications is None:
        return None
    positions, read = prod(row.output_shape[1:]), prod(row.input_shapes[0][1:])
    return row.multiplications * positions // read - row.multiplications


def _by_filters(row: Row) -> int:
    """Output values · filters in a group · window elements, as if a transposed convolution read its filters."""
    filters = next(array.shape for array in row.op.param_shapes(row.input_shapes) if array.name.startswith("weight"))
    return prod(row.output_shape) * prod(filters[1:])


def _in_windows(row: Row) -> int:
    """Output values · elements of a window; of rows and volumes its first side alone, which is a fault of onnx-tool."""
    kernel: tuple[int, ...] = row.op.model_dump()["kernel_size"]
    return prod(row.output_shape) * prod(kernel if len(kernel) == 2 else kernel[:1])


def _padded_values(row: Row) -> int:
    """The values of a map that another layer has padded for a pool."""
    op: Any = row.op
    shape = row.input_shapes[0]
    return shape[0] * prod(int(axis.before + axis.size + axis.after) for axis in op.axes(shape))


def _own_params(row: Row) -> int:
    """The parameters, running statistics not among them; of a layer that uses those of another one, these."""
    if row.weights_of is None:
        return row.weights + row.biases
    return sum(prod(array.shape) for array in row.op.param_shapes(row.input_shapes) if not array.buffer)


MULTIPLY_ADDS = Measure("multiply-add", lambda row: row.multiplications)
BIAS_ADDITIONS = Measure("bias that is added", _bias_additions, True)
BY_OUTPUT = Measure("multiply-add of an output position more than of the input positions", _by_output)
BY_FILTERS = Measure("filter and window element of an output value", _by_filters)
VALUES = Measure("value", lambda row: prod(row.output_shape))
POSITIONS = Measure("position", lambda row: prod(row.output_shape[1:]))
CHANNELS = Measure("channel", lambda row: row.output_shape[0])
LAYERS = Measure("layer", lambda _: 1)
READ = Measure("value that is read", lambda row: prod(row.input_shapes[0]))
READ_PADDED = Measure("value of the padded map", _padded_values)
HIDDEN_VALUES = Measure("hidden value", _of_both_directions)
ONE_DIRECTION = Measure("hidden value of one direction", _hidden_values)
SCORES = Measure("multiply-add of QKᵀ", lambda row: _part(row, "QKᵀ"))
ATTENDED = Measure("multiply-add of AV", lambda row: _part(row, "AV"))
EINSUM = Measure("multiply-add of einsum, in four digits", lambda row: _in_four_digits(row.multiplications))
EINSUM_OF_KEYS = Measure("multiply-add of QKᵀ, in four digits", lambda row: _in_four_digits(_part(row, "QKᵀ")))
EINSUM_OF_VALUES = Measure("multiply-add of AV, in four digits", lambda row: _in_four_digits(_part(row, "AV")))
OF_LINEAR = Measure("parameter of a projection", _of_linear)
BETWEEN_TOKENS = Measure("multiply-add of QKᵀ and AV", _between_tokens)
PAIRS = Measure("pair of a query and a key in a head", _pairs)
IN_WINDOWS = Measure("value of a window", _in_windows)
PARAMETERS = Measure("parameter", _own_params)
#: So many times as the nodes of a layer in its file count next to its multiply-adds.
OF_FILE = Measure("instruction of its nodes in the file", lambda _: 1)
WEIGHTS = Measure("weight", lambda row: row.weights)
BIASES = Measure("bias", lambda row: row.biases)
SECOND_BIASES = Measure("second bias", _second_biases)
COUNTERS = Measure("counter of Keras's Normalization", _counters, True)
FACTORS = Measure("moving-average factor of Caffe's BatchNorm", _factors, True)
ZERO_BIASES = Measure("zero bias", _zero_biases)
STATISTICS = Measure("running statistic", lambda row: row.params + row.buffers - row.weights - row.biases, True)

MACS: Terms = (Term(1, MULTIPLY_ADDS),)
MACS_AND_BIASES: Terms = (*MACS, Term(1, BIAS_ADDITIONS))
PROJECTIONS: Terms = (*MACS, Term(-1, BETWEEN_TOKENS))
PARAMS: Terms = (Term(1, PARAMETERS),)


def values(times: int) -> Terms:
    """So many for each value that a layer gives."""
    return (Term(times, VALUES),)


def read(times: int) -> Terms:
    """So many for each value that a layer reads."""
    return (Term(times, READ),)


def rules(*groups: Mapping[str, Rule], **by_kinds: Rule) -> Rules:
    """The rule by kind, from one by several kinds: `relu__elu=…`."""
    found = {kind: rule for group in groups for kind, rule in group.items()}
    found |= {kind: rule for kinds, rule in by_kinds.items() for kind in kinds.split("__")}
    return MappingProxyType(found)
