"""The networks that claims are about, each built and analysed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.explain.derive.network import find_layers
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis, Row, analyse
from archcalc.spec.catalogue import is_file_name, load
from archcalc.spec.single import check_single, make_op, single_layer

#: Steps of work on one file, for its verdicts, and as many again for its explanations: a step is a row that is read.
MOST_STEPS = 6_000_000
#: What a layer costs: to be built and analysed; to look for mistakes in its network, at first and again.
STEPS_OF_A_LAYER, STEPS_OF_SEARCH, STEPS_OF_SEARCH_AGAIN = 100, 2000, 100
BUDGET_REACHED = f"the budget of {MOST_STEPS:,} steps for a file was reached before it"


class BudgetError(Exception):
    """More work was asked for than one file may cause."""


class NetworkReference(NamedTuple):
    """What a claim is about: a network by name, file or pattern, with its settings; or a layer by itself."""

    name: str
    settings: tuple[tuple[str, Any], ...] = ()
    input_shape: Shape | None = None
    #: The settings of an op, where `name` is one and `input_shape` its input.
    op: tuple[tuple[str, Any], ...] | None = None


@dataclass
class Networks:
    """Analyses by network. Raises `ArchcalcError` for what does not exist or does not fit.

    A file of claims may come from anywhere, so that of all files it can name only specs.
    """

    known: dict[NetworkReference, Analysis] = field(default_factory=dict)
    steps: int = 0
    searched: set[NetworkReference] = field(default_factory=set)

    def spend(self, steps: int) -> None:
        """Count steps of work. Raises `BudgetError` where there were more than `MOST_STEPS`."""
        if self.is_spent:
            raise BudgetError(BUDGET_REACHED)
        self.steps += steps

    def search(self, network: NetworkReference) -> None:
        """Count a search for the mistakes in a number of a network. Raises `BudgetError`."""
        steps = STEPS_OF_SEARCH_AGAIN if network in self.searched else STEPS_OF_SEARCH
        self.searched.add(network)
        self.spend(steps * len(self.analysis(network).rows))

    @property
    def is_spent(self) -> bool:
        return self.steps > MOST_STEPS

    def analysis(self, network: NetworkReference | str) -> Analysis:
        key = NetworkReference(network) if isinstance(network, str) else network
        if key not in self.known:
            self.spend(0)
            self.known[key] = analyse(self._graph(key))
            self.spend(STEPS_OF_A_LAYER * len(self.known[key].rows))
        return self.known[key]

    def _graph(self, network: NetworkReference) -> LayerGraph:
        if network.op is None:
            if is_file_name(network.name) and not network.name.partition("@")[0].endswith((".yaml", ".yml")):
                raise UsageError(f"there is no network {network.name[:80]!r}; the file of a spec ends in .yaml")
            return load(network.name, dict(network.settings), network.input_shape)
        op = make_op(network.name, dict(network.op))
        assert network.input_shape is not None
        check_single(op, [network.input_shape])
        return single_layer(op, [network.input_shape])


def rows_of(analysis: Analysis, layer: str | None) -> list[Row]:
    """The rows of a layer or a block; all rows without one. Raises `UsageError` for a layer that is not there."""
    return [analysis[name] for name in find_layers(analysis, layer)]


def hashable(settings: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Settings as a part of a key."""
    return tuple((name, _frozen(value)) for name, value in settings.items())


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, (bool, int, float, str)):
        return value
    raise UsageError("a setting is a number, a word, true or false, or a list of those")
