"""Parts of a block of the network and parts of its module in a file, matched by all the arrays that they hold.

A projection on a shortcut has the shapes of a convolution next to it, but no part of the module besides `downsample`
holds one convolution and one norm: the convolutions that differ in their number are one part, and so are the norms.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from archcalc.core.shapes import Shape

#: The arrays of a layer or module: their names and shapes.
Arrays = frozenset[tuple[str, Shape]]
Modules = dict[str, Arrays]
#: How many layers or modules of a part have these arrays.
_Held = frozenset[tuple[Arrays, int]]
#: The number at the end of a name, as of conv1, branch3x3_2a and layer4.
_NUMBER = re.compile(r"_?\d+[a-z]?$")


def parts_alike(scope: str, module: str, layers: Modules, modules: Modules) -> Iterator[tuple[list[str], list[str]]]:
    """The parts of a block and of its module that hold the same arrays, and theirs: the layers and modules of each.

    Nothing where the block and the module do not hold the same. Parts that hold the same are told apart by their names,
    where these stand in the names of the file.
    """
    ours, children = _children(layers, scope), _children(modules, module)
    if _held(_all(ours), layers) != _held(_all(children), modules):
        return
    own = {name: _held(members, layers) for name, members in ours.items()}
    theirs = _numbered_together(children, set(own.values()), modules)
    held = {name: _held(members, modules) for name, members in theirs.items()}
    for each in dict.fromkeys(own.values()):
        mine = [name for name, of in own.items() if of == each]
        other = [name for name, of in held.items() if of == each]
        for one, another in _by_name(mine, other):
            yield ours[one], theirs[another]
            if another in children:
                yield from parts_alike(one, another, layers, modules)


def natural(name: str) -> list[tuple[int, str]]:
    """For sorting: 3 before 12."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,9})", name)]


def differ_in_numbers(names: Iterable[str]) -> bool:
    """Whether names are the same but for numbers in them."""
    return len({re.sub(r"\d+", "#", name) for name in names}) == 1


def _all(parts: dict[str, list[str]]) -> list[str]:
    return [name for members in parts.values() for name in members]


def _children(names: Iterable[str], scope: str) -> dict[str, list[str]]:
    """What is in a block, by the names of the blocks and layers in it; of a block with one block, what is in that."""
    found: dict[str, list[str]] = {}
    for name in names:
        if not scope or name.startswith((f"{scope}.", f"{scope}/")):
            start = len(scope) + bool(scope)
            child = re.split(r"[/.]", name[start:], maxsplit=1)[0]
            found.setdefault(name[:start] + child, []).append(name)
    (only, *more) = found or ("",)
    return found if more or only in ("", *found.get(only, ())) else _children(found[only], only)


def _held(members: Sequence[str], each: Modules) -> _Held:
    return frozenset(Counter(each[name] for name in members).items())


def _numbered_together(children: dict[str, list[str]], wanted: set[_Held], modules: Modules) -> dict[str, list[str]]:
    """Children whose names differ in their numbers, as one part, unless each of them is a part of the network."""
    stems: dict[str, list[str]] = {}
    for child in children:
        stems.setdefault(_NUMBER.sub("", child), []).append(child)
    found: dict[str, list[str]] = {}
    for stem, numbered in stems.items():
        if len(numbered) == 1 or all(_held(children[child], modules) in wanted for child in numbered):
            found |= {child: children[child] for child in numbered}
        else:
            found[stem] = [name for child in numbered for name in children[child]]
    return found


def _by_name(own: Sequence[str], theirs: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of parts with the same arrays: by number, or those whose names say it and the last one that is left."""
    if len(own) != len(theirs):
        return []
    if differ_in_numbers(theirs):
        return list(zip(own, sorted(theirs, key=natural), strict=True))
    found: dict[str, str] = {}
    for name in own:
        named = [other for other in theirs if _last(name) in _last(other)]
        if len(named) == 1 and sum(_last(one) in _last(named[0]) for one in own) == 1:
            found[name] = named[0]
    left, spare = [name for name in own if name not in found], set(theirs) - set(found.values())
    if len(left) == 1:
        found[left[0]] = spare.pop()
    return list(found.items())


def _last(name: str) -> str:
    return re.split(r"[/.]", name)[-1].lower()
