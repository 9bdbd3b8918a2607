"""The ops: one class each, grouped by family. `OPS` maps the names used in specs to the classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

from archcalc.ops import activation, conv, dense, merge, norm, pool, reshape
from archcalc.ops.base import Op, Operations, Param

_Class = TypeVar("_Class", bound=type[Op])


def _concrete(base: type[Op]) -> Iterator[type[Op]]:
    for cls in base.__subclasses__():
        if "kind" in cls.__dict__:
            yield cls
        yield from _concrete(cls)


OPS: dict[str, type[Op]] = {cls.kind: cls for cls in _concrete(Op)}  # type: ignore[type-abstract]  # the base is only a starting point
_called: dict[str, tuple[type[Op], ...]] = {}

#: What does not tell one word from another: `Max-Pooling2D layer` is `maxpooling`.
_IGNORED = re.compile(r"2-?d|[\s_\-./:#()]+|layers?$|слой|couche|capa", re.IGNORECASE)


def register(cls: _Class) -> _Class:
    """A class decorator that makes an op known: to specs, reports, derivations, checks and the schema.

    Raises `ValueError` for a kind that another op has, or that is no name.
    """
    kind = cls.kind
    if not re.fullmatch(r"[a-z][a-z0-9_]*", kind):
        raise ValueError(f"the kind of an op is a name in lower case, not {kind!r}")
    if OPS.setdefault(kind, cls) is not cls:
        raise ValueError(f"there is an op {kind!r} already: {OPS[kind].__module__}.{OPS[kind].__qualname__}")
    _called.clear()
    return cls


def called(word: str) -> tuple[type[Op], ...]:
    """The ops that people call by this word, the most usual first; none for an unknown word.

    Case, spaces, hyphens and underscores do not matter, nor `2d` and `layer`.

    >>> [op.kind for op in called("MaxPooling2D")]
    ['max_pool2d']
    >>> [op.kind for op in called("fully-connected layer")]
    ['linear']
    """
    if not _called:
        found: dict[str, list[type[Op]]] = {}
        for name in ("kind", "noun", "words"):
            for op in OPS.values():
                value = getattr(op, name)
                for one in (value,) if isinstance(value, str) else value:
                    ops = found.setdefault(_plain(one), [])
                    if op not in ops:
                        ops.append(op)
        _called.update({key: tuple(ops) for key, ops in found.items()})
    return _called.get(_plain(word), ())


def _plain(word: str) -> str:
    return _IGNORED.sub("", word.strip().lower())


__all__ = [
    "OPS", "Op", "Operations", "Param", "activation", "called", "conv", "dense", "merge", "norm", "pool", "register",
    "reshape",
]  # fmt: skip
