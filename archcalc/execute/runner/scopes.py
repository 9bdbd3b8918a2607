"""Modules that no order gives, matched with layers by the modules around them.

What is in one block of the network is in one module of the file: `down3/norm` is next to `down3/conv`, so it goes with
what is next to the module of `down3/conv`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.execute.runner.groups import Arrays, Modules, differ_in_numbers, natural, parts_alike


def by_scope(modules: Modules, layers: Modules) -> dict[str, str]:
    """Each layer the module of its shapes.

    Several of the same shapes go by number, if nothing else differs in their names: first those of the whole network,
    then those of each block whose module is known by layers that were matched, and of its parts that hold the same
    arrays as a part of the module. The others go by the order of the file, if it is not that of the alphabet. Raises
    `UsageError` where more than one way is left.
    """
    # Names that the file has in common with the network.
    found = {name: name for name, arrays in layers.items() if modules.get(name) == arrays}
    scopes = sorted({scope for name in layers for scope in _scopes(name)}, key=_depth, reverse=True)
    count = -1
    while len(found) > count:
        count = len(found)
        for scope in ("", *scopes, ""):
            module = _module_of(scope, found)
            if module is not None:
                found |= _alike(_in(scope, _left(layers, found)), _in(module, _left(modules, found.values())))
        for scope in ("", *scopes) if len(found) == count else ():
            module = _module_of(scope, found)
            for ours, members in parts_alike(scope, module, layers, modules) if module is not None else ():
                part = {name: modules[name] for name in members}
                found |= _alike(_left({name: layers[name] for name in ours}, found), _left(part, found.values()))
    theirs, own = _left(modules, found.values()), _left(layers, found)
    if own and list(modules) != sorted(modules) and list(theirs.values()) == list(own.values()):
        found |= zip(own, theirs, strict=True)
    elif own:
        arrays = next(iter(own.values()))
        raise UsageError(_ambiguous(_of(arrays, own), _of(arrays, theirs), arrays))
    return {name: found[name] for name in layers}


def listed(arrays: Iterable[tuple[str, Shape]]) -> str:
    """Names and sizes of arrays, for an error."""
    shown = (f"{name} {'×'.join(map(str, shape)) or 'a single number'}" for name, shape in sorted(arrays))
    return ", ".join(shown)


def _left(each: Modules, taken: Iterable[str]) -> Modules:
    gone = set(taken)
    return {name: arrays for name, arrays in each.items() if name not in gone}


def _of(arrays: Arrays, each: Modules) -> list[str]:
    return [name for name, own in each.items() if own == arrays]


def _scopes(name: str) -> Iterator[str]:
    """The blocks that a layer is in: a and a/b of a/b/c."""
    for place in re.finditer(r"[/.]", name):
        yield name[: place.start()]


def _depth(scope: str) -> tuple[int, str]:
    return len(re.findall(r"[/.]", scope)), scope


def _is_in(name: str, scope: str) -> bool:
    return not scope or name.startswith((f"{scope}.", f"{scope}/"))


def _module_of(scope: str, found: Mapping[str, str]) -> str | None:
    """The innermost module that holds all of a block, as far as it was matched; None where it holds more than that."""
    if not scope:
        return ""
    inside = [module.split(".")[:-1] for name, module in found.items() if _is_in(name, scope)]
    if not inside:
        return None
    common = min(inside, key=len)
    while any(path[: len(common)] != common for path in inside):
        common = common[:-1]
    module = ".".join(common)
    if not module or any(_is_in(other, module) and not _is_in(name, scope) for name, other in found.items()):
        return None
    return module


def _in(scope: str, each: Modules) -> Modules:
    return {name: arrays for name, arrays in each.items() if _is_in(name, scope)}


def _alike(layers: Modules, modules: Modules) -> dict[str, str]:
    """Layers and modules of the same shapes, as many of both, whose names differ in numbers only."""
    found: dict[str, str] = {}
    for arrays in dict.fromkeys(layers.values()):
        own, theirs = _of(arrays, layers), sorted(_of(arrays, modules), key=natural)
        if len(own) == len(theirs) and differ_in_numbers(theirs):
            found |= zip(own, theirs, strict=True)
    return found


def _ambiguous(own: Sequence[str], theirs: Sequence[str], arrays: Arrays) -> str:
    return (
        f"ambiguous: {_some(own)} have the shapes of {_some(theirs)} ({listed(arrays)}), and nothing says which is "
        f"which; name the arrays as --save-weights does, or save them as .npz in the order of the network"
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
