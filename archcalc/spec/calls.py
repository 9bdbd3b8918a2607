"""Layers as code and papers write them, as the words of a pattern: Conv2D(32, (3, 3), strides=2), conv(3, 32), 32C3.

What code does not say is as its framework has it: a convolution without padding. The notation of papers leaves that to
the rule of patterns.
"""

from __future__ import annotations

import re

#: A name and its arguments, which may have brackets of their own.
CALL = re.compile(r"(?:\w+\.)*(?P<name>[A-Za-z_]\w*)\s?\((?P<arguments>(?:[^()]|\([^()]*\))*)\)")
#: 32C3, 64c5s2; MP2, P2; 150N.
_SHORT = re.compile(
    r"(?P<filters>\d{1,6})C(?P<kernel>\d{1,3})(?P<rest>(?:[sp]\d+)*)|M?P(?P<pool>\d{1,3})|(?P<units>\d{1,6})N",
    re.IGNORECASE,
)
_ARGUMENT = re.compile(r"\s*(?:(?P<key>[A-Za-z_]\w*)\s*=\s*)?(?P<value>\([^()]*\)|[^,()]+)\s*(?:,|$)")
#: The names of arguments by their place: of Keras, of PyTorch, and of papers, where those names have no rank.
_PLACES: dict[str, dict[str, tuple[str, ...]]] = {
    "conv": {"D": ("filters", "kernel_size", "strides"), "d": ("in", "filters", "kernel_size", "strides", "padding"),
             "": ("kernel_size", "filters", "strides")},
    "pool": dict.fromkeys(("D", "d", ""), ("kernel_size", "strides", "padding")),
    "dense": dict.fromkeys(("D", "d", ""), ("units",)),
    "linear": dict.fromkeys(("D", "d", ""), ("in", "units")),
    "dropout": dict.fromkeys(("D", "d", ""), ("rate",)),
}  # fmt: skip
_ALIASES = {"stride": "strides", "pool_size": "kernel_size", "out_channels": "filters", "out_features": "units",
            "p": "rate", "dilation_rate": "dilation", "use_bias": "bias"}  # fmt: skip
_OPTIONS = {"strides": "s", "dilation": "d", "groups": "g"}


def as_words(text: str) -> list[str] | None:
    """The words that layers in code or in the notation of papers mean; None of what is neither.

    >>> as_words("Conv2D(32, (3, 3), strides=2, activation='relu')"), as_words("conv(3, 32)"), as_words("32C3")
    (['Conv3x3-32s2p0', 'relu'], ['conv3-32'], ['conv3-32'])
    """
    if short := _SHORT.fullmatch(text):
        if short["filters"]:
            return [f"conv{short['kernel']}-{short['filters']}{short['rest']}"]
        return [f"pool{short['pool']}" if short["pool"] else f"fc{short['units']}"]
    call = CALL.fullmatch(text)
    return _of_call(call["name"], call["arguments"]) if call else None


def _of_call(name: str, written: str) -> list[str] | None:
    plain = re.sub(r"_?[123][dD]$", "", name)
    rank = name[-1] if plain != name else ""
    stem = plain.lower().replace("_", "")
    kind = next((kind for kind in _PLACES if kind in stem), "dense" if stem in ("fc", "fullyconnected") else "")
    given: dict[str, str] = {}
    places = iter(_PLACES[kind][rank] if kind else ())
    for match in _ARGUMENT.finditer(written):
        key = match["key"] or next(places, "")
        given[_ALIASES.get(key, key)] = match["value"].strip(" \"'")
    if kind == "linear" and "units" not in given:
        given["units"] = given.pop("in", "")
    activation = given.get("activation", "").rpartition(".")[2].lower()
    after = [activation] if activation not in ("", "none", "linear") else []
    if kind in ("conv", "pool"):
        return [_window(plain, kind, rank, given), *after]
    number = given.get("units") or given.get("rate") or ""
    return [f"{'fc' if kind in ('dense', 'linear') else plain}{number}", *after]


def _window(plain: str, kind: str, rank: str, given: dict[str, str]) -> str:
    """A convolution or a pool with its settings."""
    word = f"{plain}{_sides(given.get('kernel_size', ''))}"
    if filters := given.get("filters"):
        word += f"-{filters}"
    word += "".join(
        f"{letter}{_sides(given[key])}" for key, letter in _OPTIONS.items() if given.get(key, "None") != "None"
    )
    padding = given.get("padding", "0" if rank and kind == "conv" else "").lower()
    if padding and padding not in ("valid", "same"):
        padding = f"p{_sides(padding)}"
    return word + padding + ("nobias" if given.get("bias") == "False" else "")


def _sides(value: str) -> str:
    """3 and (3, 5) as 3 and 3x5; equal sides stay apart, as they are written."""
    return "x".join(re.findall(r"\d+", value))
