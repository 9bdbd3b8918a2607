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
    """Bᵀ d for p = 4: Lavin & Gray, section 4.1."""
    d0, d1, d2, d3 = given
    np.subtract(d0, d2, out=out[0])
    np.add(d1, d2, out=out[1])
    np.subtract(d2, d1, out=out[2])
    np.subtract(d1, d3, out=out[3])


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


def output_4_2(given: list[Array], out: list[Array], spare: list[Array]) -> None:
    """Aᵀ m for p = 4, m = 2: Lavin & Gray, section 4.1."""
    m0, m1, m2, m3 = given
    a = spare[0][: m0.shape[0]]
    np.add(m1, m2, out=a)
    np.add(a, m0, out=out[0])
    np.subtract(m1, m2, out=a)
    np.subtract(a, m3, out=out[1])


def output_6_4(given: list[Array], out: list[Array], spare: list[Array]) -> None:
    """Aᵀ m for p = 6, m = 4: Lavin & Gray, section 4.3, with the sums and differences of its rows computed once."""
    m0, m1, m2, m3, m4, m5 = given
    a, b, c = spare
    np.add(m1, m2, out=a)
    np.add(m3, m4, out=b)
    np.add(m0, a, out=c)
    np.add(c, b, out=out[0])
    np.multiply(b, 4, out=b)
    np.add(a, b, out=out[2])
    np.subtract(m1, m2, out=a)
    np.subtract(m3, m4, out=b)
    np.add(b, b, out=b)
    np.add(a, b, out=out[1])
    np.multiply(b, 4, out=b)
    np.add(a, b, out=a)
    np.add(a, m5, out=out[3])


def output_6_2(given: list[Array], out: list[Array], spare: list[Array]) -> None:
    """Aᵀ m for p = 6, m = 2: rows (1 1 1 1 1 0) and (0 1 −1 2 −2 1)."""
    m0, m1, m2, m3, m4, m5 = given
    a, b, _ = (part[: m0.shape[0]] for part in spare)
    np.add(m1, m2, out=a)
    np.add(m3, m4, out=b)
    np.add(a, b, out=a)
    np.add(a, m0, out=out[0])
    np.subtract(m1, m2, out=a)
    np.subtract(m3, m4, out=b)
    np.add(b, b, out=b)
    np.add(a, b, out=a)
    np.add(a, m5, out=out[1])


OUTPUT = {(4, 2): output_4_2, (6, 4): output_6_4, (6, 2): output_6_2}
