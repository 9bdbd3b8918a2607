"""How other tools count: the rule of each, written once, for reports, bridges and the diagnoses of `check`.

A rule says for each kind of layer what the tool counts: multiply-adds, additions of biases, so many for each value.
A kind that calculates and that the rule does not name is not counted, and totals say so; it is never a silent zero.
The rules are read from the tools' sources and compared with the tools as installed by the tests of the tier `peers`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import all_of, say
from archcalc.core.suggest import did_you_mean
from archcalc.core.words import line
from archcalc.design import file_rules, tool_calls, tool_rules
from archcalc.design.counting import (
    BIASES,
    COUNTERS,
    FACTORS,
    MACS,
    NOTHING,
    SECOND_BIASES,
    STATISTICS,
    WEIGHTS,
    ZERO_BIASES,
    Measure,
    Rules,
    Terms,
    rules,
)
from archcalc.design.printed import PAPER, with_figures
from archcalc.graph.layer_graph import Call
from archcalc.ops.base import NO_OPERATIONS
from archcalc.passes.analysis import Analysis, Row


class Note(NamedTuple):
    """A bug or a gap of a tool that is known, and the layers that it concerns."""

    text: str
    concerns: Callable[[Row], bool]


def _kind(row: Row) -> str:
    """The kind of a layer without its rank."""
    return re.sub("[123]d$", "", row.op.kind)


def _note(text: str, kinds: str) -> Note:
    """A note on layers of some kinds, without their ranks: `relu__elu`."""
    concerned = frozenset(kinds.split("__"))
    return Note(text, lambda row: _kind(row) in concerned)


def _is_windows(row: Row) -> bool:
    if row.call is not None:
        return tool_calls.in_windows(row, row.call)
    return row.op.kind == "multi_head_attention" and row.op.model_dump()["window_size"] is not None


def _is_module(row: Row) -> bool:
    """Whether a layer is counted as `nn.MultiheadAttention`, and code does not say how it is called."""
    return row.call is None and row.op.kind == "multi_head_attention" and not _is_windows(row)


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
    #: What it counts besides as parameters of layers of some kinds.
    more_params: Mapping[str, tuple[Measure, ...]] = field(default_factory=dict)
    #: Whether it looks for known classes, so that it may not see the arrays of a layer that is none of them.
    knows_classes: bool = False
    #: What it counts of a layer by how code calls it, given what it counts of the module; None: no difference.
    by_call: Callable[[Row, Call, Terms | None], Terms | None] | None = None
    #: Whether it counts the products that are written with einsum as others.
    knows_einsum: bool = False
    #: Whether it counts the parameters of a module that inference does not use.
    counts_unused: bool = False
    notes: tuple[Note, ...] = ()

    def terms(self, row: Row, placed: Mapping[str, Terms | None] = MappingProxyType({})) -> Terms | None:
        """What it counts of a layer as multiplications; None where that is not known.

        `placed`: the layers that it counts by where they stand, see `by_place`.
        """
        if self.rules is None or (row.not_counted and row.name not in placed):
            return None
        if self.name in (OWN, PAPER):
            return MACS
        if row.name in placed:
            return placed[row.name]
        rule = self.rules.get(_kind(row), None if calculates(row) else NOTHING)
        terms = rule(row) if callable(rule) else rule
        return terms if row.call is None or self.by_call is None else self.by_call(row, row.call, terms)

    def multiplications(self, row: Row, placed: Mapping[str, Terms | None] = MappingProxyType({})) -> int | None:
        """Its count for a layer; None where that is not known."""
        terms = self.terms(row, placed)
        counts = [None] if terms is None else [term.measure.of(row) for term in terms]
        if terms is None or None in counts:
            return None
        return sum(term.times * (count or 0) for term, count in zip(terms, counts, strict=True))

    def measures(self, row: Row) -> tuple[Measure, ...] | None:
        """What it counts as parameters of a layer; None where that is not known."""
        if self.knows_classes and row.params:
            if row.call is not None and (seen := tool_calls.thop_sees(row, row.call)) != self.params:
                return seen
            if row.call is None and tool_rules.has_class_of_its_own(row):
                return None
        kind = _kind(row)
        return () if kind in self.unseen else (*self.params, *self.more_params.get(kind, ()))

    def params_of(self, row: Row) -> int | None:
        """Its count of a layer's parameters; None where that is not known."""
        measures = self.measures(row)
        return None if measures is None else sum(measure.of(row) or 0 for measure in measures)

    def describe_params(self) -> str:
        """What counts as a parameter, in a sentence."""
        counted = {
            WEIGHTS: say("weights"),
            BIASES: say("biases"),
            STATISTICS: say("running statistics of batch normalisation"),
            FACTORS: say("one factor of each batch normalisation"),
        }
        left_out = "" if BIASES in self.params else say("; biases are left out")
        more = [measure for measures in self.more_params.values() for measure in measures if measure in counted]
        parts = all_of([counted[measure] for measure in (*self.params, *more)])
        return say("{parts}, as {tool} counts", parts=parts, tool=self.name) + left_out

    def notes_on(self, analysis: Analysis) -> tuple[str, ...]:
        """The bugs and gaps that are known and concern layers of a network, and what functions would change."""
        notes = [say(note.text) for note in self.notes if any(map(note.concerns, analysis.rows))]
        change = self.change_as(analysis, tool_calls.FUNCTIONS.call)
        if change:
            notes.append(
                say(
                    "layers without parameters count as modules here; with functions in their place, such as "
                    "F.relu(x), the total changes by {change}",
                    change=f"{'+' if change > 0 else '−'}{abs(change):,}",
                )
            )
        return tuple(notes)

    def change_as(self, analysis: Analysis, call_of: Callable[[Row], Call | None]) -> int | None:
        """How its multiplications change where code calls layers without parameters so; None where that is not known.

        Where code says how a layer is called, nothing changes.
        """
        if self.rules is None or self.by_call is None:
            return 0
        placed, change = by_place(analysis, self), 0
        for row in analysis.rows:
            if row.call is not None or row.name in placed or row.params or row.buffers or row.multiplications:
                continue
            counts = self.multiplications(row), self.multiplications(row._replace(call=call_of(row)))
            if counts[0] is not None and counts[1] is None:
                return None
            change += (counts[1] or 0) - (counts[0] or 0) if counts[0] is not None else 0
        return change

    def describe_multiplications(self, analysis: Analysis) -> str:
        """What counts as a multiplication, in a sentence; `analysis` is counted by it."""
        others = all_of([say(kind) for kind in analysis.counted_kinds])
        if self.rules is None:
            if others:
                return say(
                    "{tool} counts none; here of convolution and dense layers and of {others}, one for each "
                    "multiply-add",
                    tool=self.name,
                    others=others,
                )
            return say(
                "{tool} counts none; here of convolution and dense layers, one for each multiply-add", tool=self.name
            )
        added = say(", and {added}", added=say(self.added)) if self.added else ""
        notes = "".join(f"; {note}" for note in self.notes_on(analysis))
        noun = say(self.noun)
        counted = (
            say(
                "{noun} as {tool} counts: those of convolution and dense layers and of {others}",
                noun=noun,
                tool=self.name,
                others=others,
            )
            if others
            else say("{noun} as {tool} counts: those of convolution and dense layers", noun=noun, tool=self.name)
        )
        return counted + added + notes + say("; per image")


