"""The transforms of Winograd convolution along one axis: G of filters, Bᵀ of inputs, Aᵀ of products.

Each takes and gives lists of equally shaped maps, one for each position in a tile, and works in place on whole maps.
Source: Lavin & Gray 2015, "Fast Algorithms for Convolutional Neural Networks", sections 4.1 and 4.3.
"""

from __future__ import annotations

import numpy as np

from archcalc.execute.quick.kernels.workspace import Array

#: The points at which the polynomials of a tile are evaluated, ∞ last, and the factors of G there: Bᵀ depends on both.
POINTS = {4: ((0, 1, -1), (1, 2, 2)), 6: ((0, 1, -1, 2, -2), (4, -6, -6, 24, 24))}


def filter_transform(tile: int, size: int) -> Array:
    """G (p, r): the filter as a polynomial, evaluated at the points and divided by their factors; its last weight at ∞.

    >>> filter_transform(2, 3)
    array([[ 1. ,  0. ,  0. ],
           [ 0.5,  0.5,  0.5],
           [ 0.5, -0.5,  0.5],
           [ 0. ,  0. ,  1. ]])
    """
    points, factors = POINTS[tile + size - 1]
    rows = [[point**power / factor for power in range(size)] for point, factor in zip(points, factors, strict=True)]
    return np.array([*rows, [0] * (size - 1) + [1]], dtype=np.float64)


def input_4(given: list[Array], out: list[Array], _spare: list[Array]) -> None:
    """Bᵀ d for p = 4: Lavin & Gray, section 4.1, with the other sign at ∞, so that it is added in every output."""
    d0, d1, d2, d3 = given
    np.subtract(d0, d2, out=out[0])
    np.add(d1, d2, out=out[1])
    np.subtract(d2, d1, out=out[2])
    np.subtract(d3, d1, out=out[3])


def input_6(given: list[Array], out: list[Array], spare: list[Array]) -> None:
    """Bᵀ d for p = 6: Lavin & Gray, section 4.3, with the common parts of its rows computed once."""
    d0, d1, d2, d3, d4, d5 = given
    a, b, c = spare
    np.multiply(d2, 4, out=a)
    np.subtract(d4, a, out=a)  # d4 − 4·d2
    np.multiply(d1, 4, out=b)
    np.subtract(d3, b, out=b)  # d3 − 4·d1
    np.add(a, b, out=out[1])
    np.subtract(a, b, out=out[2])
    np.subtract(d4, d2, out=a)
    np.subtract(d3, d1, out=b)
    np.add(b, b, out=b)  # 2·(d3 − d1)
    np.add(a, b, out=out[3])
    np.subtract(a, b, out=out[4])
    np.subtract(d0, d2, out=c)
    np.multiply(c, 4, out=c)
    np.add(c, a, out=out[0])  # 4·d0 − 5·d2 + d4
    np.add(b, b, out=b)
    np.subtract(d5, d3, out=c)
    np.subtract(c, b, out=out[5])  # 4·d1 − 5·d3 + d5


def output_transform(given: list[Array], out: list[Array], spare: list[Array]) -> None:
    """Aᵀ m: output k is Σ point^k · m over the finite points; the product at ∞ goes to the last output.

    The points after 0 come in pairs ±1, ±2: the sums of their products make the even outputs, the differences the odd.
    """
    zero, *pairs, infinite = given
    for parity, combine in enumerate((np.add, np.subtract)):
        parts = [
            combine(plus, minus, out=part) for plus, minus, part in zip(pairs[::2], pairs[1::2], spare, strict=False)
        ]
        for power in range(parity, len(out), 2):
            for point, part in enumerate(parts[1:], 2):
                if power:
                    np.multiply(part, point if power == 1 else point**2, out=part)
            terms = [*parts, *([zero] if power == 0 else []), *([infinite] if power == len(out) - 1 else [])]
            np.add(terms[0], terms[1], out=out[power])
            for term in terms[2:]:
                np.add(out[power], term, out=out[power])
