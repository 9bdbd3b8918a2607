"""Trees of claims: their parts, the networks in them, and their text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from archcalc.spec.catalogue import is_pattern
from archcalc.spec.expressions import Expression
from archcalc.teach.audit.functions import QUANTITIES
from archcalc.teach.audit.networks import NetworkReference
from archcalc.teach.audit.numbers import value_text

_SIGNS = {"*": " · ", "/": " / ", "-": " − ", "+": " + ", "**": "^"}
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 3}
_NAMES = {
    "x_col": "X_col", "w_row": "W_row", "product_shape": "W_row·X_col", "param_bytes": "bytes of the parameters",
    "activation_bytes": "bytes of the activations", "exact_output_size": "output size, not rounded down,",
}  # fmt: skip
_LETTERS = dict.fromkeys(("output_size", "exact_output_size", "leftover"), "WFSP") | {"same_padding": "WFS"}
_ITEMS = {
    "x_col": ("rows", "columns"), "w_row": ("rows", "columns"), "product_shape": ("rows", "columns"),
    "input_shape": ("height", "width", "depth"), "output_shape": ("height", "width", "depth"),
    "receptive_field": ("height", "width"),
}  # fmt: skip


def walk(tree: Expression) -> Iterator[Expression]:
    """The tree and all below it."""
    yield tree
    for part in tree.parts:
        yield from walk(part)


def rebuilt(tree: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """The tree with every node changed, from below."""
    return change(tree._replace(parts=tuple(rebuilt(part, change) for part in tree.parts)))


def calls(tree: Expression) -> list[Expression]:
    """Calls that are about a network."""
    return [node for node in walk(tree) if node.kind == "call" and node.value in _ABOUT_NETWORKS and node.parts]


_ABOUT_NETWORKS = {*QUANTITIES, "count", "reported", "fits", "setting", "reads"}


def network_of(call: Expression, variables: Mapping[str, Any]) -> NetworkReference | None:
    """The network that a call is about."""
    first = call.parts[0]
    value = variables.get(first.value) if first.kind == "name" else first.value
    if isinstance(value, NetworkReference):
        return value
    return NetworkReference(value) if isinstance(value, str) and first.kind in ("name", "value") else None


def layer_of(call: Expression) -> str | None:
    """The layer that a quantity is asked of."""
    words = [part.value for part in call.parts[1:] if part.kind == "value" and isinstance(part.value, str)]
    return words[-1] if words and call.value in (*QUANTITIES, "reads") else None


def written(tree: Expression, variables: Mapping[str, Any]) -> str:
    """A tree as a person reads it: params of vgg19 − params of vgg16."""
    if tree.kind == "call":
        return _call(tree, variables)
    if tree.kind == "value":
        return str(tree.value) if isinstance(tree.value, str) else value_text(tree.value)
    if tree.kind == "binary":
        return _binary(tree, variables)
    if tree.kind == "index":
        return f"{_item(tree)} of {written(tree.parts[0], variables)}"
    if tree.kind == "list":
        return ", ".join(written(part, variables) for part in tree.parts)
    value = variables.get(tree.value)
    return value if isinstance(value, str) else str(tree.value)


def _binary(tree: Expression, variables: Mapping[str, Any]) -> str:
    """Two sides; in brackets where they bind less, and where a product would run into the words of a quantity."""
    binding = _BINDING.get(tree.value, 0)
    sides = []
    for index, part in enumerate(tree.parts):
        text = written(part, variables)
        inner = _BINDING.get(part.value, 0) if part.kind == "binary" else 9
        is_words = part.kind in ("call", "index") and binding > 1
        sides.append(f"({text})" if inner < binding + index or is_words else text)
    return f"{sides[0]}{_SIGNS.get(tree.value, f' {tree.value} ')}{sides[1]}"


def _item(tree: Expression) -> str:
    """The name of an item of a list: rows of a matrix, height of a shape."""
    whole, index = tree.parts
    names = _ITEMS.get(whole.value, ()) if whole.kind == "call" else ()
    return names[index.value] if isinstance(index.value, int) and index.value < len(names) else f"item {index.value}"


def _call(tree: Expression, variables: Mapping[str, Any]) -> str:
    name = _NAMES.get(tree.value, str(tree.value).replace("_", " "))
    if tree not in calls(tree):
        parts = [written(part, variables) for part in tree.parts]
        if tree.value in _LETTERS:
            return f"{name} for {', '.join(f'{a} = {b}' for a, b in zip(_LETTERS[tree.value], parts, strict=False))}"
        return f"{name}({', '.join(parts)})"
    network = network_of(tree, variables)
    where = _where(network) if network else "a network"
    rest = [part.value for part in tree.parts[1:]]
    if tree.value == "count" and rest:
        sizes = "".join(f"{size}×{size} " for size in rest[1:] if isinstance(size, int))
        inside = "".join(f" in {block}" for block in rest[1:] if isinstance(block, str))
        return f"number of {sizes}{rest[0]}{inside} in {where}"
    if tree.value == "reported" and rest:
        return f"reported {str(rest[0]).replace('_', ' ')} of {where}"
    if rest:
        return f"{name} of {', '.join(map(str, rest))} in {where}"
    return f"{name} of {where}"


def _where(network: NetworkReference) -> str:
    if network.op is None:
        return "the pattern" if is_pattern(network.name) else network.name
    shape = network.input_shape or ()
    return f"{network.name} on {'×'.join(map(str, (*shape[1:], *shape[:1])))}"
