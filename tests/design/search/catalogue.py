"""A space of every family of the catalogue: some of its numbers and the size of its input, near what they are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from archcalc.design.search.space import decimal
from archcalc.graph.layer_graph import LayerGraph
from archcalc.spec.build import build
from archcalc.spec.catalogue import SPECS, find
from archcalc.spec.document import Parameter
from archcalc.spec.load import load_spec
from archcalc.spec.settings import accept


def spaces(seed: int) -> Iterator[str]:
    """One for each file of specs."""
    chance = random.Random(seed)
    for path in sorted(SPECS.glob("*.yaml")):
        document = load_spec(path).document
        name = next(iter(document.networks), document.name)
        graph = build(*find(name))
        parts = []
        for key, parameter in document.parameters.items():
            near = [*near_values(graph, key, parameter)]
            if near:
                parts.append(f"{key}={','.join(map(decimal, chance.sample(near, min(2, len(near)))))}")
        parts = chance.sample(parts, min(2, len(parts)))
        shape = graph.input_shape
        if (
            len(graph.inputs) == 1
            and len(shape) == 3
            and shape[1] == shape[2]
            and "resolution" not in document.parameters
        ):
            parts.append(f"resolution={shape[1]},{shape[1] + chance.choice((1, 7, 32))}")
        yield f"{name} {', '.join(parts)}"


def near_values(graph: LayerGraph, key: str, parameter: Parameter) -> Iterator[Any]:
    """Values of a number near its own, none for what is no number."""
    if parameter.type not in ("int", "number") or key == "epsilon":
        return
    value = graph.settings[key]
    near = [value, value + 1, max(1, value // 2), value * 2] if parameter.type == "int" else [
        value, value * Fraction(3, 4), value * Fraction(5, 4),
    ]  # fmt: skip
    for one in dict.fromkeys(map(Fraction, parameter.choices or near)):
        plain: Any = int(one) if one.denominator == 1 else one
        try:
            accept(key, parameter, plain)
        except ValueError:
            continue
        if one.denominator < 10**6 and not set(_primes(one.denominator)) - {2, 5}:
            yield plain


def _primes(number: int) -> Iterator[int]:
    for prime in (2, 5):
        while number % prime == 0:
            number //= prime
            yield prime
    if number > 1:
        yield number
