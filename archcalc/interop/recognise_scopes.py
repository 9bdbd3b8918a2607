"""The module that each layer stands in: its own, or the one whose block it closes, or the one that arranges its map.

A network that adds outside of its blocks, `for block in blocks: x = x + block(x)`, leaves the list of blocks and enters
it again. The addition closes the block: it is named as if it were a part of it, so that equal blocks stay in a row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from archcalc.interop.foreign import ForeignNode

#: What several modules in a row are called: 0, 1, …; block1, block2, …
_NUMBERED = re.compile(r"(.*?)\d+")
#: So many layers after a block are looked at for the next one.
_MOST_STEPS = 64


class _Family(NamedTuple):
    """Modules whose paths differ in a last number only."""

    around: str
    stem: str


class Scopes:
    """The modules around the layers of a network.

    Args:
        nodes: The layers in order.
        scopes: The path of the module around each, empty for the network itself; none for a layer that only arranges.
        free: The layers that may go into another module: their modules only compute them.
        outputs: The layers that are outputs.

    """

    def __init__(
        self, nodes: Sequence[ForeignNode], scopes: Mapping[str, str], free: Collection[str], outputs: Collection[str]
    ) -> None:
        self.nodes, self.scopes, self.outputs = nodes, dict(scopes), set(outputs)
        self.place = {node.name: number for number, node in enumerate(nodes)}
        self.kinds = {node.name: node.op for node in nodes}
        #: What each layer reads and who reads it, past the layers that only arrange.
        self.sources: dict[str, list[str]] = {}
        self.readers: dict[str, list[str]] = {node.name: [] for node in nodes}
        for node in nodes:
            found = [own for name in node.inputs for own in (self.sources[name] if self._is_passed(name) else (name,))]
            self.sources[node.name] = list(dict.fromkeys(found))
            if node.name in self.scopes:
                for name in self.sources[node.name]:
                    if name in self.readers:
                        self.readers[name].append(node.name)
        #: By its path, the readers outside of a module of what was computed in it so far.
        self._exits: dict[str, set[str]] = {}
        self._close_blocks(free)
        self._place_arrangements()

    def _is_passed(self, name: str) -> bool:
        return name in self.place and name not in self.scopes

    # --- what closes a block

    def _close_blocks(self, free: Collection[str]) -> None:
        """Put what is computed between the modules of a family, equally after each, into the one before it."""
        tails: dict[_Family, dict[str, list[str]]] = {}
        own = {name: self.scopes[name] for name in free}
        for node in self.nodes:
            if node.name in own and (found := self._closed(node.name)) is not None:
                family, block = found
                blocks = tails.setdefault(family, {})
                # The last block has what the others have, though none comes after it.
                others = [tail for other, tail in blocks.items() if other != block]
                like = others[-1][len(blocks.get(block, ())) :] if others else []
                if (like and self.kinds[like[0]] == node.op) or self._is_entered_again(node.name, family, block):
                    blocks.setdefault(block, []).append(node.name)
                    self.scopes[node.name] = block
            self._note_exits(node.name)
        for blocks in tails.values():
            kinds = {tuple([self.kinds[name] for name in tail]) for tail in blocks.values()}
            if len(blocks) < 2 or len(kinds) > 1:
                self.scopes |= {name: own[name] for tail in blocks.values() for name in tail}

    def _closed(self, name: str) -> tuple[_Family, str] | None:
        """The module of a family after which a layer comes, if nothing else reads from that module."""
        scope = self.scopes[name]
        before = [source for source in self.sources[name] if source in self.scopes]
        if not before:
            return None
        last = self.scopes[max(before, key=self.place.__getitem__)]
        path = scope.split("/") if scope else []
        for part in last.split("/")[len(path) :] if last != scope and _is_in(last, scope) else ():
            around = "/".join(path)
            path.append(part)
            if match := _NUMBERED.fullmatch(part):
                block = "/".join(path)
                return (_Family(around, match[1]), block) if self._exits.get(block) == {name} else None
        return None

    def _note_exits(self, name: str) -> None:
        """Note who reads a layer outside of each module around it; `""` for an output of the network."""
        for block in _and_around(self.scopes.get(name, "")):
            exits = self._exits.setdefault(block, set())
            exits.discard(name)
            exits.update(reader for reader in self.readers[name] if not _is_in(self.scopes[reader], block))
            if name in self.outputs:
                exits.add("")

    def _is_entered_again(self, name: str, family: _Family, block: str) -> bool:
        """Whether another module of the family computes with what a layer gives."""
        seen, waiting = {name}, [name]
        while waiting and len(seen) < _MOST_STEPS:
            for reader in self.readers[waiting.pop()]:
                if reader in seen:
                    continue
                scope = self.scopes[reader]
                part = scope[len(family.around) + 1 if family.around else 0 :].partition("/")[0]
                match = _NUMBERED.fullmatch(part)
                if _is_in(scope, family.around) and match is not None and match[1] == family.stem:
                    if not _is_in(scope, block):
                        return True
                    continue
                seen.add(reader)
                waiting.append(reader)
        return False

    # --- what only arranges

    def _place_arrangements(self) -> None:
        """Put what only arranges a map between what gives it and what reads it: into the module around both.

        Between two modules of a list it belongs to the one that reads.
        """
        read_by: dict[str, str] = {}
        arranged: dict[str, str] = {}
        for node in reversed(self.nodes):
            scope = self.scopes.get(node.name)
            if scope is None:
                readers = "" if node.name in self.outputs else read_by.get(node.name, "")
                given = [self.scopes.get(source, "") for source in self.sources[node.name]] or [""]
                arranged[node.name] = _between(_common(given), readers)
                scope = readers
            for name in node.inputs:
                if self._is_passed(name):
                    read_by[name] = _common([read_by.get(name, scope), scope])
        self.scopes |= arranged


def _is_in(scope: str, outer: str) -> bool:
    return not outer or scope == outer or scope.startswith(f"{outer}/")


def _and_around(scope: str) -> Iterator[str]:
    """A path and those around it, but for the network itself."""
    while scope:
        yield scope
        scope = scope.rpartition("/")[0]


def _common(scopes: Sequence[str]) -> str:
    """The module around several."""
    first, *others = [scope.split("/") for scope in scopes]
    count = 0
    while count < len(first) and all(other[count : count + 1] == first[count : count + 1] for other in others):
        count += 1
    return "/".join(first[:count])


def _between(given: str, read: str) -> str:
    """The module around two; of two in a list the second."""
    around = _common([given, read])
    start = len(around) + 1 if around else 0
    first, second = (_NUMBERED.fullmatch(scope[start:].partition("/")[0]) for scope in (given, read))
    if first is not None and second is not None and first[1] == second[1]:
        return read
    return around
