"""What a tool counts of a layer by how code calls it: a module, a function, a method, or several operations.

Networks that come of code keep how each layer is called (`Call`). Some tools see modules alone, some the operations
that PyTorch dispatches, some put functions of their own in the place of PyTorch's. Layers of specs have no call; they
count as the modules that the rules of `tool_rules` take them for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from archcalc.design.counting import (
    ATTENDED,
    BETWEEN_TOKENS,
    BIAS_ADDITIONS,
    BIASES,
    EINSUM,
    EINSUM_OF_KEYS,
    EINSUM_OF_VALUES,
    MACS,
    MULTIPLY_ADDS,
    NOTHING,
    OF_LINEAR,
    PAIRS,
    PARAMETERS,
    PROJECTIONS,
    SCORES,
    VALUES,
    WEIGHTS,
    Measure,
    Term,
    Terms,
    read,
    values,
)
from archcalc.graph.layer_graph import Call
from archcalc.passes.analysis import Row

#: The module of attention of PyTorch, and that of torchvision which calls functions on the weights of its layers.
_ATTENTION = "torch.nn.modules.activation.MultiheadAttention"
_IN_WINDOWS = "torchvision.models.swin_transformer.ShiftedWindowAttention"
#: What functions are called for a kind of layer that has another name.
_NAMES = {
    "global_avg_pool": ("adaptive_avg_pool",),
    "global_max_pool": ("adaptive_max_pool",),
    "upsample": ("interpolate",),
    "relu6": ("hardtanh",),
    "rnn": ("rnn_tanh", "rnn_relu"),
}
#: The parameters as elsewhere.
THE_SAME = (WEIGHTS, BIASES)
#: Products of two tensors.
_PRODUCTS = ("matmul", "mm", "bmm")
#: Functions that PyTorch itself writes with dense layers.
_CELLS = ("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
#: ptflops has a rule for this module of timm, and counts nothing of what is in it.
_OF_TIMM = "timm.layers.attention.Attention"


def _kind(name: str) -> str:
    """The name of a kind or of a function without its rank, and without the sign of writing in place."""
    return re.sub("[123]d$", "", name.rstrip("_"))


def function_of(row: Row) -> str:
    """The function of PyTorch for a kind of layer, without its rank."""
    kind = _kind(row.op.kind)
    return _NAMES.get(kind, (kind,))[0]


class Form(NamedTuple):
    """Another way in which code can call layers without parameters: in words, and the call; None: as a module."""

    words: str
    call: Callable[[Row], Call | None]


def _as_function(row: Row) -> Call:
    return Call(function_of(row), "function")


def _as_mean(row: Row) -> Call | None:
    return Call("mean", "method") if row.op.kind == "global_avg_pool2d" else None


FUNCTIONS = Form("with functions in place of modules", _as_function)
#: What needs the fewest changes first.
FORMS = (
    Form(
        "with the global pool as a function",
        lambda row: _as_function(row) if row.op.kind == "global_avg_pool2d" else None,
    ),
    Form("with the global pool as x.mean((2, 3))", _as_mean),
    FUNCTIONS,
    Form(
        "with functions in place of modules and the global pool as x.mean((2, 3))",
        lambda row: _as_mean(row) or _as_function(row),
    ),
)


def _is_own(row: Row, call: Call) -> bool:
    """Whether the function is the one that is called for this kind of layer, not others that give the same."""
    kind = _kind(row.op.kind)
    return _kind(call.function) in (kind, *_NAMES.get(kind, ()))


def _is_attention(row: Row) -> bool:
    return row.op.kind in ("multi_head_attention", "scaled_dot_product_attention")


def _is_part_of_module(row: Row, call: Call) -> bool:
    """Whether it is a part of PyTorch's module of attention where that is in a form that no op of archcalc has."""
    return call.module == _ATTENTION and row.op.kind != "multi_head_attention"


def _in_parts(row: Row, call: Call) -> bool:
    """Whether it is attention made of layers, neither PyTorch's module nor torchvision's in windows."""
    return _is_attention(row) and call.module != _ATTENTION and not call.module.startswith(_IN_WINDOWS)


def _parts(call: Call) -> tuple[tuple[Call, ...], tuple[Call, ...]]:
    """The calls between the tokens, and those of the projections."""
    between = call.steps[:3] if call.way == "steps" else (call,)
    return between, call.steps[len(between) if call.way == "steps" else 0 :]


