"""How activation functions, and layers that do nothing or drop values, are spelt in PyTorch."""

from __future__ import annotations

from typing import Any

from archcalc.interop.export.spelling import Case, Speller, Spelling, Table, only

TABLE: Table[Speller] = Table()


def _same_as(kind: str, call: str, **fields: tuple[str, Any]) -> None:
    """An op whose module takes its fields: for each its name in PyTorch and the default there."""

    def make(case: Case) -> Spelling:
        more = {name: (getattr(case.op, field), default) for field, (name, default) in fields.items()}
        return only(call.replace("N", str(case.rank)), **more)

    TABLE[kind] = make


_same_as("relu", "nn.ReLU")
_same_as("relu6", "nn.ReLU6")
_same_as("sigmoid", "nn.Sigmoid")
_same_as("tanh", "nn.Tanh")
_same_as("scaled_tanh", "ScaledTanh")
_same_as("leaky_relu", "nn.LeakyReLU", negative_slope=("negative_slope", 0.01))
_same_as("elu", "nn.ELU", alpha=("alpha", 1.0))
_same_as("selu", "nn.SELU")
_same_as("gelu", "nn.GELU", approximate=("approximate", "none"))
_same_as("silu", "nn.SiLU")
_same_as("mish", "nn.Mish")
_same_as("hardsigmoid", "nn.Hardsigmoid")
_same_as("hardswish", "nn.Hardswish")
_same_as("hardtanh", "nn.Hardtanh", min_val=("min_val", -1.0), max_val=("max_val", 1.0))
_same_as("softplus", "nn.Softplus", beta=("beta", 1.0), threshold=("threshold", 20.0))
_same_as("dropout", "nn.Dropout", p=("p", 0.5))
_same_as("alpha_dropout", "nn.AlphaDropout", p=("p", 0.5))
_same_as("feature_alpha_dropout", "nn.FeatureAlphaDropout", p=("p", 0.5))
_same_as("stochastic_depth", "StochasticDepth", p=("p", 0.5), mode=("mode", "row"))
_same_as("drop_block", "DropBlock", p=("p", 0.5), block_size=("block_size", 7))
_same_as("identity", "nn.Identity")
_same_as("flatten", "nn.Flatten")


@TABLE.of("softmax", "log_softmax")
def _softmax(case: Case) -> Spelling:
    return only("nn.Softmax" if case.op.kind == "softmax" else "nn.LogSoftmax", dim=(1, None))


@TABLE.of("glu")
def _glu(_: Case) -> Spelling:
    return only("nn.GLU", dim=(1, -1))


@TABLE.of("prelu")
def _prelu(case: Case) -> Spelling:
    op: Any = case.op
    return only("nn.PReLU", num_parameters=(1 if op.num_parameters == 1 else case.inputs[0][0], 1))


@TABLE.of("feature_dropout")
def _feature_dropout(case: Case) -> Spelling:
    op: Any = case.op
    # Where there are no positions every value is a channel.
    return only(f"nn.Dropout{case.rank}d" if case.rank else "nn.Dropout", p=(op.p, 0.5))
