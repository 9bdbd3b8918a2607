"""Which array of a file belongs to which layer, where the file has another framework's names for them.

PyTorch calls the arrays of a layer `features.0.weight`, `features.0.bias`. What comes before the last dot is a module;
modules are matched with the layers that own arrays, by the shapes of these arrays and by order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape

#: What PyTorch counts in batch normalisation: no part of the network.
_BOOKKEEPING = "num_batches_tracked"

#: The arrays of a layer or module: their names and shapes.
Arrays = frozenset[tuple[str, Shape]]
Modules = dict[str, Arrays]


def match(found: Iterable[tuple[str, Shape]], wanted: Mapping[str, Shape]) -> dict[str, str]:
    """For each layer the module of a file, whose arrays are `found` in the order of the file.

    The order of the file decides, where its shapes are those of the network one by one; else the order of numbers in
    the names. Raises `UsageError` where the shapes do not fit, or leave more than one way.
    """
    modules = _modules((name, shape) for name, shape in found if name.rpartition(".")[2] != _BOOKKEEPING)
    layers = _modules(wanted.items())
    _check_shapes(modules, layers)
    for order in (list(modules), _merged(modules, layers)):
        if [modules[name] for name in order] == list(layers.values()):
            return dict(zip(layers, order, strict=True))
    return _by_shape(modules, layers)


def _modules(arrays: Iterable[tuple[str, Shape]]) -> Modules:
    """Arrays put together by what comes before the last dot, in order."""
    found: dict[str, set[tuple[str, Shape]]] = {}
    for name, shape in arrays:
        module, _, array = name.rpartition(".")
        found.setdefault(module, set()).add((array, tuple(shape)))
    return {module: frozenset(each) for module, each in found.items()}


def _check_shapes(modules: Modules, layers: Modules) -> None:
    """Every layer must have a module with the same arrays, and every module a layer."""
    spare = Counter(modules.values())
    spare.subtract(layers.values())
    problems = [f"no array fits {name}: {_listed(each)}" for name, each in layers.items() if spare[each] < 0]
    problems += [f"{name or 'a nameless array'} fits no layer: {_listed(each)}"
                 for name, each in modules.items() if spare[each] > 0]  # fmt: skip
    if problems:
        more = [f"and {len(problems) - 8} more"] if len(problems) > 8 else []
        raise UsageError("\n    ".join(["neither names nor shapes fit the network:", *problems[:8], *more]))


def _listed(arrays: Arrays) -> str:
    shown = (f"{name} {'×'.join(map(str, shape)) or 'a single number'}" for name, shape in sorted(arrays))
    return ", ".join(shown)


def _merged(modules: Modules, layers: Modules) -> list[str]:
    """The modules of each top part (`features`, `classifier`) by number, the parts one after another as they fit.

    Empty where two parts fit at the same place, or none.
    """
    parts: dict[str, list[str]] = {}
    for name in sorted(modules, key=_natural):
        parts.setdefault(name.partition(".")[0], []).append(name)
    order = []
    for arrays in layers.values():
        fitting = [part for part in parts.values() if part and modules[part[0]] == arrays]
        if len(fitting) != 1:
            return []
        order.append(fitting[0].pop(0))
    return order


def _natural(name: str) -> list[tuple[int, str]]:
    """For sorting: 3 before 12."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,9})", name)]


def _by_shape(modules: Modules, layers: Modules) -> dict[str, str]:
    """Each layer the module of its shapes.

    Several of the same shapes go by number, if nothing else differs in their names; else each by the layer before it:
    `bn1` goes with `conv1`, and 1 with 0.
    """
    found: dict[str, str] = {}
    unclear = []
    for arrays in dict.fromkeys(layers.values()):
        own = [name for name, each in layers.items() if each == arrays]
        theirs = sorted((name for name, each in modules.items() if each == arrays), key=_natural)
        if len({re.sub(r"\d+", "#", name) for name in theirs}) == 1:
            found.update(zip(own, theirs, strict=True))
        else:
            unclear.append((own, theirs, arrays))
    before = dict(zip(list(layers)[1:], layers, strict=False))
    for own, theirs, arrays in unclear:
        partners = [_partner(found.get(before.get(name, ""), ""), theirs) for name in own]
        if None in partners or len(set(partners)) < len(own):
            raise UsageError(_ambiguous(own, theirs, arrays))
        found.update((name, partner) for name, partner in zip(own, partners, strict=True) if partner)
    return {name: found[name] for name in layers}


def _partner(module: str, names: Sequence[str]) -> str | None:
    """What belongs to a module by its name, of these names: `layer1.0.bn2` to `layer1.0.conv2`, `1` to `0`."""
    folder, dot, last = module.rpartition(".")
    candidates = [last.replace("conv", "bn")]
    if last.isdecimal():
        candidates.append(str(int(last[:9]) + 1))
    found = [name for name in (folder + dot + each for each in candidates) if module and name in names]
    return found[0] if len(found) == 1 else None


def _ambiguous(own: Sequence[str], theirs: Sequence[str], arrays: Arrays) -> str:
    return (
        f"ambiguous: {_some(own)} have the shapes of {_some(theirs)} ({_listed(arrays)}), and nothing says which is "
        f"which; name the arrays as --save-weights does, or save them as .npz in the order of the network"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def renamed(matched: Mapping[str, str], wanted: Iterable[str]) -> Iterator[tuple[str, str]]:
    """For each wanted array its name in the file."""
    for name in wanted:
        layer, _, array = name.rpartition(".")
        yield name, f"{matched[layer]}.{array}" if matched[layer] else array
