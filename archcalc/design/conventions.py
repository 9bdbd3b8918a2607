"""How other tools count: the rule of each, written once, for reports, bridges and the diagnoses of `check`.

A rule says for each kind of layer what the tool counts: multiply-adds, additions of biases, so many for each value.
A kind that calculates and that the rule does not name is not counted, and totals say so; it is never a silent zero.
The rules are read from the tools' sources and compared with the tools as installed by the tests of the tier `peers`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from types import MappingProxyType
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.suggest import did_you_mean
from archcalc.core.words import listed
from archcalc.ops.base import NO_OPERATIONS
from archcalc.passes.analysis import Analysis, Row


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


def _bias_additions(row: Row) -> int:
    has_bias = any(array.name == "bias" for array in row.op.param_shapes(row.input_shapes))
    return prod(row.output_shape) if has_bias else 0


def _by_output(row: Row) -> int | None:
    """What a transposed convolution multiplies more if output positions count in place of those of the input."""
    if row.multiplications is None:
        return None
    positions, read = prod(row.output_shape[1:]), prod(row.input_shapes[0][1:])
    return row.multiplications * positions // read - row.multiplications


def _own_params(row: Row) -> int | None:
    """The parameters, running statistics not among them; not known where a layer uses those of another one."""
    return None if row.weights_of is not None else row.weights + row.biases


MULTIPLY_ADDS = Measure("multiply-add", lambda row: row.multiplications)
BIAS_ADDITIONS = Measure("bias that is added", _bias_additions, True)
BY_OUTPUT = Measure("multiply-add of an output position more than of the input positions", _by_output)
VALUES = Measure("value", lambda row: prod(row.output_shape))
READ = Measure("value that is read", lambda row: prod(row.input_shapes[0]))
PARAMETERS = Measure("parameter", _own_params)
WEIGHTS = Measure("weight", lambda row: row.weights)
BIASES = Measure("bias", lambda row: row.biases)
STATISTICS = Measure("running statistic", lambda row: row.params + row.buffers - row.weights - row.biases, True)

_MACS = (Term(1, MULTIPLY_ADDS),)
_MACS_AND_BIASES = (*_MACS, Term(1, BIAS_ADDITIONS))
_PARAMS = (Term(1, PARAMETERS),)


def _values(times: int) -> Terms:
    return (Term(times, VALUES),)


def _rules(**by_kinds: Terms) -> Mapping[str, Terms]:
    """The rule by kind from one by several kinds: `relu__elu=…`."""
    return MappingProxyType({kind: terms for kinds, terms in by_kinds.items() for kind in kinds.split("__")})


#: What PyTorch's tools that look at modules or at calls have no rule for: they count nothing for it.
_UNSEEN = "add__multiply__sigmoid__tanh__hardsigmoid__hardswish__mish__softplus__hardtanh"


@dataclass(frozen=True)
class Tool:
    """How a tool, a library or a course counts."""

    name: str
    #: What it counts as parameters.
    params: tuple[Measure, ...] = (WEIGHTS, BIASES)
    #: What it counts as multiplications, by kind of layer without its rank; None: it counts none.
    rules: Mapping[str, Terms] | None = None
    #: What it calls that number.
    noun: str = "multiply-adds"
    #: What it adds to the multiplications of convolution and dense layers, in a sentence.
    added: str = ""
    #: Whether it has networks of its own, so that a variant of its name is its implementation.
    is_library: bool = False
    #: Whether layers without arrays count nothing, whatever they are.
    only_arrays: bool = False
    #: Bugs and gaps that are known.
    notes: tuple[str, ...] = ()

    def terms(self, row: Row, is_last: bool = False) -> Terms | None:
        """What it counts of a layer as multiplications; None where that is not known.

        `is_last`: no layer reads it. A softmax there is part of the loss in the networks that PyTorch's tools see.
        """
        if self.rules is None or row.not_counted:
            return None
        kind = re.sub("[123]d$", "", row.op.kind)
        if self.name == OWN:
            return _MACS
        if is_last and kind in ("softmax", "log_softmax"):
            return NOTHING
        if kind in self.rules:
            return self.rules[kind]
        has_arrays = row.op.may_have_arrays and bool(row.op.param_shapes(row.input_shapes))
        calculates = row.multiplications or row.operations != NO_OPERATIONS
        return NOTHING if not (calculates or has_arrays) or (self.only_arrays and not has_arrays) else None

    def multiplications(self, row: Row, is_last: bool = False) -> int | None:
        """Its count for a layer; None where that is not known."""
        terms = self.terms(row, is_last)
        counts = [None] if terms is None else [term.measure.of(row) for term in terms]
        if terms is None or None in counts:
            return None
        return sum(term.times * (count or 0) for term, count in zip(terms, counts, strict=True))

    def params_of(self, row: Row) -> int:
        """Its count of a layer's parameters."""
        return sum(measure.of(row) or 0 for measure in self.params)

    def describe_params(self) -> str:
        """What counts as a parameter, in a sentence."""
        counted = {WEIGHTS: "weights", BIASES: "biases", STATISTICS: "running statistics of batch normalisation"}
        left_out = "" if BIASES in self.params else "; biases are left out"
        return f"{listed([counted[measure] for measure in self.params])}, as {self.name} counts{left_out}"

    def describe_multiplications(self) -> str:
        """What counts as a multiplication, in a sentence."""
        if self.rules is None:
            return f"{self.name} counts none; here of convolution and dense layers, one for each multiply-add"
        added = f", and {self.added}" if self.added else ""
        notes = "".join(f"; {note}" for note in self.notes)
        return f"{self.noun} as {self.name} counts: those of convolution and dense layers{added}{notes}; per image"


