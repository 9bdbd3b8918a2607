"""Rows with the names that frameworks give: block3_conv4, block_13_expand, features.denseblock3.denselayer12.conv2.

Such a name counts stages, blocks and layers, each framework in its own way: from 0 or from 1, per stage or through all
blocks. Which way it is follows from all rows together. A row whose place stays open is not judged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product

from archcalc.passes.analysis import Row

#: A name of a framework: words and numbers joined by underscores and points, without what follows in brackets.
_CODE = re.compile(r"([A-Za-z]\w*(?:\.\w+(?:-\d+)?)*)(?:\s*\(.*)?")
#: A number with more behind it, or a point before it.
_COUNTED = re.compile(r"\d[a-z]?_+[A-Za-z]|\.")
#: What is no number of a layer: 3x3, and the 2d of conv2d.
_SIZES = re.compile(r"\d+x\d+|(?<=[A-Za-z])[123][dD](?![A-Za-z])")
_NUMBER = re.compile(r"(\d{1,3})([a-h](?![a-z]))?")
_WORD = re.compile(r"\d+x\d+|[a-z]+")
#: Words that say nothing of which layer of a block is meant.
_COMMON = {"block", "layer", "conv", "features", "unit", "stage", "stack", "model", "module"}
_MOST_NUMBERS = 3

#: Whether the numbers are those of the network's own names; for each row, the layers that it may be about.
Ways = Iterator[tuple[bool, Mapping[int, list[int]]]]


@lru_cache(maxsize=8192)
def path_of(text: str) -> tuple[int, ...]:
    """The numbers of a name that a framework gives, from the outermost; of another name none.

    >>> path_of("block3_conv4"), path_of("features.9.expand1x1"), path_of("conv2d_3"), path_of("conv3_4")
    ((3, 4), (9,), (), ())
    """
    code = _CODE.fullmatch(text.strip())
    plain = _SIZES.sub("", code[1]) if code else ""
    return numbers_of(plain) if _COUNTED.search(plain) else ()


@lru_cache(maxsize=8192)
def numbers_of(name: str) -> tuple[int, ...]:
    """All numbers of a name; a letter after one counts as well: 5a is 5 and 1."""
    found: list[int] = []
    for number, letter in _NUMBER.findall(_SIZES.sub("", name)):
        found += [int(number), *([ord(letter) - ord("a") + 1] if letter else [])]
    return tuple(found)


#: A module as PyTorch names it: features.0, layer1.0.conv2, layer1.
_OF_MODULE = re.compile(r"[A-Za-z_]\w*(?:[.-]\w+)*")


def are_modules(labels: Sequence[str]) -> bool:
    """Whether rows have the names that PyTorch gives modules: most with points or with their module, or numbers."""
    plain = [label.strip(" `*") for label in labels]
    if plain[:1] == ["0"] and all(label.isdecimal() for label in plain):
        return True
    modules = [label for label in plain if _OF_MODULE.fullmatch(label)]
    inner = [label for label in modules if "." in label]
    holds = bool(inner) and {label.rpartition(".")[0] for label in inner} <= set(modules)
    return 5 * len(modules) >= 4 * len(labels) and (holds or 2 * len(inner) > len(modules))


def is_module(label: str) -> bool:
    """Whether it is the name of a module in a module of PyTorch: head.classifier."""
    plain = label.strip(" `*")
    return "." in plain and _OF_MODULE.fullmatch(plain) is not None


def words_in(name: str) -> set[str]:
    """The words of a name that tell the layers of a block apart."""
    return set(_WORD.findall(name.lower())) - _COMMON


class Paths:
    """The layers of a network by the numbers in their names."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.words = [words_in(row.name) for row in rows]
        self.layers = [_by_key(keys) for keys in ([numbers_of(row.name) for row in rows], *_through_all(rows))]

    def settled(
        self,
        names: Sequence[tuple[int, str]],
        may_be: Callable[[int], Sequence[int]],
        wrong: Callable[[int], Sequence[int]],
    ) -> dict[int, int]:
        """The layers that rows are about in every way of counting in which most of them are right.

        The network's own way goes before others in which as many are.
        """
        best = (1, False)
        agreed: dict[int, int] = {}
        for is_plain, way in self.ways(names, may_be):
            found = {row: min(at, key=wrong(row).__getitem__) for row, at in way.items()}
            right = sum(not wrong(row)[index] for row, index in found.items())
            if right < 2 or (right, is_plain) < best or 4 * right < 3 * len(found) - is_plain:
                continue
            single = {row: at[0] for row, at in way.items() if len(at) == 1}
            if (right, is_plain) > best:
                best, agreed = (right, is_plain), single
            else:
                agreed = {row: index for row, index in agreed.items() if single.get(row) == index}
        return agreed

    def ways(self, names: Sequence[tuple[int, str]], may_be: Callable[[int], Sequence[int]]) -> Ways:
        """For each way of counting the layers that rows are about, where most rows have some."""
        paths = {row: path_of(name) for row, name in names}
        lengths = {len(path) for path in paths.values()}
        if not lengths or max(lengths) > _MOST_NUMBERS:
            return
        told = {row: words_in(name) for row, name in names}
        possible = {row: set(may_be(row)) for row in paths}
        ways = [
            (
                layers,
                {row: tuple(map(sum, zip(path, offset, strict=False))) for row, path in paths.items()},
                not any(offset),
            )
            for layers in self.layers
            for offset in product((0, 1, -1), repeat=max(lengths))
        ]
        ways += [(layers, _ranked(paths, dict(names), layers), False) for layers in self.layers[1:]]
        for layers, moved, is_zero in ways:
            found: dict[int, list[int]] = {}
            for row, path in moved.items():
                at = [index for index in layers.get(path, ()) if index in possible[row]]
                most = max((len(told[row] & self.words[index]) for index in at), default=0)
                at = [index for index in at if len(told[row] & self.words[index]) == most]
                if at:
                    found[row] = at
            if 5 * len(found) >= 4 * len(paths):
                yield layers is self.layers[0] and is_zero, found


