"""How activation functions, and layers that do nothing or drop values, are written in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.interop.export.onnx_graph import Builder, Writer
from archcalc.interop.export.spelling import Case, Table
from archcalc.ops.axes import axis_of

TABLE: Table[Writer] = Table()


def plain(kind: str, op: str, **attributes: Any) -> None:
    """An op that is one node; attributes that are texts name a field."""

    def make(g: Builder, case: Case, inputs: Sequence[str]) -> str:
        given = {
            name: getattr(case.op, value.removeprefix("op.")) if str(value).startswith("op.") else value
            for name, value in attributes.items()
        }
        return str(g(op, *inputs, **given))

    TABLE[kind] = make


plain("relu", "Relu")
plain("sigmoid", "Sigmoid")
plain("tanh", "Tanh")
plain("leaky_relu", "LeakyRelu", alpha="op.negative_slope")
plain("elu", "Elu", alpha="op.alpha")
plain("selu", "Selu")
plain("gelu", "Gelu", approximate="op.approximate")
plain("mish", "Mish")
plain("hardsigmoid", "HardSigmoid", alpha=1 / 6, beta=0.5)
plain("hardswish", "HardSwish")
plain("softmax", "Softmax", axis=1)
plain("log_softmax", "LogSoftmax", axis=1)
plain("flatten", "Flatten", axis=1)
for _kind in ("identity", "stochastic_depth", "drop_block", "feature_dropout", "alpha_dropout"):
    plain(_kind, "Identity")
plain("feature_alpha_dropout", "Identity")


@TABLE.of("concat")
def _concat(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    return str(g("Concat", *inputs, axis=1 + axis_of(op.axis, case.inputs[0])))


@TABLE.of("parameter")
def _parameter(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    """The same map for every image; the input says how many there are."""
    count = g("Slice", g("Shape", inputs[0]), g.ints([0]), g.ints([1]))
    whole = g("Concat", count, g.ints(case.output), axis=0)
    return str(g("Expand", g("Unsqueeze", g.weight("weight"), g.ints([0])), whole))


@TABLE.of("dropout")
def _dropout(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    return str(g("Dropout", inputs[0], g.number(op.p)))


@TABLE.of("relu6", "hardtanh")
def _clip(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    low, high = (0.0, 6.0) if op.kind == "relu6" else (op.min_val, op.max_val)
    return str(g("Clip", inputs[0], g.number(low), g.number(high)))


@TABLE.of("scaled_tanh")
def _scaled_tanh(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    # Source: LeCun et al. 1998, appendix A.
    inner = g("Tanh", g("Mul", inputs[0], g.number(2 / 3)))
    return str(g("Mul", inner, g.number(1.7159)))


@TABLE.of("silu")
def _silu(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    return str(g("Mul", inputs[0], g("Sigmoid", inputs[0])))


@TABLE.of("glu")
def _glu(g: Builder, _: Case, inputs: Sequence[str]) -> str:
    first, second = g("Split", inputs[0], outputs=2, axis=1, num_outputs=2)
    return str(g("Mul", first, g("Sigmoid", second)))


@TABLE.of("prelu")
def _prelu(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    return str(g("PRelu", inputs[0], g.spread(g.weight("weight"), case.rank)))


@TABLE.of("softplus")
def _softplus(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    x = inputs[0] if op.beta == 1 else g("Mul", inputs[0], g.number(op.beta))
    soft = g("Softplus", x)
    soft = soft if op.beta == 1 else g("Div", soft, g.number(op.beta))
    return str(g("Where", g("Greater", x, g.number(op.threshold)), inputs[0], soft))
