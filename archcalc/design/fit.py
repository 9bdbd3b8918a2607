"""The largest batch for an amount of memory, and what would make space for more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.design.memory import Policy, Timeline, memory_timeline
from archcalc.passes.analysis import Analysis


class Fit(NamedTuple):
    """The largest batch, 0 where not even one image fits; the bytes that it takes, and what one image more would.

    `training_batch`: the largest batch of training, which inference says too; None where what it keeps is not known.
    `alternatives`: the batch with another policy, by the option that asks for it, where it is a larger one.
    """

    timeline: Timeline
    memory: int
    batch: int
    used: int
    needed: int
    training_batch: int | None
    alternatives: Mapping[str, int]


def fit_into(analysis: Analysis, policy: Policy, memory: int) -> Fit:
    """The largest batch that fits into so many bytes. Raises `UsageError` as `memory_timeline`."""
    timeline = memory_timeline(analysis, policy)
    batch = largest_batch(timeline, memory)
    others = {
        words: largest_batch(memory_timeline(analysis, other), memory)
        for words, other in _alternatives(policy, analysis.dtype)
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
    """The largest batch of a timeline that fits into so many bytes."""
    free = memory - sum(timeline.fixed)
    return max(0, min([(free - once) // image for image, once in timeline.live if image], default=0))


def _peak(timeline: Timeline, batch: int) -> int:
    if batch == 0:
        return sum(timeline.fixed)
    return max(image * batch + once for image, once in timeline.live) + sum(timeline.fixed)


def _alternatives(policy: Policy, dtype: str) -> Iterator[tuple[str, Policy]]:
    """Policies that may take less, each with the option that asks for it."""
    if "activations" not in policy.in_place:
        yield "--in-place activations", replace(policy, in_place=("activations", *policy.in_place))
    if "additions" not in policy.in_place:
        yield (
            f"--in-place {','.join((*policy.in_place, 'additions'))}",
            replace(policy, in_place=(*policy.in_place, "additions")),
        )
    if policy.training and not policy.mixed and dtype == "float32":
        yield "--mixed", replace(policy, mixed=True)
    if policy.training and policy.checkpoint is None:
        yield "--checkpoint 1", replace(policy, checkpoint=1)
    if policy.optimiser == "adam":
        yield "--optimizer momentum", replace(policy, optimiser="momentum")
    if policy.workspace == "batch":
        yield "--workspace image", replace(policy, workspace="image")
