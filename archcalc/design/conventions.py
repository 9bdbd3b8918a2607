"""How other tools count: the rule of each, written once, for reports, bridges and the diagnoses of `check`.

A rule says for each kind of layer what the tool counts: multiply-adds, additions of biases, so many for each value.
A kind that calculates and that the rule does not name is not counted, and totals say so; it is never a silent zero.
The rules are read from the tools' sources and compared with the tools as installed by the tests of the tier `peers`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import all_of, say
from archcalc.core.suggest import did_you_mean
from archcalc.design import tool_rules
from archcalc.design.counting import BIASES, MACS, NOTHING, STATISTICS, WEIGHTS, Measure, Rules, Terms, rules
from archcalc.design.printed import PAPER, with_figures
from archcalc.ops.base import NO_OPERATIONS
from archcalc.passes.analysis import Analysis, Row


@dataclass(frozen=True)
class Tool:
    """How a tool, a library or a course counts."""

    name: str
    #: What it counts as parameters.
    params: tuple[Measure, ...] = (WEIGHTS, BIASES)
    #: What it counts as multiplications, by kind of layer without its rank; None: it counts none.
    rules: Rules | None = None
    #: What it calls that number.
    noun: str = "multiply-adds"
    #: What it adds to the multiplications of convolution and dense layers, in a sentence.
    added: str = ""
    #: Whether it has networks of its own, so that a variant of its name is its implementation.
    is_library: bool = False
    #: Whether it reads a file of the whole network, the softmax at its end included.
    reads_files: bool = False
    #: Kinds whose arrays it does not see.
    unseen: frozenset[str] = frozenset()
    #: Bugs and gaps that are known.
    notes: tuple[str, ...] = ()

    def terms(self, row: Row, is_last: bool = False) -> Terms | None:
        """What it counts of a layer as multiplications; None where that is not known.

        `is_last`: no layer reads it. A softmax there is part of the loss in the networks that PyTorch's tools see.
        """
        if self.rules is None or row.not_counted:
            return None
        kind = _kind(row)
        if self.name in (OWN, PAPER):
            return MACS
        if is_last and not self.reads_files and kind in ("softmax", "log_softmax"):
            return NOTHING
        if kind in self.rules:
            rule = self.rules[kind]
            return rule(row) if callable(rule) else rule
        return None if calculates(row) else NOTHING

    def multiplications(self, row: Row, is_last: bool = False) -> int | None:
        """Its count for a layer; None where that is not known."""
        terms = self.terms(row, is_last)
        counts = [None] if terms is None else [term.measure.of(row) for term in terms]
        if terms is None or None in counts:
            return None
        return sum(term.times * (count or 0) for term, count in zip(terms, counts, strict=True))

    def measures(self, row: Row) -> tuple[Measure, ...]:
        """What it counts as parameters of a layer."""
        return () if _kind(row) in self.unseen else self.params

    def params_of(self, row: Row) -> int:
        """Its count of a layer's parameters."""
        return sum(measure.of(row) or 0 for measure in self.measures(row))

    def describe_params(self) -> str:
        """What counts as a parameter, in a sentence."""
        counted = {
            WEIGHTS: say("weights"),
            BIASES: say("biases"),
            STATISTICS: say("running statistics of batch normalisation"),
        }
        left_out = "" if BIASES in self.params else say("; biases are left out")
        parts = all_of([counted[measure] for measure in self.params])
        return say("{parts}, as {tool} counts", parts=parts, tool=self.name) + left_out

    def describe_multiplications(self) -> str:
        """What counts as a multiplication, in a sentence."""
        if self.rules is None:
            return say(
                "{tool} counts none; here of convolution and dense layers, one for each multiply-add", tool=self.name
            )
        added = say(", and {added}", added=say(self.added)) if self.added else ""
        notes = "".join(f"; {say(note)}" for note in self.notes)
        counted = say(
            "{noun} as {tool} counts: those of convolution and dense layers", noun=say(self.noun), tool=self.name
        )
        return counted + added + notes + say("; per image")


def _kind(row: Row) -> str:
    """The kind of a layer without its rank."""
    return re.sub("[123]d$", "", row.op.kind)


