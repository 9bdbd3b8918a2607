"""The ops: one class each, grouped by family. `OPS` maps the names used in specs to the classes."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.ops import activation, conv, dense, merge, norm, pool, reshape
from archcalc.ops.base import Op, Operations, Param


def _concrete(base: type[Op]) -> Iterator[type[Op]]:
    for cls in base.__subclasses__():
        if "kind" in cls.__dict__:
            yield cls
        yield from _concrete(cls)


OPS: dict[str, type[Op]] = {cls.kind: cls for cls in _concrete(Op)}  # type: ignore[type-abstract]  # the base is only a starting point

__all__ = ["OPS", "Op", "Operations", "Param", "activation", "conv", "dense", "merge", "norm", "pool", "reshape"]
