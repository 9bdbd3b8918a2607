"""The columns of tables that have a network in each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from archcalc.core import words
from archcalc.core.quantities import Quantity, quantity_of_network
from archcalc.passes.analysis import Analysis
from archcalc.render.tables.figures import accuracy


class NetworkColumn(NamedTuple):
    """A quantity of networks: its heading, its value, None where it is not known, and how a value is written."""

    title: str
    value: Callable[[Analysis], Any]
    write: Callable[[Any], str]
    #: What stands before it: ≥ where a part of it cannot be counted.
    prefix: Callable[[Analysis], str] = lambda _: ""

    def text(self, analysis: Analysis) -> str:
        """The cell of a network."""
        value = self.value(analysis)
        return words.NONE if value is None else self.prefix(analysis) + self.write(value)


def network_column(key: str) -> NetworkColumn:
    """The column of a quantity that networks have. Raises `KeyError`."""
    one = quantity_of_network(key)
    if one.attribute:
        return NetworkColumn(one.title, one.of, one.write_total, lambda analysis: at_least(one, analysis))

    def reported(analysis: Analysis) -> float | None:
        figure = accuracy(analysis, key.partition("_")[0])
        return figure.accuracy if figure else None

    return NetworkColumn(one.title, reported, lambda percent: f"{percent:.1f}")


def at_least(one: Quantity, analysis: Analysis) -> str:
    """What stands before a number of a network: `≥ ` where layers cannot be counted on which it depends."""
    is_cost = one.is_cost or one.key == "depth"
    return words.AT_LEAST if is_cost and analysis.totals.not_counted else ""
