"""How dense layers, trained values and normalisation are spelt in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.interop.export.spelling import Case, Made, Speller, Spelling, Table, args, only
from archcalc.interop.export.torch_windows import normalised

TABLE: Table[Speller] = Table()


@TABLE.of("linear")
def _linear(case: Case) -> Spelling:
    op: Any = case.op
    size = case.inputs[0][0] if op.per_position else _values(case.inputs[0])
    fields = args(("in_features", size), ("out_features", op.out_features), bias=(op.bias, True))
    if op.per_position and case.rank:
        return Spelling((Made(normalised(op, "PositionLinear"), fields),))
    return Spelling((*flattened(case), Made(normalised(op, "nn.Linear"), fields)))


def _values(shape: Sequence[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def flattened(case: Case) -> tuple[Made, ...]:
    return (Made("nn.Flatten", suffix="flatten"),) if case.rank else ()


@TABLE.of("rbf")
def _rbf(case: Case) -> Spelling:
    op: Any = case.op
    return only("Rbf", ("in_features", case.inputs[0][0]), ("out_features", op.out_features))


@TABLE.of("scale")
def _scale(case: Case) -> Spelling:
    op: Any = case.op
    return only("Scale", ("num_channels", case.inputs[0][0]), bias=(op.bias, False))


@TABLE.of("position_embedding")
def _positions(case: Case) -> Spelling:
    return only("PositionEmbedding", *((f"size{index}", size) for index, size in enumerate(case.inputs[0])))


@TABLE.of("class_token")
def _class_token(case: Case) -> Spelling:
    op: Any = case.op
    return only("ClassToken", ("num_channels", case.inputs[0][0]), num_tokens=(op.num_tokens, 1))


@TABLE.of("embedding")
def _embedding(case: Case) -> Spelling:
    op: Any = case.op
    return only("TokenEmbedding", ("num_embeddings", op.num_embeddings), ("embedding_dim", op.embedding_dim))


@TABLE.of("index_select")
def _index_select(_: Case) -> Spelling:
    return only("IndexSelect")


@TABLE.of("batch_normNd")
def _batch_norm(case: Case) -> Spelling:
    op: Any = case.op
    rank = max(case.rank, 1)
    fields = args(("num_features", case.inputs[0][0]), eps=(op.epsilon, 1e-5))
    if op.scale == op.shift:
        return Spelling((Made(f"nn.BatchNorm{rank}d", (*fields, *args(affine=(op.scale, True)))),))
    return Spelling((Made(f"HalfBatchNorm{rank}d", (*fields, *args(scale=(op.scale, None)))),))


@TABLE.of("local_response_norm")
def _lrn(case: Case) -> Spelling:
    op: Any = case.op
    call = "nn.LocalResponseNorm" if case.rank else "LocalResponseNorm"
    return only(call, ("size", op.size), alpha=(op.alpha, 1e-4), beta=(op.beta, 0.75), k=(op.k, 1.0))


@TABLE.of("l2_norm")
def _l2_norm(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(expression="F.normalize({0})" if op.epsilon == 1e-12 else f"F.normalize({{0}}, eps={op.epsilon!r})")


@TABLE.of("global_response_norm")
def _global_response_norm(case: Case) -> Spelling:
    op: Any = case.op
    return only("GlobalResponseNorm", ("channels", case.inputs[0][0]), eps=(op.epsilon, 1e-6))


@TABLE.of("parameter")
def _parameter(case: Case) -> Spelling:
    op: Any = case.op
    name = "FixedMap" if op.buffer else "TrainedMap"
    return only(name, *((f"size{index}", size) for index, size in enumerate(case.output)))


@TABLE.of("layer_norm", "rms_norm")
def _layer_norm(case: Case) -> Spelling:
    op: Any = case.op
    scale, shift = op.affine_parts
    name = "LayerNorm" if case.op.kind == "layer_norm" else "RMSNorm"
    size = plain_shape(case.inputs[0] if op.axes == "all" else case.inputs[0][:1])
    more = {"eps": (op.epsilon, 1e-5 if name == "LayerNorm" else None), "elementwise_affine": (scale, True)}
    shifted = name == "LayerNorm" or shift
    if shifted and scale:
        more["bias"] = (shift, True) if name == "LayerNorm" else (shift, False)
    moved = op.axes == "channels" and case.rank > 0
    call = f"Channel{name}" if moved else "ShiftedRMSNorm" if name == "RMSNorm" and shift else f"nn.{name}"
    return only(call, ("normalized_shape", size), **more)


def plain_shape(shape: Sequence[int]) -> int | tuple[int, ...]:
    """A number where there is one axis."""
    return shape[0] if len(shape) == 1 else tuple(shape)


@TABLE.of("group_norm")
def _group_norm(case: Case) -> Spelling:
    op: Any = case.op
    return only(
        "nn.GroupNorm", ("num_groups", op.num_groups), ("num_channels", case.inputs[0][0]),
        eps=(op.epsilon, 1e-5), affine=(op.affine, True),
    )  # fmt: skip


@TABLE.of("instance_norm")
def _instance_norm(case: Case) -> Spelling:
    op: Any = case.op
    return only(
        f"nn.InstanceNorm{case.rank}d", ("num_features", case.inputs[0][0]),
        eps=(op.epsilon, 1e-5), affine=(op.affine, False),
    )  # fmt: skip
