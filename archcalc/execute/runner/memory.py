"""Whether a run fits into memory, checked before it starts."""

from __future__ import annotations

import os
from math import prod
from pathlib import Path

from archcalc.core.conventions import BYTES
from archcalc.core.errors import UsageError
from archcalc.execute.kernels.conv import SLAB_BYTES
from archcalc.passes.analysis import Analysis

#: Python, numpy and the program itself.
PROGRAM_BYTES = 100 << 20


def needed_bytes(analysis: Analysis, keep_weights: bool = False) -> int:
    """Bytes that a run needs at the most, roughly.

    The live maps, a padded copy of the largest, columns of im2col, and the weights: all of them if they are kept, else
    those of the layer that has most and those that layers share.
    """
    size = BYTES[analysis.dtype]
    totals = analysis.totals
    arrays = [row.params + row.buffers for row in analysis.rows]
    largest_map = max(prod(row.output_shape) for row in analysis.rows)
    shared = {row.weights_of for row in analysis.rows}
    kept = sum(values for values, row in zip(arrays, analysis.rows, strict=True) if row.name in shared)
    weights = sum(arrays) if keep_weights else 2 * max(arrays) + kept
    maps = totals.peak_activation_bytes + largest_map * size * analysis.batch
    return maps + weights * size + 2 * SLAB_BYTES + PROGRAM_BYTES


def preparation_budget(analysis: Analysis) -> int:
    """Bytes by which the prepared weights of a plan may be larger than plain ones.

    With it a plan stays below 1.3 × (weights + live maps) + 150 MiB: the program, its buffers and what numpy needs
    while weights are prepared take up to 120 MiB of that.
    """
    return analysis.totals.param_bytes // 5 + (30 << 20)


def available_bytes() -> int | None:
    """Memory that is free for this program: the smallest of what the machine, its container and its limits leave."""
    found = [each for each in (_machine(), _container(), _limit()) if each is not None]
    return min(found, default=None)


def _machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return None  # a system that does not say


def _container() -> int | None:
    group = Path("/sys/fs/cgroup")
    try:
        return int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return None  # no container, or one without a limit ("max")


def _limit() -> int | None:
    try:
        import resource
    except ImportError:
        return None  # Windows
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def check_memory(analysis: Analysis, keep_weights: bool = False) -> None:
    """Raise `UsageError` that says how much is needed, where that is more than there is."""
    _require(needed_bytes(analysis, keep_weights), analysis)


def gradient_bytes(analysis: Analysis) -> int:
    """Bytes of a forward and backward pass, roughly: all maps and weights, and the gradients of the largest of both."""
    kept = [prod(row.output_shape) for row in analysis.rows if not row.op.is_view]
    arrays = [row.params + row.buffers for row in analysis.rows]
    values = (sum(kept) + 4 * max(kept)) * analysis.batch + sum(arrays) + 2 * max(arrays)
    return values * BYTES[analysis.dtype] + PROGRAM_BYTES


def check_gradient_memory(analysis: Analysis) -> None:
    """The same before a forward and backward pass."""
    _require(gradient_bytes(analysis), analysis)


def _require(needed: int, analysis: Analysis) -> None:
    available = available_bytes()
    if available is not None and needed > available:
        raise UsageError(
            f"{analysis.graph.name} needs about {_gib(needed)} of memory for a batch of {analysis.batch} in "
            f"{analysis.dtype}, and {_gib(available)} are free; a smaller --batch or input needs less"
        )


def _gib(count: int) -> str:
    return f"{count / (1 << 30):,.1f} GiB"
