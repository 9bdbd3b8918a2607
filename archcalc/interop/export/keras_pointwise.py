"""How activation functions, and layers that do nothing or drop values, are spelt in Keras."""

from __future__ import annotations

from typing import Any

from archcalc.interop.export.spelling import Arg, Case, Layout, Made, Speller, Spelling, Table, args, only

TABLE: Table[Speller] = Table()


def _same_as(kind: str, call: str, *needed: tuple[str, Any], **fields: tuple[str, Any]) -> None:
    """An op whose layer takes its fields: for each its name in archcalc and the default in Keras."""

    def make(case: Case) -> Spelling:
        more = {name: (getattr(case.op, field), default) for name, (field, default) in fields.items()}
        return only(call, *needed, **more)

    TABLE[kind] = make


for _kind, _name in {
    "relu6": "relu6", "sigmoid": "sigmoid", "tanh": "tanh", "selu": "selu", "silu": "silu", "mish": "mish",
    "hardsigmoid": "hard_sigmoid", "hardswish": "hard_silu", "log_softmax": "log_softmax",
}.items():  # fmt: skip
    _same_as(_kind, "layers.Activation", ("activation", _name))
_same_as("relu", "layers.ReLU")
_same_as("softmax", "layers.Softmax")
_same_as("leaky_relu", "layers.LeakyReLU", negative_slope=("negative_slope", 0.3))
_same_as("elu", "layers.ELU", alpha=("alpha", 1.0))
_same_as("dropout", "layers.Dropout", rate=("p", None))
_same_as("identity", "layers.Identity")


@TABLE.of("scaled_tanh")
def _scaled_tanh(_: Case) -> Spelling:
    return only("ScaledTanh")


@TABLE.of("gelu")
def _gelu(case: Case) -> Spelling:
    op: Any = case.op
    if op.approximate == "none":
        return only("layers.Activation", ("activation", "gelu"))
    return Spelling(expression="ops.gelu({0}, approximate=True)")


@TABLE.of("hardtanh")
def _hardtanh(case: Case) -> Spelling:
    op: Any = case.op
    return only("ops.clip", ("x_min", op.min_val), ("x_max", op.max_val))


@TABLE.of("softplus")
def _softplus(case: Case) -> Spelling:
    op: Any = case.op
    if op.beta == 1 and op.threshold >= 20:  # beyond that float32 has no difference
        return only("layers.Activation", ("activation", "softplus"))
    return only("ThresholdSoftplus", ("beta", op.beta), ("threshold", op.threshold))


@TABLE.of("glu")
def _glu(_: Case) -> Spelling:
    return Spelling(expression="ops.glu({0})")


@TABLE.of("prelu")
def _prelu(case: Case) -> Spelling:
    op: Any = case.op
    shared = tuple(range(1, 1 + case.rank + (op.num_parameters == 1)))
    shape = (*[1] * case.rank, 1 if op.num_parameters == 1 else case.inputs[0][0])
    made = Made("layers.PReLU", (Arg("shared_axes", list(shared) or None, None),))
    return Spelling((made,), arrays={"weight": Layout("alpha", (0,), shape)})


@TABLE.of("feature_dropout")
def _feature_dropout(case: Case) -> Spelling:
    op: Any = case.op
    return only(f"layers.SpatialDropout{case.rank}D" if case.rank else "layers.Dropout", rate=(op.p, None))


@TABLE.of("stochastic_depth")
def _stochastic_depth(case: Case) -> Spelling:
    op: Any = case.op
    noise = Arg("noise_shape", (None if op.mode == "row" else 1, *[1] * (case.rank + 1)), None)
    return Spelling((Made("layers.Dropout", (*args(rate=(op.p, None)), noise)),))
