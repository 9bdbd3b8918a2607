"""Claims and sums as people write them, right or wrong by a little."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from random import Random

from archcalc.core.shapes import Shape

#: Powers of a thousand.
SCALES = ((10**9, "G"), (10**6, "M"), (10**3, "K"))


def rounded(value: int, places: int, between: str = "") -> str:
    """1.23M; in full where it is less than a thousand."""
    for unit, letter in SCALES:
        if value >= unit:
            scaled = (2 * value * 10**places + unit) // (2 * unit)
            whole, part = divmod(scaled, 10**places)
            return f"{whole}.{part:0{places}d}{between}{letter}"
    return str(value)


def count(rng: Random, value: int) -> str:
    """A number, rounded or in full, or a calculation."""
    forms = [str(value), f"{value:,}", f"{value:,}".replace(",", " "), f"{value:,}".replace(",", "'"), f"about {value}"]
    forms += [rounded(value, places) for places in (1, 2, 3)] + [f"≈ {rounded(value, 1)}", rounded(value, 2, " ")]
    forms += [f"{value:.2e}", f"{value - 1} + 1", f"({value - 3}+3) = {value}"]
    forms += [f"{value:,}".replace(",", ".")] if value >= 1000 else []
    factors = [factor for factor in (2, 3, 5, 7, 16) if value % factor == 0 and value > factor]
    if factors:
        factor = rng.choice(factors)
        rest = value // factor
        forms += [
            f"{rest}*{factor}",
            f"{factor}×{rest}",
            f"{rest} x {factor} = {value}",
            f"{factor}·{rest} = {value:,}",
        ]
    return rng.choice(forms)


def shape(rng: Random, value: Shape) -> str:
    """A shape in any notation."""
    depth, *sides = value
    if not sides:
        return rng.choice(
            [f"{depth}", f"{depth:,}", f"1x1x{depth}", f"(None, {depth})", f"[-1, {depth}]", f"({depth},)"]
        )
    last, first = (", ".join(map(str, order)) for order in ([*sides, depth], [depth, *sides]))
    cross = rng.choice(("x", "×", " x ", "*", "х", " × "))
    crossed = cross.join(map(str, [*sides, depth]))
    forms = [crossed, f"({last})", f"({first})", f"[{first}]", f"(None, {last})", f"(N, {first})", f"(-1, {first})"]
    forms += [f"(1, {first})", f"torch.Size([1, {first}])"]
    if len(sides) == 2:
        height, width = sides
        forms += [f"{depth}@{height}{cross}{width}", f"H={height}, W={width}, C={depth}", f"{height}{cross}{width}"]
        forms += [f"{crossed} = {depth * height * width}", f"{height}{cross}{width}, {depth}"]
        forms += [f"({height}{cross}{width})×{depth}", f"{height}x{width} ({depth} channels)"]
        forms += [f"{height}²×{depth}", f"{depth}x{height}^2", str(height)] if height == width else []
    return rng.choice(forms)


def term(style: str, value: int) -> str:
    """A term of a sum."""
    return {
        "plain": str(value),
        "commas": f"{value:,}",
        "points": f"{value:,}".replace(",", "."),
        "spaces": f"{value:,}".replace(",", " "),
        "rounded": rounded(value, 2),
        "rough": rounded(value, 1, " "),
    }[style]


STYLES = ("plain", "commas", "points", "spaces", "rounded", "rough")


def total(rng: Random, values: Sequence[int]) -> str:
    """The sum of the numbers of all layers: equal ones together, some added up before, in any order."""
    style, result = rng.choice(STYLES), sum(values)
    how = rng.choice(("layers", "equal together", "groups", "any order"))
    if how == "equal together":
        terms = []
        for value, alike in groupby(values):
            times = len(list(alike))
            one = term(style, value)
            forms = (f"{times}*{one}", f"{one}*{times}", f"{times}×{one}", f"{one} x {times}")
            terms.append(one if times == 1 else rng.choice(forms))
    else:
        parts = list(values)
        if how == "groups" and len(parts) > 1:
            cut = rng.randrange(1, len(parts))
            parts = [sum(parts[:cut]), sum(parts[cut:])]
        elif how == "any order":
            rng.shuffle(parts)
        terms = [term(style, value) for value in parts]
    text = rng.choice((" + ", "+")).join(terms)
    if rng.random() < 0.3:
        return text
    is_rounded = style in ("rounded", "rough") or rng.random() < 0.5
    return f"{text} = {rounded(result, 1) if is_rounded else term(style, result)}"
