"""The weights of a network before any training, from which gradients are measured."""

from __future__ import annotations

import math

from archcalc.core.errors import UsageError
from archcalc.execute.weights import SeededWeights, fans
from archcalc.graph.layer_graph import LayerGraph

#: Names of rules; a number is the standard deviation of every weight.
INITS = ("auto", "he", "glorot")


class InitialWeights(SeededWeights):
    """Biases and shifts are 0, scales 1, and the weights spread around 0 as `init` says.

    he: variance 2/fan-in (He et al. 2015, Delving deep into rectifiers, equation 10); glorot: 2/(fan-in + fan-out)
    (Glorot & Bengio 2010, equation 16); auto: he where a rectifier follows, glorot elsewhere; a number: this standard
    deviation everywhere, as 0.01 of Krizhevsky et al. 2012. A trained subsampling begins as a mean.
    """

    def __init__(self, graph: LayerGraph, seed: int = 0, dtype: str = "float32", init: str = "auto") -> None:
        super().__init__(graph, seed, dtype)
        self._init = check_init(init)

    def _range(self, index: int, name: str, size: tuple[int, ...]) -> tuple[float, float]:
        layer = self._layers[index]
        op = layer.op
        if name == "bias":
            return 0.0, 0.0
        if name == "weight" and op.family == "normalisation":
            return 1.0, 1.0
        if name == "weight" and op.family == "pooling":
            share = 1 / math.prod(getattr(op, "kernel_size", (1, 1)))
            return share, share
        if name not in ("weight", "original1") or self._init == "auto":
            return super()._range(index, name, size)
        fan_in, fan_out = fans(layer, size)
        if self._init == "he":
            variance = 2 / fan_in
        elif self._init == "glorot":
            variance = 2 / (fan_in + fan_out)
        else:
            variance = float(self._init) ** 2
        # A uniform distribution from −a to a has the variance a²/3.
        end = math.sqrt(3 * variance)
        return -end, end


def check_init(init: str) -> str:
    """Raise `UsageError` unless this is a name of `INITS` or a standard deviation."""
    if init in INITS:
        return init
    try:
        deviation = float(init)
    except ValueError:
        deviation = -1
    if not 0 < deviation < 1e6:
        raise UsageError(f"--init takes {', '.join(INITS)} or a standard deviation like 0.01, not {init[:40]!r}")
    return init