def _between(calls: tuple[Call, ...], by_product: dict[str, tuple[Measure, Measure]]) -> Terms | None:
    """The terms of QKᵀ and AV, each by the function that makes the product; None for another function."""
    found: list[Term] = []
    for place, call in enumerate(calls[::2] if len(calls) > 1 else ()):
        if call.function not in by_product:
            return None
        found.append(Term(1, by_product[call.function][place]))
    return tuple(found)


def in_windows(row: Row, call: Call) -> bool:
    """Whether it is torchvision's attention in windows."""
    return _is_attention(row) and call.module.startswith(_IN_WINDOWS)


def flop_counter(row: Row, call: Call, terms: Terms | None) -> Terms | None:
    """It counts what PyTorch dispatches: all products, but attention that is one operation on a CPU not."""
    if row.op.kind == "matmul" and (call.module == _ATTENTION or call.function == "scaled_dot_product_attention"):
        return None  # of attention with a mask, which may be one operation or not
    if not _is_attention(row):
        return terms
    if call.way == "steps":
        return (Term(2, MULTIPLY_ADDS),)
    return Term(2, MULTIPLY_ADDS), Term(-2, BETWEEN_TOKENS)


def fvcore(row: Row, call: Call, terms: Terms | None) -> Terms | None:
    """It counts by the operations that are traced; of those that it has no rule for it counts nothing."""
    product = dict.fromkeys(_PRODUCTS, (SCORES, ATTENDED)) | {"einsum": (EINSUM_OF_KEYS, EINSUM_OF_VALUES)}
    if in_windows(row, call):
        return MACS
    if _is_attention(row):
        if not _in_parts(row, call):
            with_weights = call.module == _ATTENTION and call.way == "steps"
            return MACS if with_weights else terms
        between, projections = _parts(call)
        found = _between(between, product)
        if found is None or any(each.function not in ("linear", *_PRODUCTS) for each in projections):
            return None
        return (*(PROJECTIONS if projections else NOTHING), *found)
    if is_padded_by_word(row):
        return NOTHING
    if row.op.kind == "linear" and call.module == _ATTENTION:
        return terms
    if call.function == "einsum":
        return (Term(1, EINSUM),) if row.multiplications else NOTHING
    if _is_own(row, call) or (row.multiplications and call.function in ("linear", "addmm", *_CELLS, *_PRODUCTS)):
        return terms
    # A function of Python, or one that makes products, may call others that it counts.
    return terms if terms == NOTHING else None if call.way == "function" or row.multiplications else NOTHING


def is_padded_by_word(row: Row) -> bool:
    """Whether it is a convolution that code gives its padding as a word, "same" or "valid"."""
    return row.call is not None and row.call.overload == "padding"


def thop(row: Row, call: Call, terms: Terms | None) -> Terms | None:
    """It sees modules of PyTorch's classes alone."""
    if _in_parts(row, call):
        between, projections = _parts(call)
        if any(each.by_module for each in between):
            return None  # a softmax that is a module counts
        if not all(each.by_module for each in projections):
            return None if any(each.by_module for each in projections) else NOTHING
        return PROJECTIONS if projections else NOTHING
    if _is_attention(row):
        return NOTHING
    return NOTHING if not call.by_module else terms if _is_own(row, call) or terms == NOTHING else None


def thop_sees(row: Row, call: Call) -> tuple[Measure, ...] | None:
    """What it counts as parameters of a layer: those of modules of PyTorch's classes."""
    if _in_parts(row, call):
        projections = _parts(call)[1]
        seen = {each.by_module for each in projections}
        return (OF_LINEAR,) if seen == {True} else () if seen <= {False} else None
    if _is_attention(row):
        return THE_SAME
    return () if not call.by_module else THE_SAME if _is_own(row, call) else None


def torchinfo(row: Row, call: Call, terms: Terms | None) -> Terms | None:
    """It counts by the parameters of modules that have no others in them."""
    if _in_parts(row, call):
        projections = _parts(call)[1]
        seen = {each.by_module and each.leading for each in projections}
        if not projections:
            return NOTHING
        return (Term(seen.pop(), OF_LINEAR),) if len(seen) == 1 and False not in seen else None
    if _is_attention(row) or terms == NOTHING:
        return NOTHING
    if call.by_module:
        return _in_batch(terms, call) if _is_own(row, call) else None
    if call.inner:
        return NOTHING
    return _in_batch(terms, call) if call.base not in ("", "torch.nn.modules.module.Module") else None


