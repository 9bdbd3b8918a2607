"""Blocks of networks whose names have none in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.foreign import ForeignNetwork, ForeignNode, to_network
from archcalc.interop.regrouped import write_regrouped
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source


class Writer:
    """Adds layers that read the one before them; names count as those of Keras do."""

    def __init__(self) -> None:
        self.nodes: list[ForeignNode] = []
        self.counts: dict[str, int] = {}

    def __call__(self, op: str, stem: str, *inputs: str, name: str = "", **fields: Any) -> str:
        count = self.counts[stem] = self.counts.get(stem, -1) + 1
        name = name or (f"{stem}_{count}" if count else stem)
        before = (self.nodes[-1].name if self.nodes else "x",)
        self.nodes.append(ForeignNode(name, op, fields, inputs or before))
        return name

    def conv(self, channels: int, kernel: int = 3, *inputs: str, **more: Any) -> str:
        return self("conv2d", "conv2d", *inputs, out_channels=channels, kernel_size=kernel, padding=kernel // 2, **more)

    def network(self, channels: int = 8) -> LayerGraph:
        return to_network(
            ForeignNetwork("n", "N", {"x": (channels, 32, 32)}, tuple(self.nodes), {"y": self.nodes[-1].name})
        )


def _residual(write: Writer) -> None:
    last = write.conv(8)
    for width, stride in ((8, 1), (8, 1), (16, 2), (16, 1), (32, 2), (32, 1)):
        write.conv(width, stride=stride)
        write("batch_norm2d", "batch_normalization")
        write("relu", "re_lu")
        end = write.conv(width)
        if stride > 1:
            last = write.conv(width, 1, last, stride=stride)
        write("add", "add", end, last)
        last = write("relu", "re_lu")


def _two_in_turn(write: Writer) -> None:
    last = "x"
    for _ in range(4):
        write("sigmoid", "gate")
        write.conv(8)
        last = write("multiply", "multiply", last, write("batch_norm2d", "batch_normalization"))
        write.conv(16, 1)
        write("gelu", "gelu")
        last = write("add", "add", last, write.conv(8, 1))


def _chain(write: Writer) -> None:
    for width in (16, 32, 64, 128):
        for _ in range(2):
            write.conv(width)
            write("relu", "re_lu")
        write("max_pool2d", "max_pooling2d", kernel_size=2)


def _with_skips(write: Writer) -> None:
    skips = []
    for width in (8, 16, 32, 64):
        for _ in range(2):
            write.conv(width)
            end = write("relu", "re_lu")
        skips.append(end)
        write("max_pool2d", "max_pooling2d", kernel_size=2)
    for width, skip in zip((64, 32, 16, 8), skips[::-1], strict=True):
        up = write("conv_transpose2d", "conv2d_transpose", out_channels=width, kernel_size=2, stride=2)
        write("concat", "concatenate", up, skip)
        for _ in range(2):
            write.conv(width)
            write("relu", "re_lu")


def _by_names(write: Writer) -> None:
    for number in (1, 2, 3):
        write.conv(8, name=f"conv2_block{number}_1_conv")
        write("batch_norm2d", "", name=f"conv2_block{number}_1_bn")
        write("relu", "", name=f"conv2_block{number}_1_relu")
        write.conv(8, name=f"conv2_block{number}_2_conv")
        write("relu", "", name=f"conv2_block{number}_out")


#: Who makes a network, lines of its spec, and how many lines it has at most.
CASES: dict[str, tuple[Callable[[Writer], None], list[str], int]] = {
    "residual units": (_residual, ['  - block: {name: "block{i}", repeat: 2, as: i, out_channels: 8}'], 38),
    "two in turn": (_two_in_turn, ['  - block: {name: "block{i}", repeat: 4, as: i}'], 18),
    "a chain": (_chain, ["      - [block3, 64]"], 20),
    "skips of a U": (_with_skips, ["      - [block2, 16]"], 40),
    "names say it": (_by_names, ["  - block: {name: \"conv2/block{i}\", repeat: 3, as: i}"], 16),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_equal_parts_are_blocks(case: str) -> None:
    make, lines, most = CASES[case]
    write = Writer()
    make(write)
    graph = write.network()
    text, (note,) = write_regrouped(graph)
    assert set(lines) <= set(text.splitlines()), text
    assert len(text.splitlines()) <= most
    assert note.startswith("layers of blocks have the names of these blocks: ")
    again, before = (analyse(each) for each in (build(spec_of(parse_source(text, "n.yaml"))), analyse(graph).graph))
    assert again.totals.params == before.totals.params
    assert again.totals.multiplications == before.totals.multiplications
    assert len(again.rows) == len(before.rows)


def _all_different(write: Writer) -> None:
    write.conv(8)
    write("relu", "re_lu")
    write("max_pool2d", "max_pooling2d", kernel_size=2)
    write.conv(16, 5)


def _with_paths(write: Writer) -> None:
    for number in range(3):
        write.conv(8, name=f"a/conv_{number}")
        write("batch_norm2d", "", name=f"b/norm_{number}")
        write("relu", "", name=f"c/relu_{number}")


@pytest.mark.parametrize("make", [_all_different, _with_paths])
def test_names_stay_where_no_parts_are_equal_or_names_have_blocks(make: Callable[[Writer], None]) -> None:
    write = Writer()
    make(write)
    text, notes = write_regrouped(write.network())
    assert not notes
    assert all(node.name in text for node in write.nodes)
