"""Dense layers."""

from __future__ import annotations

import numpy as np

from archcalc.execute.quick.kernels.blocks import even_spans
from archcalc.execute.quick.kernels.workspace import Array, Workspace

#: Blocks of a dense layer: with one image it is bound by reading the weights, which two cores do faster than one.
ROUNDS = 2


def dense(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    relu: bool = False,
    out: Array | None = None,
    workspace: Workspace | None = None,
) -> Array:
    """`x` (N, D), `weight` (K, D), `bias` (K,) → (N, K). Workers share out the filters: each weight is read once."""
    workspace = workspace or Workspace(1)
    filters = weight.shape[0]
    if out is None:
        out = np.empty((x.shape[0], filters), x.dtype)
    result = out

    def block(_worker: int, part: slice) -> None:
        target = result[:, part]
        if len(x) == 1:
            np.matmul(weight[part], x[0], out=target[0])
        else:
            np.matmul(x, weight[part].T, out=target)
        if bias is not None:
            np.add(target, bias[part], out=target)
        if relu:
            np.maximum(target, 0, out=target)

    workspace.each(block, even_spans(filters, workspace.active * ROUNDS if workspace.active > 1 else 1))
    return out