#: archcalc's own way.
OWN = "archcalc"
#: What counts nothing where only convolution and dense layers do.
_OTHERS = (
    "batch_norm__layer_norm__group_norm__relu__relu6__elu__gelu__silu__prelu__leaky_relu__selu__max_pool__avg_pool__"
    "adaptive_avg_pool__global_avg_pool__adaptive_max_pool__global_max_pool__softmax__log_softmax__local_response_norm"
)
#: Convolution and dense layers only.
_FUNCTIONS = _rules(conv__conv_transpose__linear=_MACS, **{_OTHERS: NOTHING, _UNSEEN: NOTHING})
_TOOLS = (
    Tool(OWN, rules=_rules(), noun="multiplications"),
    Tool("keras", (WEIGHTS, BIASES, STATISTICS), is_library=True),
    Tool("torchvision", rules=_FUNCTIONS, is_library=True),
    Tool("caffe", is_library=True),
    Tool("cs231n", (WEIGHTS,)),
    Tool(
        "fvcore", noun="flops (one for each multiply-add)",
        added="2 for each value of batch norm and 1 for each value that an adaptive average pool reads",
        rules=_rules(
            conv__conv_transpose__linear=_MACS, batch_norm=_values(2), layer_norm__group_norm=_values(5),
            adaptive_avg_pool__global_avg_pool=(Term(1, READ),),
            **{"relu__relu6__elu__gelu__silu__prelu__leaky_relu__selu__max_pool__avg_pool": NOTHING,
               "softmax__log_softmax__local_response_norm__adaptive_max_pool__global_max_pool": NOTHING,
               _UNSEEN: NOTHING},
        ),
    ),
    Tool(
        "torchinfo", noun="mult-adds", only_arrays=True,
        added="1 for each bias that is added, and the parameters of batch norm once",
        rules=_rules(
            conv=_MACS_AND_BIASES, conv_transpose=(*_MACS_AND_BIASES, Term(1, BY_OUTPUT)),
            linear__batch_norm__layer_norm__group_norm__prelu=_PARAMS,
        ),
        notes=("a known bug: a transposed convolution counts by its output positions",
               "a known bug: a dense layer at several positions counts once"),
    ),
    Tool(
        "ptflops", noun="MACs",
        added="1 for each bias that is added, and 2 for each value of batch norm, of ReLU, and that a pool reads",
        rules=_rules(
            conv__conv_transpose__linear=_MACS_AND_BIASES, batch_norm__group_norm=_values(2), layer_norm=_values(1),
            relu__elu__gelu__prelu=_values(2), relu6__leaky_relu__silu__softmax=_values(1),
            max_pool__avg_pool__adaptive_avg_pool__global_avg_pool__adaptive_max_pool__global_max_pool=(Term(2, READ),),
            **{_UNSEEN: NOTHING},
        ),
        notes=("a known bug: ReLU and pools as modules count twice, as functions once",),
    ),
    Tool(
        "thop", noun="MACs",
        added="4 for each value of batch norm, and 1 for each value of an average pool",
        rules=_rules(
            conv__linear=_MACS, conv_transpose=(*_MACS, Term(1, BY_OUTPUT)), batch_norm__layer_norm=_values(4),
            avg_pool__prelu=_values(1),
            adaptive_avg_pool__global_avg_pool=(Term(1, READ), Term(1, VALUES)),
            **{"relu__relu6__leaky_relu__elu__gelu__silu__selu__max_pool__adaptive_max_pool__global_max_pool": NOTHING,
               "group_norm__local_response_norm": NOTHING, _UNSEEN: NOTHING},
        ),
        notes=("a known bug: a transposed convolution counts by its output positions",),
    ),
    Tool("calflops", noun="MACs", rules=_FUNCTIONS),
    Tool("deepspeed", noun="MACs", rules=_FUNCTIONS),
    Tool(
        "flop-counter", noun="flops (PyTorch's FlopCounterMode)", added="each of them twice, with its addition",
        rules=_rules(
            conv__conv_transpose__linear=(Term(2, MULTIPLY_ADDS),), **{_OTHERS: NOTHING, _UNSEEN: NOTHING}
        ),
    ),
)  # fmt: skip
TOOLS: Mapping[str, Tool] = MappingProxyType({tool.name: tool for tool in _TOOLS})