def calculates(row: Row) -> bool:
    """Whether a layer does something that a tool could count."""
    has_arrays = row.op.may_have_arrays and bool(row.op.param_shapes(row.input_shapes))
    return bool(row.multiplications) or row.operations != NO_OPERATIONS or has_arrays


#: Kinds whose arrays thop does not see.
_UNSEEN_ARRAYS = (
    "group_norm__rms_norm__global_response_norm__scale__parameter__position_embedding__class_token__embedding__"
    "multi_head_attention"
)
#: archcalc's own way.
OWN = "archcalc"
_RECURRENT = "rnn__lstm__gru"
_NO_ATTENTION = "a known gap: scaled dot-product attention counts nothing"
_WITH_WEIGHTS = "of nn.MultiheadAttention the projections count; with need_weights=True QKᵀ and AV count too"
_NO_MODULE = (
    "a known gap: nn.MultiheadAttention and torchvision's attention in windows count nothing; attention made of "
    "nn.Linear counts more"
)
_TOOLS = (
    Tool(OWN, rules=rules(), noun="multiplications"),
    Tool("keras", (WEIGHTS, BIASES, STATISTICS), is_library=True,
         more_params={"rnn": (SECOND_BIASES,), "lstm": (SECOND_BIASES,), "batch_norm": (COUNTERS,)}),
    Tool("torchvision", rules=tool_rules.PRODUCTS, is_library=True, knows_einsum=True),
    Tool(
        "caffe", (WEIGHTS, BIASES, STATISTICS), is_library=True, more_params={"batch_norm": (FACTORS,)},
        notes=(_note("all blobs of net.params count; the mean, variance and factor of BatchNorm are not learnable",
                     "batch_norm"),),
    ),
    Tool("cs231n", (WEIGHTS,)),
    Tool(
        "fvcore", counts_unused=True, noun="flops (one for each multiply-add)", rules=tool_rules.FVCORE,
        by_call=tool_calls.fvcore,
        added="2 for each value of batch norm and 1 for each value that an adaptive average pool of images reads",
        notes=(_note("a known gap: recurrent layers count nothing", _RECURRENT),
               Note("a known bug: a convolution whose padding is a word, as padding='same', counts nothing",
                    tool_calls.is_padded_by_word),
               Note("a global average pool counts as a module here; written as x.mean((2, 3)) it counts nothing",
                    lambda row: row.call is None and row.op.kind == "global_avg_pool2d"),
               _note(_NO_ATTENTION, "scaled_dot_product_attention"), Note(_WITH_WEIGHTS, _is_module)),
    ),
    Tool(
        "torchinfo", counts_unused=True, noun="mult-adds", rules=tool_rules.TORCHINFO, by_call=tool_calls.torchinfo,
        added="1 for each bias that is added, and the parameters of batch norm once",
        notes=(_note("a known bug: a transposed convolution counts by its output positions", "conv_transpose"),
               Note("a known bug: a dense layer at several positions counts once",
                    lambda row: row.op.kind == "linear" and len(row.output_shape) > 1),
               _note("a known gap: parameters next to other modules, as of layer scale or positions, count nothing",
                     "scale__parameter__position_embedding__class_token"),
               _note(_NO_MODULE, "multi_head_attention")),
    ),
    Tool(
        "ptflops", counts_unused=True, noun="MACs", rules=tool_rules.PTFLOPS, by_call=tool_calls.ptflops,
        added="1 for each bias that is added, and 2 for each value of batch norm, of ReLU, and that a pool reads",
        notes=(_note("a known bug: ReLU, pools and upsampling as modules count twice, as functions once",
                     "relu__elu__gelu__prelu__max_pool__avg_pool__adaptive_avg_pool__global_avg_pool__"
                     "adaptive_max_pool__global_max_pool__upsample__interpolate"),
               Note("nn.MultiheadAttention is counted with need_weights=False; with True its products and its softmax "
                    "count twice", _is_module),
               Note("a known gap: the projections of torchvision's attention in windows count nothing", _is_windows),
               Note("a known bug: of timm's Attention the projections count nothing", tool_calls.is_of_timm),
               Note("functions count where they are called as F.relu is, not where they were imported by name",
                    lambda row: row.call is not None and row.call.way == "function" and not row.call.by_module),
               Note("x + y and x * y count nothing, as is assumed here; x.add(y) and x.mul(y) one for each value",
                    lambda row: row.call is not None and row.call.way == "method"
                    and row.call.function in ("add", "mul"))),
    ),
    Tool(
        "thop", noun="MACs", rules=tool_rules.THOP, by_call=tool_calls.thop,
        added="4 for each value of batch norm, and 1 for each value of an average pool",
        knows_classes=True, unseen=frozenset(_UNSEEN_ARRAYS.split("__")),
        notes=(_note("a known bug: a transposed convolution counts by its output positions", "conv_transpose"),
               _note("a known bug: arrays of modules that it has no rule for, such as group norm, are no parameters",
                     _UNSEEN_ARRAYS),
               _note("a known gap: functions, such as additions and products of maps, count nothing",
                     "add__multiply__subtract__divide__rescale__scale__mean__amax__interpolate__matmul"),
               _note(_NO_MODULE, "multi_head_attention")),
    ),
    Tool(
        "calflops", counts_unused=True, noun="MACs", rules=tool_rules.CALFLOPS,
        notes=(Note("a known bug: a transposed convolution in groups is divided by them twice",
                    lambda row: _kind(row) == "conv_transpose" and row.op.model_dump()["groups"] > 1),
               _note("a known gap: products of two maps count nothing", "matmul__scaled_dot_product_attention"),
               Note("a known gap: of nn.MultiheadAttention the projections count alone", _is_module),
               _note("a known gap: recurrent layers count as operations, not as MACs", _RECURRENT)),
    ),
    Tool("deepspeed", counts_unused=True, noun="MACs", rules=tool_rules.DEEPSPEED,
         notes=(_note("a known gap: recurrent layers count as operations, not as MACs", _RECURRENT),)),
    Tool(
        "onnx-tool", (WEIGHTS, BIASES, STATISTICS), tool_rules.ONNX_TOOL, "MACs (instructions of a processor)",
        "1 for each bias that is added, 31 for each value of batch norm, 1 of ReLU, and the window of a pool",
        reads_files=True, more_params=dict.fromkeys(_RECURRENT.split("__"), (ZERO_BIASES,)),
        notes=(_note("a known bug: a transposed convolution counts its output values by its filters, not by its inputs",
                     "conv_transpose"),
               Note("a known bug: a pool of volumes counts two axes of its window",
                    lambda row: row.op.kind in ("max_pool3d", "avg_pool3d")),
               Note("a known bug: of a recurrent layer in two directions the gates of one are counted",
                    lambda row: bool(row.op.model_dump().get("bidirectional"))),
               _note("a known bug: constants of the file, such as the shape of a reshape, count as parameters (not "
                     "here)", "flatten__reshape__tokens__grid__chunk__split__narrow__channel_shuffle"),
               _note("a known gap: it stops at layers of padding", "zero_pad__reflection_pad__replication_pad__"
                     "circular_pad__pad_channels"),
               Note("a known gap: it stops at RNN, and at recurrent layers without biases",
                    lambda row: _kind(row) == "rnn" or (row.op.kind in ("lstm", "gru") and not row.biases))),
    ),
    Tool(
        "flop-counter", noun="flops (PyTorch's FlopCounterMode)", added="each of them twice, with its addition",
        rules=tool_rules.FLOP_COUNTER, by_call=tool_calls.flop_counter, knows_einsum=True,
        notes=(_note("a known gap: LSTM counts nothing, and on a GPU neither do GRU and RNN", _RECURRENT),
               _note(_NO_ATTENTION, "scaled_dot_product_attention"), Note(_WITH_WEIGHTS, _is_module),
               _note("on a GPU QKᵀ and AV count too; under torch.no_grad nn.MultiheadAttention in eval mode counts "
                     "nothing", "scaled_dot_product_attention__multi_head_attention")),
    ),
)  # fmt: skip
#: Papers count multiply-adds of convolution and dense layers; their figures are those of `printed`.
_OF_PAPER = Tool(PAPER, rules=rules())
TOOLS: Mapping[str, Tool] = MappingProxyType({tool.name: tool for tool in _TOOLS})


