"""Dense layers."""

from __future__ import annotations

import numpy as np

from archcalc.execute.quick.kernels.blocks import even_spans
from archcalc.execute.quick.kernels.workspace import Array, Workspace

#: Blocks of a dense layer: with one image it is bound by reading the weights, which two cores do faster than one.
ROUNDS = 2


def dense(x: Array, weight: Array, bias: Array | None, out: Array, workspace: Workspace, *, relu: bool = False) -> None:
    """`x` (N, D), `weight` (K, D), `bias` (K,), `out` (N, K). Workers share the filters: each weight is read once."""

    def block(_worker: int, part: slice) -> None:
        target = out[:, part]
        if len(x) == 1:
            np.matmul(weight[part], x[0], out=target[0])
        else:
            np.matmul(x, weight[part].T, out=target)
        if bias is not None:
            np.add(target, bias[part], out=target)
        if relu:
            np.maximum(target, 0, out=target)

    workspace.each(block, even_spans(len(weight), workspace.active * ROUNDS if workspace.active > 1 else 1))
