"""Names of layers: given and made ones, scopes, and what `from` refers to."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.core.errors import Location, Problem
from archcalc.core.suggest import did_you_mean
from archcalc.graph.layer_graph import Layer
from archcalc.spec.faults import MOST_PROBLEMS, Faults, TooMuchError
from archcalc.spec.source import Mark

LONGEST_NAME = 500
#: Of a step that is given with the names of the blocks around it.
LONGEST_PATH = 4 * LONGEST_NAME

#: The layers whose outputs flow to the next item; one, save after a block with several outputs.
Flow = tuple[int, ...]


def joined(scope: str, name: str) -> str:
    """stage2 and conv1 give stage2/conv1."""
    return f"{scope}/{name}" if scope else name


#: Where none is near, so many names are listed.
_MOST_LISTED = 6


def _listed(names: Sequence[str]) -> str:
    """`; there are a, b, …`."""
    return f"; there are {', '.join(names[:_MOST_LISTED])}" + ", …" * (len(names) > _MOST_LISTED)


class Names:
    """What each full name stands for: a layer, a block or branches, an input of a block."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.known: dict[str, Flow] = {}
        self._counters: dict[str, int] = {}
        self._open_scopes: dict[str, int] = {}
        #: References that named nothing when they were first met, and where: the scope, who reads, and the key.
        self.unresolved: dict[tuple[str, Location], tuple[str, str, str]] = {}

    def mark(self) -> tuple[int, dict[str, int], dict[str, int]]:
        """What is known now, to go back to."""
        return len(self.known), dict(self._counters), dict(self._open_scopes)

    def back_to(self, mark: tuple[int, dict[str, int], dict[str, int]]) -> None:
        """Forget the names that were added after a mark, and what was wrong with them."""
        count, self._counters, self._open_scopes = mark
        for name in list(self.known)[count:]:
            del self.known[name]
        self.unresolved.clear()

    def given(self, scope: str, name: str, at: Mark, is_step: bool = False, is_again: bool = False) -> str:
        """The full name of a given name; a faulty or repeated one is noted and replaced.

        `is_again`: the step is repeated, and this is not its first time. A step can be given a path
        (`stage2/conv1`); branches and outputs cannot.
        """
        parts = name.split("/") if is_step else [name]
        faulty = not name.isprintable() or any(not part or part != part.strip() for part in parts)
        longest = LONGEST_PATH if is_step else LONGEST_NAME
        if faulty or len(name) > longest or (not is_step and "/" in name):
            slash = "a '/' only between the parts of a path" if is_step else "no '/'"
            rule = f"printable characters, {slash}, at most {longest:,}"
            self.faults.add(f"{name[:60]!r} cannot be a name: {rule}", at)
            return self.made(scope, "unnamed")
        full = joined(scope, name)
        if full in self.known:
            hint = f'; in a repeat a name holds the counter: "{name}{{i}}" with as: i' if is_again else ""
            self.faults.add(f"two layers are named {full!r}{hint}", at)
            return self.made(scope, name)
        return full

    def made(self, scope: str, stem: str) -> str:
        """The next free name of a kind: conv1, conv2, …"""
        prefix = joined(scope, stem)
        while True:
            count = self._counters[prefix] = self._counters.get(prefix, 0) + 1
            if (name := f"{prefix}{count}") not in self.known:
                return name

    def branch(self, scope: str, name: str | None) -> str:
        """The scope of a branch: its name, numbered where it comes again; without a name the scope around it."""
        if name is None:
            return scope
        stem = joined(scope, name)
        count = self._open_scopes[stem] = self._open_scopes.get(stem, 0) + 1
        return stem if count == 1 else f"{stem}_{count}"

    def seen(self, reference: str, scope: str) -> str | None:
        """The full name of what is known by a name in a scope, inner names first, then outer ones; None for nothing."""
        while (candidate := joined(scope, reference)) not in self.known:
            if not scope:
                return None
            scope = scope.rpartition("/")[0]
        return candidate

    def find(self, reference: str, scope: str, at: Mark, reader: str, key: str = "from") -> str | None:
        """The full name that a reference means, seen from a scope.

        None is noted for later, with the key that held it.
        """
        if (found := self.seen(reference, scope)) is not None:
            return found
        self.unresolved.setdefault((reference, self.faults.place(at)), (scope, reader, key))
        if len(self.unresolved) >= MOST_PROBLEMS:
            raise TooMuchError
        return None

    def problems(self, layers: Sequence[Layer]) -> list[Problem]:
        """What is wrong with each unresolved reference, now that every name is known."""
        return [
            self._problem(layers, reference, *noted, location)
            for (reference, location), noted in self.unresolved.items()
        ]

    def _problem(
        self, layers: Sequence[Layer], reference: str, scope: str, reader: str, key: str, location: Location
    ) -> Problem:
        parts = scope.split("/") if scope else []
        candidates = ["/".join([*parts[:depth], reference]) for depth in range(len(parts), -1, -1)]
        later = next((name for name in candidates if name in self.known), None)
        if later is None:
            shallow = [name for name in self.known if name.count("/") < 2][:2000]
            hint = did_you_mean(reference, shallow) or _listed([name for name in shallow if name != reader])
            message = f"{key}: there is no layer {reference!r}{hint}"
        elif key == "weights":
            message = f"weights: {reference!r} comes later; a layer can only use the weights of layers above it"
        elif self._reads(layers, self.known[later][0], reader):
            message = f"a cycle: it reads {reference!r}, which reads it"
        else:
            message = f"{key}: {reference!r} comes later; a layer can only read layers above it"
        return Problem(message, location, f'"{reader}"' if reader else None)

    def _reads(self, layers: Sequence[Layer], start: int, name: str) -> bool:
        """Whether a layer reads the named one, directly or through others."""
        target = self.known.get(name, (-1,))[0]
        seen, waiting = set(), [start]
        while waiting:
            index = waiting.pop()
            if index == target:
                return True
            if index not in seen:
                seen.add(index)
                waiting += layers[index].inputs
        return False
