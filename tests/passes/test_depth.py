"""Depth as papers count it: layers with weights that multiply, along the longest path."""

from __future__ import annotations

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.passes.analysis import analyse
from archcalc.passes.depth import weighted_depth
from tests.networks import ALEXNET, LENET5, VGG16, graph, numbers
from tests.tiers import examples


@pytest.mark.parametrize(
    ("text", "depth"), [(LENET5, 5), (ALEXNET, 8), (VGG16, 16)], ids=["LeNet-5", "AlexNet", "VGG-16"]
)
def test_depth_is_what_networks_are_named_for(text: str, depth: int) -> None:
    assert analyse(graph(text)).depth == depth


def test_shortcuts_and_what_has_no_weights_do_not_count() -> None:
    text = """\
  - branches:
      - - conv_bn_relu: {out_channels: 4, kernel_size: 3, padding: 1}
        - conv_bn: {out_channels: 4, kernel_size: 3, padding: 1}
      - [conv2d: {out_channels: 4, kernel_size: 1}]
    merge: add
  - max_pool2d: {kernel_size: 2}
  - linear: {out_features: 10}
  - softmax
"""
    assert numbers(text).depth == 3


def test_a_network_without_weights_has_no_depth() -> None:
    assert numbers("  - relu\n").depth == 0


@examples(60)
@given(st.data())
def test_depth_is_the_longest_weighted_path(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 10))
    sources = [sorted(data.draw(st.sets(st.integers(0, index - 1)))) if index else [] for index in range(count)]
    weighted = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    view: networkx.DiGraph[int] = networkx.DiGraph()
    view.add_nodes_from(range(count))
    view.add_edges_from((source, index) for index, row in enumerate(sources) for source in row)
    paths = [
        path
        for start in view
        for end in view
        for path in ([[start]] if start == end else networkx.all_simple_paths(view, start, end))
    ]
    assert weighted_depth(sources, weighted) == max(sum(weighted[node] for node in path) for path in paths)