def tool_named(name: str) -> Tool:
    """The tool of a name, or the convention of what was published. Raises `UsageError` with the nearest one."""
    found = {**TOOLS, PAPER: _OF_PAPER}.get(name.strip().lower())
    if found is None:
        hint = did_you_mean(name, (*TOOLS, PAPER)) or f"; there are {', '.join((*TOOLS, PAPER))}"
        raise UsageError(f"there is no convention {name[:60]!r}{hint}")
    return found


class Count(NamedTuple):
    """A total as a tool counts, and how many layers of each kind it leaves out because its rule is not known."""

    total: int
    not_counted: Mapping[str, int]


def by_place(analysis: Analysis, tool: Tool) -> Mapping[str, Terms | None]:
    """What a tool counts of those layers for which that depends on the rest of the network.

    A softmax at the end is part of the loss in the networks that PyTorch's tools see. In a file, numbers that are
    stored are ready for the gather that reads them; computed ones are rounded first. Attention in windows next to
    grids is written with einsum, which most tools count otherwise.
    """
    rows = analysis.rows
    if tool.reads_files:
        stored = {row.name for row in rows if row.op.kind == "parameter"}
        free = [row.name for row in rows if row.op.kind == "index_select" and row.inputs[1] in stored]
        written = analysis.graph.written
        if written is None or written.layers is not analysis.graph.layers:
            return dict.fromkeys(free, NOTHING)
        return {row.name: file_rules.terms_of(row, written, tool.terms(row)) for row in rows}
    read = {name for row in rows for name in row.inputs}
    ends = ("softmax", "log_softmax")
    free = [row.name for row in rows if row.op.kind in ends and row.name not in read and row.call is None]
    return dict.fromkeys(free, NOTHING) | (
        {} if tool.knows_einsum else dict.fromkeys(tool_rules.in_grids(rows, tool.by_call is not None), None)
    )


