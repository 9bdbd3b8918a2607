"""Depth as papers count it: layers with weights that multiply, along the longest path."""

from __future__ import annotations

from collections.abc import Sequence


def weighted_depth(sources: Sequence[Sequence[int]], weighted: Sequence[bool]) -> int:
    """The most convolution and dense layers on any path. AlexNet 8, GoogLeNet 22, ResNet-50 50.

    `sources` are the layers that each layer reads, `weighted` says which count: not pooling, normalisation and
    shortcuts.
    """
    # Layers come in the order in which they run, so one pass finds the path; networkx would slow every start for it.
    longest: list[int] = []
    for inputs, counts in zip(sources, weighted, strict=True):
        longest.append(max((longest[source] for source in inputs), default=0) + counts)
    return max(longest, default=0)
