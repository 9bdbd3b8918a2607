"""The largest batch for an amount of memory, and what would make space for more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from archcalc.core.conventions import BYTES
from archcalc.core.errors import UsageError
from archcalc.core.language import mark
from archcalc.core.shapes import LARGEST_BATCH
from archcalc.design.memory import IN_PLACE, Policy, Timeline, memory_timeline
from archcalc.passes.analysis import Analysis


class Fit(NamedTuple):
    """The largest batch, 0 where not even one image fits; the bytes that it takes, and what one image more would.

    No batch is larger than `LARGEST_BATCH`, whatever fits: `is_at_limit`.

    `training_batch`: the largest batch of training, which inference says too; None where what it keeps is not known.
    `alternatives`: the batch with another policy or type of values, by the option that asks for it, where it is larger.
    """

    timeline: Timeline
    memory: int
    batch: int
    used: int
    needed: int
    training_batch: int | None
    alternatives: Mapping[str, int]

    @property
    def is_at_limit(self) -> bool:
        """Whether one image more would fit into the memory, and the batch is the largest that there may be."""
        return self.batch > 0 and self.needed <= self.memory


def fit_into(analysis: Analysis, policy: Policy, memory: int) -> Fit:
    """The largest batch that fits into so many bytes. Raises `UsageError` as `memory_timeline`."""
    timeline = memory_timeline(analysis, policy)
    batch = largest_batch(timeline, memory)
    others = {
        words: largest_batch(memory_timeline(replace(analysis, dtype=dtype), other), memory)
        for words, other, dtype in _alternatives(policy, analysis.dtype)
    }
    better = {words: other for words, other in others.items() if other > batch}
    training = batch if policy.training else _training_batch(analysis, policy, memory)
    return Fit(timeline, memory, batch, _peak(timeline, batch), _peak(timeline, batch + 1), training, better)


def _training_batch(analysis: Analysis, policy: Policy, memory: int) -> int | None:
    try:
        timeline = memory_timeline(analysis, replace(policy, training=True, keep_all=False))
    except UsageError:  # the type of values is not for training, or it is not known what a layer keeps
        return None
    return largest_batch(timeline, memory)


def largest_batch(timeline: Timeline, memory: int) -> int:
    """The largest batch of a timeline that fits into so many bytes, up to `LARGEST_BATCH`."""
    free = memory - sum(timeline.fixed)
    fitting = min([(free - once) // image for image, once in timeline.live if image], default=0)
    return min(max(fitting, 0), LARGEST_BATCH)


def _peak(timeline: Timeline, batch: int) -> int:
    if batch == 0:
        return sum(timeline.fixed)
    return max(image * batch + once for image, once in timeline.live) + sum(timeline.fixed)


def _alternatives(policy: Policy, dtype: str) -> Iterator[tuple[str, Policy, str]]:
    """Policies and types of values that may take less, each with the option that asks for it."""
    if policy.keep_all:
        yield mark("maps freed (no --keep-all)"), replace(policy, keep_all=False), dtype
    for one in IN_PLACE:
        if one not in policy.in_place and not (policy.training and one == "batch-norm"):
            over = (*policy.in_place, one)
            yield f"--in-place {','.join(over)}", replace(policy, in_place=over), dtype
    if not policy.mixed:
        for other in ("float32", "bfloat16") if policy.training else ("float32", "float16", "int8"):
            if BYTES[other] < BYTES[dtype]:
                yield f"--dtype {other}", policy, other
    if policy.training and not policy.mixed and dtype == "float32":
        yield "--mixed", replace(policy, mixed=True), dtype
    if policy.training and policy.checkpoint is None:
        yield "--checkpoint 1", replace(policy, checkpoint=1), dtype
    if policy.optimiser == "adam":
        yield "--optimizer momentum", replace(policy, optimiser="momentum"), dtype
    if policy.workspace == "batch":
        yield "--workspace image", replace(policy, workspace="image"), dtype
