"""Which array of a file belongs to which layer, where the file has another framework's names for them.

PyTorch calls the arrays of a layer `features.0.weight`, `features.0.bias`. What comes before the last dot is a module;
modules are matched with the layers that own arrays, by the shapes of these arrays, by order, and by what the names say
of the modules around them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.execute.runner.groups import Modules, natural
from archcalc.execute.runner.scopes import by_scope, listed

#: Arrays that PyTorch keeps besides the weights: counters, and indices and masks that follow from the sizes.
_BOOKKEEPING = frozenset({"num_batches_tracked", "relative_position_index", "attn_mask"})
_MOST_PROBLEMS = 8


class Wanted(NamedTuple):
    """An array of a layer.

    `spelt`: what PyTorch calls it within a module. `any_order`: PyTorch may store its channels first or last.
    """

    shape: Shape
    spelt: str
    any_order: bool = False


class Source(NamedTuple):
    """An array of a file, for an array of a layer. `channels_last`: so is it stored."""

    name: str
    channels_last: bool = False


class Matched(NamedTuple):
    """For each array of the network its source, and for each layer its module in the file."""

    arrays: dict[str, Source]
    layers: dict[str, str]


class _Place(NamedTuple):
    """An array by the module that it is in, and its name there."""

    module: str
    array: str


def match(found: Iterable[tuple[str, Shape]], wanted: Mapping[str, Wanted]) -> Matched:
    """For each array of the network the one of a file, whose arrays are `found` in the order of the file.

    The order of the file decides, where its shapes are those of the network one by one; else the order of numbers in
    the names, and which modules are in one. Raises `UsageError` where the shapes do not fit, or leave more than one
    way.
    """
    there = {name: tuple(shape) for name, shape in found if name.rpartition(".")[2] not in _BOOKKEEPING}
    known = {_split(each.spelt).array for each in wanted.values()}
    ours = {name: _split(f"{name.rpartition('.')[0]}.{each.spelt}") for name, each in wanted.items()}
    theirs = {name: _split(name, known) for name in there}
    turned: set[str] = set()
    _want_clear(wanted)
    shapes = {name: each.shape for name, each in wanted.items()}
    layers, modules = whole = _modules(ours, shapes), _modules(theirs, there)
    if _misfits(*whole, whole):
        # Sides of 1 say nothing: 96×1×1 is 96.
        there = {name: _without_ones(shape) for name, shape in there.items()}
        turned = _stored_channels_last(wanted, there)
        shapes = {name: _without_ones(_moved(each.shape) if name in turned else each.shape)
                  for name, each in wanted.items()}  # fmt: skip
        layers, modules = _modules(ours, shapes), _modules(theirs, there)
    if problems := _misfits(layers, modules, whole):
        raise UsageError(some_of(["neither names nor shapes fit the network:", *problems]))
    found_for = _order(modules, layers)
    names = {place: name for name, place in theirs.items()}
    arrays = {name: Source(names[_Place(found_for[place.module], place.array)], name in turned)
              for name, place in ours.items()}  # fmt: skip
    of_layers: dict[str, str] = {}
    for name, place in ours.items():
        layer = name.rpartition(".")[0]
        # Of a part of a layer, what holds it.
        depth = place.module[len(layer) :].count(".")
        of_layers.setdefault(layer, found_for[place.module].rsplit(".", depth)[0])
    return Matched(arrays, of_layers)


def some_of(lines: list[str]) -> str:
    """A heading, the first problems under it, and how many more there are."""
    more = [f"and {len(lines) - 1 - _MOST_PROBLEMS} more"] if len(lines) > 1 + _MOST_PROBLEMS else []
    return "\n    ".join([*lines[: 1 + _MOST_PROBLEMS], *more])


# --- names


def _split(name: str, known: Iterable[str] | None = None) -> _Place:
    """The module and the array that a name means.

    `in_proj_weight` is the weight of a part `in_proj`, as `out_proj.weight` is. Of what is not `known` as an array of
    a module, as `layer_scale`, the name is that of a module with one weight.
    """
    module, dot, array = name.rpartition(".")
    part = re.fullmatch(r"(.+)_(weight|bias)", array)
    if part:
        return _Place(module + dot + part[1], part[2])
    if known is not None and array not in known:
        return _Place(name, "weight")
    return _Place(module, array)


def _modules(places: Mapping[str, _Place], shapes: Mapping[str, Shape]) -> Modules:
    """The arrays of each module, in order."""
    found: dict[str, set[tuple[str, Shape]]] = {}
    for name, (module, array) in places.items():
        found.setdefault(module, set()).add((array, shapes[name]))
    return {module: frozenset(each) for module, each in found.items()}


# --- shapes


def _without_ones(shape: Shape) -> Shape:
    return tuple([side for side in shape if side != 1])


def _moved(shape: Shape) -> Shape:
    """With the channels last."""
    return (*shape[1:], shape[0])


def _want_clear(wanted: Mapping[str, Wanted]) -> None:
    """Raise where a shape is the same with its channels first and last."""
    for name, each in wanted.items():
        shape = _without_ones(each.shape)
        if each.any_order and len(shape) > 1 and shape == _without_ones(_moved(each.shape)):
            raise _either(name, shape)


def _either(name: str, shape: Shape) -> UsageError:
    return UsageError(f"ambiguous: the channels of {name} ({listed([('weight', shape)])}) may be first or last")


def _stored_channels_last(wanted: Mapping[str, Wanted], there: Mapping[str, Shape]) -> set[str]:
    """Which arrays a file has as 1×positions×channels. Raises where it may have them in both ways."""
    shapes = set(there.values())
    found = set()
    for name, each in wanted.items():
        first, last = _without_ones(each.shape), _without_ones(_moved(each.shape))
        if not each.any_order or len(first) < 2 or last not in shapes:
            continue
        if first in shapes:
            raise _either(name, first)
        found.add(name)
    return found


def stored_shape(shape: Shape, source: Source) -> Shape:
    """The shape that an array of the network has in the file, but for sides of 1."""
    return _moved(shape) if source.channels_last else shape


def _misfits(layers: Modules, modules: Modules, whole: tuple[Modules, Modules]) -> list[str]:
    """Layers without a module with the same arrays, and modules without a layer; `whole`: both with sides of 1."""
    spare = Counter(modules.values())
    spare.subtract(layers.values())
    ours, theirs = whole
    problems = [f"no array fits {name}: {listed(ours[name])}" for name, each in layers.items() if spare[each] < 0]
    return problems + [
        f"{name or 'a nameless array'} fits no layer: {listed(theirs[name])}"
        for name, each in modules.items()
        if spare[each] > 0
    ]


# --- order


def _order(modules: Modules, layers: Modules) -> dict[str, str]:
    """For each layer, or part of one, its module."""
    for order in (list(modules), _merged(modules, layers)):
        if [modules[name] for name in order] == list(layers.values()):
            return dict(zip(layers, order, strict=True))
    return by_scope(modules, layers)


def _merged(modules: Modules, layers: Modules) -> list[str]:
    """The modules of each top part (`features`, `classifier`) by number, the parts one after another as they fit.

    Empty where two parts fit at the same place, or none.
    """
    parts: dict[str, list[str]] = {}
    for name in sorted(modules, key=natural):
        parts.setdefault(name.partition(".")[0], []).append(name)
    order = []
    for arrays in layers.values():
        fitting = [part for part in parts.values() if part and modules[part[0]] == arrays]
        if len(fitting) != 1:
            return []
        order.append(fitting[0].pop(0))
    return order