def unused(analysis: Analysis, tool: Tool) -> int:
    """The parameters that no layer has, for inference does not use them, and that a tool counts."""
    return sum(analysis.graph.unused.values()) if tool.counts_unused else 0


def repeated(analysis: Analysis, tool: Tool) -> int:
    """The parameters that several layers have and the file once, of a tool that counts files."""
    written = analysis.graph.written
    is_known = tool.reads_files and written is not None and written.layers is analysis.graph.layers
    return written.repeated if is_known and written is not None else 0


def count(analysis: Analysis, tool: Tool, quantity: str) -> Count | None:
    """The `params` or `multiplications` of a network for one image, as the tool counts; None where it counts none."""
    if tool.rules is None and quantity != "params":
        return None
    placed = by_place(analysis, tool)
    missing = Counter[str]()
    total = unused(analysis, tool) - repeated(analysis, tool) if quantity == "params" else 0
    for row in tool_rules.as_written(analysis.rows):
        value = tool.params_of(row) if quantity == "params" else tool.multiplications(row, placed)
        total += value or 0
        if value is None:
            missing.update((quantity != "params" and row.not_counted) or (row.op.noun,))
    return Count(total, missing)


def as_counted(analysis: Analysis, tool: Tool) -> Analysis:
    """The analysis with params and multiplications as the tool counts; a layer that its rule does not know has none.

    Raises `UsageError` for the convention `paper` where no published figures are known.
    """
    if tool.name == OWN:
        return analysis
    if tool.name == PAPER:
        return with_figures(analysis)
    placed = by_place(analysis, tool)
    rows = []
    for row, written in zip(analysis.rows, tool_rules.as_written(analysis.rows), strict=True):
        macs = row.multiplications if tool.rules is None else tool.multiplications(written, placed)
        missing = (row.not_counted or (row.op.noun,)) if macs is None else ()
        params = tool.params_of(written) or 0
        buffers = 0 if STATISTICS in tool.params else row.params + row.buffers - row.weights - row.biases
        rows.append(
            row._replace(params=params, buffers=buffers, multiplications=macs, not_counted=missing,
                         trainable_params=min(row.trainable_params, params))
        )  # fmt: skip
    params_rule = tool.describe_params()
    if more := unused(analysis, tool):
        params_rule += say("; and {count:,} that inference does not use, in no layer here", count=more)
    if fewer := repeated(analysis, tool):
        params_rule += say("; {count:,} of them stand in several layers here, and once in the file", count=fewer)
    if unknown := count(analysis, tool, "params"):
        kinds = ", ".join(f"{number} × {line(kind)}" for kind, number in unknown.not_counted.items())
        params_rule += say("; at least, for it may not see those of {kinds}", kinds=kinds) if kinds else ""
    # Memory is no matter of counting: what the tool leaves out is there all the same.
    stored = analysis.totals.params + (analysis.totals.buffers if STATISTICS in tool.params else 0)
    counted = replace(analysis, rows=tuple(rows), stored_params=stored)
    conventions = replace(
        analysis.conventions, params_rule=params_rule, multiplications_rule=tool.describe_multiplications(counted)
    )
    return replace(counted, conventions=conventions)
