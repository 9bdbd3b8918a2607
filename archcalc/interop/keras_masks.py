"""Masks of Keras: which layers skip the steps that a mask leaves out.

Masked steps change no shape, no parameter and no count, so masks are not read. What skips steps cannot be executed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archcalc.interop.keras_calls import Call

_RECURRENT = frozenset(
    """
    LSTM GRU SimpleRNN RNN CuDNNLSTM CuDNNGRU Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D
    """.split()  # noqa: SIM905 # a table of words reads best as text
)
#: Layers that look at a mask. Source: Keras 3, the arguments of `call`.
_SKIP = _RECURRENT | frozenset(
    """
    TimeDistributed Softmax GlobalAveragePooling1D MultiHeadAttention GroupQueryAttention GroupedQueryAttention
    Attention AdditiveAttention
    """.split()  # noqa: SIM905 # as above
)
#: Those that give what they make the mask of what they read. Source: Keras 3, `supports_masking`.
_PASS = _SKIP - {"GlobalAveragePooling1D"} | frozenset(
    """
    Activation ActivityRegularization Add AlphaDropout Average BatchNormalization Concatenate Dense Dot Dropout ELU
    GaussianDropout GaussianNoise GroupNormalization Identity LayerNormalization LeakyReLU Maximum Minimum Multiply
    Normalization PReLU ReLU Rescaling SpatialDropout1D Subtract SyncBatchNormalization UnitNormalization
    """.split()  # noqa: SIM905 # as above
)
NOTE = "{}: a mask says which steps it skips; they are counted as all others, and the layer cannot be executed"


def skips(kind: str, config: Mapping[str, Any], call: Mapping[str, Any], *, is_masked: bool) -> bool:
    """Whether a layer skips steps: where what it reads has a mask, or where it is called with one."""
    inner = config.get("layer")
    if kind == "TimeDistributed" and isinstance(inner, Mapping):
        kind = str(inner.get("class_name"))
    given = call.get("mask") is not None or call.get("attention_mask") is not None
    return kind in _SKIP and (is_masked or given)


def passes(kind: str, config: Mapping[str, Any], *, is_masked: bool) -> bool:
    """Whether what a layer makes has a mask; the last step of a recurrent layer has none."""
    if kind == "Masking" or (kind == "Embedding" and config.get("mask_zero") is True):
        return True
    inner = config.get("layer") if kind == "Bidirectional" else None
    own = inner.get("config") if isinstance(inner, Mapping) else config
    is_last = kind in _RECURRENT and not (isinstance(own, Mapping) and own.get("return_sequences"))
    return is_masked and kind in _PASS and not is_last


def only_for_masks(calls: Mapping[str, Sequence[Call]], masks: Iterable[str], outputs: Iterable[str]) -> set[str]:
    """The layers that only calculate masks, which nothing reads: `masks` are those that were read as masks."""
    readers = Counter(key[0] for uses in calls.values() for use in uses for key in use.sources())
    readers.update(outputs)
    found: set[str] = set()
    waiting = list(masks)
    while waiting:
        name = waiting.pop()
        if name in found or name not in calls or readers[name]:
            continue
        found.add(name)
        for use in calls[name]:
            for key in use.sources():
                readers[key[0]] -= 1
                waiting.append(key[0])
    return found
