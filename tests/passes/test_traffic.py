"""What a layer moves and calculates, by hand."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archcalc as ac
from archcalc.ops import rules
from archcalc.passes.traffic import bytes_moved, operations_done
from tests.networks import one_of_each
from tests.tiers import examples, slow_but


@pytest.mark.parametrize(
    ("pattern", "layer", "moved", "operations"),
    [
        # 8·8·3 values in, 8·8·4 out, 27·4 weights and 4 biases; 27 products and 27 additions (the bias too) each.
        ("8x8x3 -> conv3-4", 1, 192 + 256 + 112, 256 * 54),
        # A third of the positions along each axis is read: rows 0, 3 and 6 of 8.
        ("8x8x2 -> conv1-4/3", 1, 9 * 2 + 9 * 4 + 12, 36 * 4),
        # 2×2 windows at a distance of 3: rows 0, 1, 3, 4, 6 and 7.
        ("8x8x1 -> pool2/3", 1, 36 + 9, 9 * 3),
        ("8x8x3 -> relu", 1, 192 + 192, 192),
        # γ, β, mean and variance are read.
        ("8x8x3 -> bn", 1, 192 + 192 + 12, None),
        ("4x4x2 -> fc5", 1, 32 + 5 + 165, 5 * 64),
        ("4x4x2 -> dropout0.5 -> flatten", 1, 0, 0),
        ("4x4x2 -> flatten", 1, 0, 0),
        ("4x4x2 -> relu", 0, 0, 0),
    ],
)
@pytest.mark.parametrize(("batch", "dtype", "size"), [(1, "float32", 4), (3, "float16", 2)])
def test_by_hand(
    pattern: str, layer: int, moved: int, operations: int | None, batch: int, dtype: str, size: int
) -> None:
    analysis = ac.analyse(pattern, batch, dtype)
    row = analysis.rows[layer]
    read_once = row.params + row.buffers if moved else 0
    assert bytes_moved(analysis, layer) == ((moved - read_once) * batch + read_once) * size
    if operations is not None:
        assert operations_done(analysis, layer) == operations * batch


def network(text: str, size: str) -> ac.Analysis:
    return ac.from_yaml(f"name: n\ntitle: N\ninput: {size}\nlayers:\n{text}").analyse()


def test_shared_weights_are_read_by_both() -> None:
    analysis = network("  - conv2d: {name: a, out_channels: 3, kernel_size: 1}\n  - conv2d: {name: b, out_channels: 3, "
                       "kernel_size: 1, weights: a}\n", "4x4x3")  # fmt: skip
    assert analysis.rows[2].params == 0
    assert bytes_moved(analysis, 1) == bytes_moved(analysis, 2) == 4 * (48 + 48 + 12)


def test_an_embedding_reads_the_rows_that_are_looked_up() -> None:
    analysis = network("  - embedding: {num_embeddings: 1000, embedding_dim: 8}\n", "5x1")
    assert bytes_moved(analysis, 1) == 4 * (5 + 5 * 8 + 5 * 8)


def test_what_is_not_counted_is_not_zero() -> None:
    analysis = network("  - opaque: {of: Mystery, shape: 4x4x3, params: 5}\n", "4x4x3")
    assert bytes_moved(analysis, 1) is None
    assert operations_done(analysis, 1) is None


@pytest.mark.parametrize("name", slow_but(["googlenet@aux", "swin_t", "deconvnet"], one_of_each()))
def test_no_layer_reads_more_than_it_is_given(name: str) -> None:
    analysis = ac.analyse(name)
    for index, row in enumerate(analysis.rows):
        own = analysis[row.weights_of] if row.weights_of else row
        most = sum(map(prod, row.input_shapes)) + prod(row.output_shape) + own.params + own.buffers
        moved = bytes_moved(analysis, index)
        assert moved is not None
        assert 0 <= moved <= 4 * most, row.name
        # What is no view writes its output.
        assert row.op.is_view or row.op.is_input or moved >= 4 * prod(row.output_shape), row.name


SMALL = st.integers(1, 9)


@given(st.integers(1, 20), SMALL, SMALL, SMALL, st.integers(-4, 4))
@examples(300)
def test_positions_reached(size: int, positions: int, span: int, stride: int, before: int) -> None:
    reached = {place * stride - before + step for place in range(positions) for step in range(span)}
    assert rules.positions_reached(size, positions, span, stride, before) == len(reached & set(range(size)))