def tool_named(name: str) -> Tool:
    """The tool of a name. Raises `UsageError` with the nearest one."""
    found = TOOLS.get(name.strip().lower())
    if found is None:
        hint = did_you_mean(name, TOOLS) or f"; there are {', '.join(TOOLS)}"
        raise UsageError(f"there is no convention {name[:60]!r}{hint}")
    return found


class Count(NamedTuple):
    """A total as a tool counts, and how many layers of each kind it leaves out because its rule is not known."""

    total: int
    not_counted: Mapping[str, int]


def last_layers(analysis: Analysis) -> frozenset[str]:
    """The layers that no other one reads."""
    read = {name for row in analysis.rows for name in row.inputs}
    return frozenset(row.name for row in analysis.rows if row.name not in read)


def count(analysis: Analysis, tool: Tool, quantity: str) -> Count | None:
    """The `params` or `multiplications` of a network for one image, as the tool counts; None where it counts none."""
    if quantity == "params":
        return Count(sum(tool.params_of(row) for row in analysis.rows), {})
    if tool.rules is None:
        return None
    last = last_layers(analysis)
    missing, total = Counter[str](), 0
    for row in analysis.rows:
        value = tool.multiplications(row, row.name in last)
        total += value or 0
        if value is None:
            missing.update(row.not_counted or (row.op.noun,))
    return Count(total, missing)


def as_counted(analysis: Analysis, tool: Tool) -> Analysis:
    """The analysis with params and multiplications as the tool counts; a layer that its rule does not know has none."""
    if tool.name == OWN:
        return analysis
    last = last_layers(analysis)
    rows = []
    for row in analysis.rows:
        macs = row.multiplications if tool.rules is None else tool.multiplications(row, row.name in last)
        missing = (row.not_counted or (row.op.noun,)) if macs is None else ()
        params = tool.params_of(row)
        buffers = 0 if STATISTICS in tool.params else row.params + row.buffers - row.weights - row.biases
        rows.append(
            row._replace(params=params, buffers=buffers, multiplications=macs, not_counted=missing,
                         trainable_params=min(row.trainable_params, params))
        )  # fmt: skip
    conventions = replace(
        analysis.conventions, params_rule=tool.describe_params(), multiplications_rule=tool.describe_multiplications()
    )
    return replace(analysis, rows=tuple(rows), conventions=conventions)