def calculates(row: Row) -> bool:
    """Whether a layer does something that a tool could count."""
    has_arrays = row.op.may_have_arrays and bool(row.op.param_shapes(row.input_shapes))
    return bool(row.multiplications) or row.operations != NO_OPERATIONS or has_arrays


#: archcalc's own way.
OWN = "archcalc"
_TOOLS = (
    Tool(OWN, rules=rules(), noun="multiplications"),
    Tool("keras", (WEIGHTS, BIASES, STATISTICS), is_library=True),
    Tool("torchvision", rules=tool_rules.PRODUCTS, is_library=True),
    Tool("caffe", is_library=True),
    Tool("cs231n", (WEIGHTS,)),
    Tool(
        "fvcore", noun="flops (one for each multiply-add)", rules=tool_rules.FVCORE,
        added="2 for each value of batch norm and 1 for each value that an adaptive average pool reads",
        notes=("a known gap: recurrent layers and scaled dot-product attention count nothing",),
    ),
    Tool(
        "torchinfo", noun="mult-adds", rules=tool_rules.TORCHINFO,
        added="1 for each bias that is added, and the parameters of batch norm once",
        notes=("a known bug: a transposed convolution counts by its output positions",
               "a known bug: a dense layer at several positions counts once",
               "a known gap: parameters next to other modules, as of layer scale or positions, count nothing"),
    ),
    Tool(
        "ptflops", noun="MACs", rules=tool_rules.PTFLOPS,
        added="1 for each bias that is added, and 2 for each value of batch norm, of ReLU, and that a pool reads",
        notes=("a known bug: ReLU, pools and upsampling as modules count twice, as functions once",),
    ),
    Tool(
        "thop", noun="MACs", rules=tool_rules.THOP,
        added="4 for each value of batch norm, and 1 for each value of an average pool",
        unseen=frozenset(("group_norm", "rms_norm", "global_response_norm", "scale", "parameter", "position_embedding",
                          "class_token", "embedding", "multi_head_attention")),
        notes=("a known bug: a transposed convolution counts by its output positions",
               "a known bug: arrays of modules that it has no rule for, such as group norm, are no parameters",
               "a known gap: functions, such as additions and products of maps, count nothing"),
    ),
    Tool(
        "calflops", noun="MACs", rules=tool_rules.CALFLOPS,
        notes=("a known bug: a transposed convolution in groups is divided by them twice",
               "a known gap: products of two maps count nothing"),
    ),
    Tool("deepspeed", noun="MACs", rules=tool_rules.DEEPSPEED),
    Tool(
        "onnx-tool", (WEIGHTS, BIASES, STATISTICS), tool_rules.ONNX_TOOL, "MACs (instructions of a processor)",
        "1 for each bias that is added, 31 for each value of batch norm, 1 of ReLU, and the window of a pool",
        reads_files=True,
        notes=("a known bug: a transposed convolution counts its output values by its filters, not by its inputs",
               "a known bug: a pool of volumes counts two axes of its window",
               "a known bug: constants of the file, such as the shape of a reshape, count as parameters (not here)",
               "a known gap: it stops at layers of padding"),
    ),
    Tool(
        "flop-counter", noun="flops (PyTorch's FlopCounterMode)", added="each of them twice, with its addition",
        rules=tool_rules.FLOP_COUNTER,
    ),
)  # fmt: skip
#: Papers count multiply-adds of convolution and dense layers; their figures are those of `printed`.
_OF_PAPER = Tool(PAPER, rules=rules())
TOOLS: Mapping[str, Tool] = MappingProxyType({tool.name: tool for tool in _TOOLS})


def tool_named(name: str) -> Tool:
    """The tool of a name, or the convention of a network's own paper. Raises `UsageError` with the nearest one."""
    found = {**TOOLS, PAPER: _OF_PAPER}.get(name.strip().lower())
    if found is None:
        hint = did_you_mean(name, (*TOOLS, PAPER)) or f"; there are {', '.join((*TOOLS, PAPER))}"
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
    """The analysis with params and multiplications as the tool counts; a layer that its rule does not know has none.

    Raises `UsageError` for the convention `paper` where no figures of the network's paper are known.
    """
    if tool.name == OWN:
        return analysis
    if tool.name == PAPER:
        return with_figures(analysis)
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
