"""Words in the fields of ops: axes by their names, where the same name alone is a size."""

from __future__ import annotations

from archcalc.passes.analysis import analyse
from tests.networks import layers


def test_axes_are_named_in_a_list_and_alone() -> None:
    text = """\
  - permute: {dims: [channels, width, height]}
  - narrow: {axis: height, start: 2}
  - narrow: {axis: channels, length: height}
"""
    assert [row.output_shape for row in analyse(layers(text, "4x6x8")).rows] == [
        (8, 4, 6), (8, 6, 4), (8, 4, 4), (4, 4, 4),
    ]  # fmt: skip
