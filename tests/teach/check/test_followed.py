"""What a changed map changes after it."""

from __future__ import annotations

import pytest

import archcalc as ac
from archcalc.passes.analysis import Row
from archcalc.teach.check.mistakes.context import NetworkContext
from archcalc.teach.check.mistakes.followed import Followed

CHAIN = "32x32x3 -> " + " -> ".join("conv3-4" for _ in range(10)) + " -> pool2 -> fc10"


def test_the_rows_are_those_of_the_network_with_the_change() -> None:
    network = NetworkContext(ac.analyse(CHAIN))
    other = ac.analyse(CHAIN.replace("32x32x3", "20x22x3"))
    source = network.analysis["conv1"]
    followed = network.followed(source, other["conv1"].output_shape)
    # Asked in any order; a dense layer has weights for its own input only.
    for name in ("conv7", "conv3", "pool1", "conv2"):
        row = followed.row(network.analysis[name])
        assert row is not None
        assert (row.output_shape, row.multiplications) == (other[name].output_shape, other[name].multiplications)
    assert followed.row(network.analysis["conv1"]) is None


def test_a_map_that_becomes_too_small_ends_it() -> None:
    network = NetworkContext(ac.analyse("32x32x3 -> conv3-4 -> pool2 -> pool2 -> pool2 -> conv3-8"))
    followed = network.followed(network.analysis["conv1"], (4, 3, 3))
    found = [followed.row(network.analysis[name]) for name in ("pool3", "pool1", "conv2", "pool2")]
    assert [row and row.output_shape for row in found] == [None, (4, 1, 1), None, None]


def test_each_layer_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network = NetworkContext(ac.analyse(CHAIN))
    worked_out: list[str] = []
    go_on = Followed._go_on

    def counted(self: Followed, row: Row) -> None:
        worked_out.append(row.name)
        go_on(self, row)

    monkeypatch.setattr(Followed, "_go_on", counted)
    for row in network.rows[2:] * 3:
        network.followed(network.analysis["conv1"], (4, 30, 30)).row(row)
    assert worked_out == [row.name for row in network.rows[2:]]
