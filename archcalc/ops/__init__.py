"""The ops: one class each, grouped by family. `OPS` maps the names used in specs to the classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TypeVar

from archcalc.ops import (
    activation,
    arithmetic,
    arrange,
    attention,
    conv,
    dense,
    dropout,
    merge,
    norm,
    opaque,
    pool,
    recurrent,
    reshape,
    resize,
    sample_norm,
    trained,
    whole_pool,
)
from archcalc.ops.base import Op, Operations, Param

_Class = TypeVar("_Class", bound=type[Op])


def _concrete(base: type[Op]) -> Iterator[type[Op]]:
    for cls in base.__subclasses__():
        if "kind" in cls.__dict__:
            yield cls
        yield from _concrete(cls)


OPS: dict[str, type[Op]] = {cls.kind: cls for cls in _concrete(Op)}  # type: ignore[type-abstract]  # the base is only a starting point

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
    _by_word.cache_clear()
    return cls


def called(word: str) -> tuple[type[Op], ...]:
    """The ops that people call by this word, the most usual first; none for an unknown word.

    Case, spaces, hyphens and underscores do not matter, nor `2d` and `layer`.

    >>> [op.kind for op in called("MaxPooling2D")]
    ['max_pool2d']
    >>> [op.kind for op in called("fully-connected layer")]
    ['linear']
    """
    return tuple(_by_word().get(_plain(word), ()))


@cache
def _by_word() -> dict[str, dict[type[Op], None]]:
    """Every word without what is ignored, and its ops: first those that have it for a kind, then for a noun."""
    found: dict[str, dict[type[Op], None]] = {}
    for words in ((lambda op: (op.kind,)), (lambda op: (op.noun,)), (lambda op: op.words)):
        for op in OPS.values():
            for word in words(op):
                found.setdefault(_plain(word), {})[op] = None
    return found


def _plain(word: str) -> str:
    return _IGNORED.sub("", word.strip().lower())


__all__ = [
    "OPS", "Op", "Operations", "Param", "activation", "arithmetic", "arrange", "attention", "called", "conv", "dense",
    "dropout", "merge", "norm", "opaque", "pool", "recurrent", "register", "reshape", "resize", "sample_norm",
    "trained", "whole_pool",
]  # fmt: skip