def _in_batch(terms: Terms | None, call: Call) -> Terms | None:
    """The parameters count once for each place of the first axis, the batch of most modules."""
    return terms and tuple(
        [Term(t.times * call.leading if t.measure is PARAMETERS else t.times, t.measure) for t in terms]
    )


#: Functions of torch.nn.functional in whose place ptflops puts its own; those of C are called as torch's are.
_ACTIVATIONS = frozenset({"relu", "elu", "gelu", "prelu", "relu6", "silu", "softmax"})
_POOLS = frozenset({"max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool"})
_OF_C = frozenset({"gelu", "avg_pool", "prelu"})


def ptflops(row: Row, call: Call, terms: Terms | None) -> Terms | None:
    """It sees modules of PyTorch's classes, and functions for which it puts its own in the place of PyTorch's."""
    if _is_part_of_module(row, call):
        return None if row.multiplications else NOTHING  # its rule is for the whole module
    if _is_attention(row):
        return _attention_of_ptflops(row, call, terms)
    function = _kind(call.function)
    if is_of_timm(row):
        return NOTHING
    if call.by_module:
        return terms if _is_own(row, call) or terms == NOTHING else None
    if function in (*_PRODUCTS, "baddbmm", "addmm") and row.multiplications:
        # `@` counts nothing, and what is called is the same as for x.matmul(y).
        called = call.way == "builtin" or function != "matmul"
        return MACS if called and function in _PRODUCTS else None
    if function in ("add", "mul") and call.way == "builtin":
        return values(max(1, len(row.inputs) - 1))
    if call.module.startswith("torch.nn.modules.") and function in _ACTIVATIONS:
        return NOTHING  # a layer of transformers got its function before another was put in its place
    is_replaced = call.way == "function" or (call.way == "builtin" and function in _OF_C)
    if is_replaced and function in _ACTIVATIONS:
        return values(1)
    if is_replaced and function in _POOLS:
        return read(1)
    if is_replaced and function in ("local_response_norm", "lp_pool"):
        return terms  # functions of PyTorch that call those which are replaced, as their modules do
    if is_replaced and function == "interpolate":
        return values(1) if terms is not None else None
    return NOTHING


def is_of_timm(row: Row) -> bool:
    """Whether it is in timm's module of attention, or this itself."""
    return row.call is not None and _OF_TIMM in (*row.call.within, row.call.module)


def _attention_of_ptflops(row: Row, call: Call, terms: Terms | None) -> Terms | None:
    """PyTorch's module has a rule, timm's one for what is between the tokens; all else counts by its parts."""
    between, projections = _parts(call)
    # A product is called as a method by torchvision; elsewhere it may be an operator, which counts nothing.
    products = dict.fromkeys(_PRODUCTS, (SCORES, ATTENDED))
    unknown = any(each.function == "matmul" and each.way == "method" for each in between)
    softmax = (Term(1, PAIRS),) if len(between) > 1 and between[1].way == "function" else NOTHING
    if call.module == _ATTENTION:
        more = (Term(1, BETWEEN_TOKENS), Term(1, PAIRS)) if call.way == "steps" else NOTHING
        return None if terms is None else (*terms, *more)
    if in_windows(row, call):
        return Term(1, BETWEEN_TOKENS), Term(1, PAIRS)
    if call.module == _OF_TIMM:
        # With its projections it is the whole module; without them it is a part of it.
        return (Term(1, VALUES), Term(1, BETWEEN_TOKENS), Term(1, PAIRS)) if projections else None
    if is_of_timm(row):
        return None
    made = _between(between, products | {"einsum": (NO_PRODUCT, NO_PRODUCT)})
    linear = {each.by_module and each.function == "linear" for each in projections}
    if made is None or unknown or len(linear) > 1:
        return None
    found = (*PROJECTIONS, Term(1, BIAS_ADDITIONS)) if linear == {True} else NOTHING
    return (*found, *made, *softmax)


#: What an einsum is for a tool that does not see it.
NO_PRODUCT = Measure("product that is not seen", lambda _: 0)