def _ranked(
    paths: Mapping[int, tuple[int, ...]], names: Mapping[int, str], layers: Mapping[tuple[int, ...], list[int]]
) -> dict[int, tuple[int, ...]]:
    """The paths by the rank of their first number, of names that begin alike and stand for every block."""
    stems: dict[str, set[int]] = {}
    for row, path in paths.items():
        stems.setdefault(re.split(r"\d", names[row])[0], set()).add(path[0])
    blocks = len({key[0] for key in layers})
    found = {}
    for row, path in paths.items():
        numbers = sorted(stems[re.split(r"\d", names[row])[0]])
        if len(numbers) == blocks:
            found[row] = (numbers.index(path[0]) + 1, *path[1:])
    return found


def _by_key(keys: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], list[int]]:
    found: dict[tuple[int, ...], list[int]] = {}
    for index, key in enumerate(keys):
        if key:
            found.setdefault(key, []).append(index)
    return found


def _through_all(rows: Sequence[Row]) -> Iterator[list[tuple[int, ...]]]:
    """The numbers of layers where the blocks of one depth are counted through all stages, with those that follow."""
    deepest = max((row.name.count("/") for row in rows), default=0)
    for depth in range(1, min(deepest, 3) + 1):
        weighted = Counter("/".join(row.name.split("/")[:depth]) for row in rows if row.multiplications)
        seen: dict[str, int] = {}
        keys: list[tuple[int, ...]] = []
        for row in rows:
            parts = row.name.split("/")
            block = "/".join(parts[:depth])
            # A convolution with its normalisation is no block.
            if len(parts) <= depth or weighted[block] < 2:
                keys.append(())
            else:
                keys.append((seen.setdefault(block, len(seen) + 1), *numbers_of("/".join(parts[depth:]))))
        yield keys
