"""How dense layers, trained values and normalisation are spelt in Keras."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.interop.export.spelling import KERAS, Arg, Case, Layout, Made, Speller, Spelling, Table, args, only

TABLE: Table[Speller] = Table()


def flattened(case: Case) -> tuple[Made, ...]:
    """All values in a row, channel by channel as archcalc has them."""
    if not case.rank:
        return ()
    flat = Made("layers.Flatten", suffix="flatten")
    if prod(case.inputs[0][1:]) == 1 or case.inputs[0][0] == 1:
        return (flat,)
    order = (1 + case.rank, *range(1, 1 + case.rank))
    return Made("layers.Permute", (Arg("dims", list(order), keyword=False),), "permute"), flat


@TABLE.of("linear")
def _linear(case: Case) -> Spelling:
    op: Any = case.op
    own = Made("layers.Dense", args(("units", op.out_features), use_bias=(op.bias, True)))
    arrays = {"weight": Layout("kernel", (1, 0)), "bias": Layout("bias", (0,))}
    return Spelling((own,) if op.per_position else (*flattened(case), own), arrays=arrays)


@TABLE.of("rbf")
def _rbf(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling((Made("Rbf", args(("units", op.out_features))),), arrays={"centers": Layout("centers", (0, 1))})


@TABLE.of("scale")
def _scale(case: Case) -> Spelling:
    op: Any = case.op
    arrays = {name: Layout(name, (0,)) for name in ("weight", "bias")}
    return Spelling((Made("Scale", args(use_bias=(op.bias, False))),), arrays=arrays)


def _last(rank: int) -> tuple[int, ...]:
    """(C, positions) as (positions, C)."""
    return (*range(1, 1 + rank), 0)


@TABLE.of("position_embedding")
def _positions(case: Case) -> Spelling:
    return Spelling((Made("PositionEmbedding"),), arrays={"weight": Layout("weight", _last(case.rank))})


@TABLE.of("parameter")
def _parameter(case: Case) -> Spelling:
    size = (*case.output[1:], case.output[0])
    op: Any = case.op
    made = Made("TrainedMap", (Arg("size", list(size), keyword=False), *args(trained=(not op.buffer, True))))
    return Spelling((made,), arrays={"weight": Layout("weight", _last(case.rank))})


@TABLE.of("l2_norm")
def _l2_norm(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(expression=f"ops.normalize({{0}}, axis=-1, epsilon={op.epsilon!r})")


@TABLE.of("class_token")
def _class_token(case: Case) -> Spelling:
    op: Any = case.op
    made = Made("ClassToken", args(num_tokens=(op.num_tokens, 1)))
    return Spelling((made,), arrays={"weight": Layout("weight", (1, 0))})


@TABLE.of("embedding")
def _embedding(case: Case) -> Spelling:
    op: Any = case.op
    own = Made("TokenEmbedding", args(("input_dim", op.num_embeddings), ("output_dim", op.embedding_dim)))
    return Spelling((own,), arrays={"weight": Layout("embeddings", (0, 1))})


@TABLE.of("index_select")
def _index_select(_: Case) -> Spelling:
    return only("IndexSelect")


@TABLE.of("global_response_norm")
def _grn(case: Case) -> Spelling:
    op: Any = case.op
    arrays = {name: Layout(name, (0,)) for name in ("weight", "bias")}
    return Spelling((Made("GlobalResponseNorm", args(("epsilon", op.epsilon))),), arrays=arrays)


_TRAINED = {"weight": Layout("gamma", (0,)), "bias": Layout("beta", (0,))}


@TABLE.of("batch_normNd")
def _batch_norm(case: Case) -> Spelling:
    op: Any = case.op
    if op.counts_values:
        statistics = {"running_mean": Layout("mean", (0,)), "running_var": Layout("variance", (0,))}
        return Spelling((Made("layers.Normalization"),), arrays=statistics)
    made = Made("layers.BatchNormalization", args(
        epsilon=(op.epsilon, 0.001), center=(op.shift, True), scale=(op.scale, True),
    ))  # fmt: skip
    moving = {"running_mean": Layout("moving_mean", (0,)), "running_var": Layout("moving_variance", (0,))}
    return Spelling((made,), arrays={**_TRAINED, **moving})


@TABLE.of("local_response_norm")
def _lrn(case: Case) -> Spelling:
    op: Any = case.op
    return only(
        "LocalResponseNormalization", ("size", op.size), alpha=(op.alpha, 1e-4), beta=(op.beta, 0.75), k=(op.k, 1.0)
    )


@TABLE.of("layer_norm", "rms_norm")
def _layer_norm(case: Case) -> Spelling:
    op: Any = case.op
    scale, shift = op.affine_parts
    axes = list(range(1, 2 + case.rank))
    axis = Arg("axis", axes if op.axes == "all" and case.rank else -1, -1)
    order = _last(case.rank) if op.axes == "all" else (0,)
    arrays = {"weight": Layout("gamma", order), "bias": Layout("beta", order)}
    if op.kind == "layer_norm":
        more = args(epsilon=(op.epsilon, 0.001), center=(shift, True), scale=(scale, True))
        return Spelling((Made("layers.LayerNormalization", (axis, *more)),), arrays=arrays)
    if not scale or shift:
        raise case.cannot("an RMS norm without a scale, or with a shift,", KERAS)
    arrays["weight"] = Layout("scale", order)
    return Spelling((Made("layers.RMSNormalization", (axis, *args(epsilon=(op.epsilon, 1e-6)))),), arrays=arrays)


@TABLE.of("group_norm", "instance_norm")
def _group_norm(case: Case) -> Spelling:
    op: Any = case.op
    groups = op.num_groups if op.kind == "group_norm" else -1
    made = Made("layers.GroupNormalization", args(
        groups=(groups, 32), epsilon=(op.epsilon, 0.001), center=(op.affine, True), scale=(op.affine, True),
    ))  # fmt: skip
    return Spelling((made,), arrays=_TRAINED)
