"""What this machine does in a second with numpy, and how long a run takes, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.execute.model_weights import own_weights
from archcalc.execute.quick.plan import Plan
from archcalc.execute.runner.inputs import random_inputs
from archcalc.execute.runner.memory import check_memory
from archcalc.passes.analysis import Analysis

#: Seconds from any beginning.
Timer = Callable[[], float]
#: Rows and columns of the matrices, and bytes of the copy: more than caches hold.
SIDE, COPIED = 1024, 1 << 26
REPEATS = 5


class Rates(NamedTuple):
    """Operations and bytes per second."""

    flops: int
    bandwidth: int


def measure_rates(dtype: str, timer: Timer = perf_counter) -> Rates:
    """The best of several products of square matrices and of several copies, which read and write each byte.

    Raises `UsageError` for a dtype in which numpy has no matrix product of BLAS.
    """
    if dtype not in ("float32", "float64"):
        raise UsageError(f"this machine is measured in float32 or float64, not in {dtype}")
    rng = np.random.default_rng(0)
    first, second = (rng.random((SIDE, SIDE)).astype(dtype) for _ in range(2))
    product = np.empty_like(first)
    source = np.ones(COPIED, np.uint8)
    target = np.zeros_like(source)
    operations = SIDE * SIDE * (2 * SIDE - 1)
    return Rates(
        int(operations / _best(lambda: np.matmul(first, second, out=product), timer)),
        int(2 * COPIED / _best(lambda: np.copyto(target, source), timer)),
    )


def _best(work: Callable[[], object], timer: Timer) -> float:
    """Seconds of the quickest of several times, after one that is not counted."""
    work()
    times = []
    for _ in range(REPEATS):
        start = timer()
        work()
        times.append(timer() - start)
    best = min(times)
    if best <= 0:
        raise UsageError("the clock of this machine is too coarse to measure it")
    return best


class Part(NamedTuple):
    """Layers that ran as one, and whether by Winograd's algorithm, with fewer multiplications than are counted."""

    layers: tuple[int, ...]
    seconds: float
    transformed: bool


def time_layers(analysis: Analysis, seed: int = 0, timer: Timer = perf_counter) -> list[Part]:
    """The seconds of a fast run, for each layer or for several that ran as one.

    A first run, which prepares the weights, is not counted. Raises `UsageError` where memory does not suffice, and
    `KernelError` where a layer cannot be executed.
    """
    check_memory(analysis, keep_weights=True)
    x = random_inputs(analysis.graph, analysis.batch, seed, analysis.dtype)
    plan = Plan(analysis.graph, own_weights(analysis, seed, keep=True))
    plan.run(x)
    times: dict[int, float] = {}
    before = timer()

    def note(last: int) -> None:
        nonlocal before
        now = timer()
        times[last] = now - before
        before = now

    plan.run(x, report=note)
    transformed = plan.transformed
    return [Part(group.layers, times[group.last], group.first in transformed) for group in plan.groups]
