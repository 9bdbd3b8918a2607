"""The ops: one class each, grouped by family. `OPS` maps the names used in specs to the classes."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TypeVar

from archcalc.core.suggest import nearest
from archcalc.ops.base import Op, Operations, Param
from archcalc.ops.ranks import Ranks

_Class = TypeVar("_Class", bound=type[Op])

#: The kinds by the module that has them; where several ops share a word, the first is the most usual one.
#: `#d` stands for a family that has an op for each number of position axes.
_KINDS = {
    "activation": "relu relu6 sigmoid tanh scaled_tanh softmax log_softmax",
    "rectifier": "leaky_relu prelu elu selu gelu silu mish hardsigmoid hardswish hardtanh softplus glu",
    "merge": "add multiply concat",
    "arithmetic": "rescale power subtract divide",
    "parts": "chunk split narrow",
    "arrange": "channel_shuffle permute transpose pixel_shuffle pixel_unshuffle tokens grid roll",
    "dropout": "stochastic_depth drop_block feature_dropout alpha_dropout feature_alpha_dropout",
    "norm": "batch_norm#d local_response_norm dropout",
    "reshape": "input identity flatten reshape",
    "margins": "crop#d slice#d zero_pad#d pad_channels upsample#d",
    "resize": "interpolate reflection_pad replication_pad circular_pad",
    "sample_norm": "layer_norm rms_norm l2_norm group_norm instance_norm global_response_norm",
    "pool": "max_pool#d avg_pool#d lp_pool#d subsampling#d max_unpool#d",
    "whole_pool": "global_avg_pool#d global_max_pool#d adaptive_avg_pool#d adaptive_max_pool#d",
    "reduce": "mean amax",
    "conv": "conv#d depthwise_conv#d locally_connected#d conv_transpose#d",
    "attention": "matmul scaled_dot_product_attention multi_head_attention",
    "dense": "linear rbf",
    "opaque": "opaque",
    "recurrent": "rnn lstm gru",
    "trained": "scale position_embedding class_token parameter embedding index_select",
}


class Registry(MutableMapping[str, type[Op]]):
    """The ops by kind. The names are known from the start; the module of an op is imported when the op is asked for."""

    def __init__(self) -> None:
        self._found: dict[str, type[Op] | str] = {
            kind.replace("#", rank): module
            for module, kinds in _KINDS.items()
            for kind in kinds.split()
            for rank in (map(str, Ranks.RANKS) if "#" in kind else ("",))
        }

    def __getitem__(self, kind: str) -> type[Op]:
        found = self._found[kind]
        if isinstance(found, str):
            found = self._found[kind] = _class_of(import_module(f"{__name__}.{found}"), kind)
        return found

    def __setitem__(self, kind: str, op: type[Op]) -> None:
        self._found[kind] = op

    def __delitem__(self, kind: str) -> None:
        del self._found[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _class_of(module: ModuleType, kind: str) -> type[Op]:
    for found in vars(module).values():
        if isinstance(found, Ranks) and kind[:-2] == found.stem:
            return found[int(kind[-2])]
        if isinstance(found, type) and found.__dict__.get("kind") == kind:
            return found
    raise LookupError(f"{module.__name__} has no op {kind!r}")


OPS = Registry()

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
    ['max_pool2d', 'max_pool1d', 'max_pool3d']
    >>> [op.kind for op in called("fully-connected layer")]
    ['linear', 'rbf']
    """
    return tuple(_by_word().get(_plain(word), ()))


def nearly_called(word: str) -> tuple[type[Op], ...]:
    """The ops that people call by the word that looks most like this one; none where no word does.

    >>> [op.kind for op in nearly_called("cnov")][0]
    'conv2d'
    """
    return called(next(iter(nearest(_plain(word), _by_word(), 1, likeness=0.75)), ""))


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


__all__ = ["OPS", "Op", "Operations", "Param", "called", "register"]
