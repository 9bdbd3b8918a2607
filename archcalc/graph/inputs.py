"""The inputs of a network, as they are given: one shape, or of several the shapes by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape, parse_shape
from archcalc.core.suggest import did_you_mean
from archcalc.core.words import listed

#: A shape, or of several inputs the shapes by name.
InputShapes = Shape | Mapping[str, Shape]

_NAMED = re.compile(r"\s*([^=,]+?)\s*=\s*([^=,]+?)\s*(?:,|$)")


def parse_inputs(text: str) -> InputShapes:
    """Read a size, 224x224x3, or sizes of inputs by name: image=224x224x3, mask=224x224x1. Raises `UsageError`."""
    if "=" not in text:
        return parse_shape(text)
    found: dict[str, Shape] = {}
    position = 0
    while position < len(text):
        match = _NAMED.match(text, position)
        if match is None or match[1] in found:
            reason = "names an input twice" if match else "is no list of inputs"
            raise UsageError(f"{text[:60]!r} {reason}; several are written image=224x224x3,mask=224x224x1")
        found[match[1]] = parse_shape(match[2])
        position = match.end()
    return found


def given_inputs(network: str, known: Collection[str], given: InputShapes) -> Mapping[str, Shape]:
    """The inputs of a network that are given, by name. Raises `UsageError` where it has no such input."""
    names = listed(list(known))
    if not isinstance(given, Mapping):
        if len(known) > 1:
            raise UsageError(f"{network} has the inputs {names}: say which, as in {next(iter(known))}=224x224x3")
        return dict.fromkeys(known, given)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or f"; it has {names}"
            raise UsageError(f"{network} has no input {name[:60]!r}{hint}")
    return given


def inputs_in_words(fewest: int, most: int | None) -> str:
    """How many inputs a layer or block takes: `one input`, `2 inputs`, `at least 2 inputs`, `1 to 2 inputs`."""
    if most is None:
        return f"at least {fewest} {'input' if fewest == 1 else 'inputs'}"
    if most == 0:
        return "no input"
    if fewest == most:
        return "one input" if fewest == 1 else f"{fewest} inputs"
    return f"{fewest} to {most} inputs"
