"""Values that a program of torch.export computes from stored tensors alone, computed when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.interop.aten import fits_memory, real_arguments


class Computed:
    """Computes values of a graph: weights that are standardised, or the exponential of a trained scale.

    Args:
        graph: The graph.
        stored: Its stored tensors that are there, by the names of their nodes.
        names: The names of these in the program.

    """

    def __init__(self, graph: Any, stored: Mapping[str, Any], names: Mapping[str, str]) -> None:
        self.nodes = {node.name: node for node in graph.nodes}
        self.stored, self.names = stored, names

    def __call__(self, value: str, ones: Collection[str] = ()) -> Callable[[], Any] | None:
        """What loads a value; None where it depends on an input, on chance, or on what is written in place.

        `ones` are stored tensors of the program for which it is computed with ones.
        """
        name, _, index = value.partition(":")
        if name not in self.nodes:
            return None
        needed: dict[str, Any] = {}
        waiting = [self.nodes[name]]
        while waiting:
            node = waiting.pop()
            if node.name in needed:
                continue
            if node.name not in self.stored and not _is_repeatable(node):
                return None
            if any(_writes(user) for user in node.users):
                return None
            needed[node.name] = node
            waiting += [] if node.name in self.stored else node.all_input_nodes
        ordered = [node for node in self.nodes.values() if node.name in needed]
        return lambda: self._run(ordered, value, int(index) if index else None, ones)

    def _run(self, nodes: list[Any], value: str, index: int | None, ones: Collection[str]) -> Any:
        import torch

        made: dict[str, Any] = {}
        with torch.no_grad():
            for node in nodes:
                if node.name in self.stored:
                    # A copy: a batch norm may write to what it reads.
                    tensor = self.stored[node.name].detach().clone()
                    made[node.name] = torch.ones_like(tensor) if self.names.get(node.name) in ones else tensor
                    continue
                args, kwargs = real_arguments(node, made)
                try:
                    made[node.name] = node.target(*args, **kwargs)
                except (RuntimeError, TypeError, ValueError, IndexError) as error:
                    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
                    raise UsageError(f"{value} cannot be computed from the stored tensors: {reason}") from None
        found = made[nodes[-1].name]
        return found if index is None else found[index]


def _is_repeatable(node: Any) -> bool:
    """Whether an operation gives the same for the same tensors, and changes none of them."""
    import operator

    import torch

    if node.op != "call_function":
        return False
    if node.target is operator.getitem:
        return True
    if not isinstance(node.target, torch._ops.OpOverload) or not fits_memory(node):
        return False
    return not _writes(node) and torch.Tag.nondeterministic_seeded not in node.target.tags


def _writes(node: Any) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and bool(schema.is_mutable)
