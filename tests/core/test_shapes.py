"""Shapes: read from the papers' notation, written for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import UsageError
from archcalc.core.shapes import (
    LARGEST_SIZE,
    Shape,
    format_shape,
    looks_channels_first,
    parse_image_shape,
    parse_shape,
    spec_shape,
)
from tests.tiers import examples

sizes = st.integers(1, LARGEST_SIZE)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("224x224x3", (3, 224, 224)),
        ("32x48x1", (1, 32, 48)),  # height before width
        ("32X48X1", (1, 32, 48)),
        ("32×48×1", (1, 32, 48)),
        ("32*48*1", (1, 32, 48)),
        (" 32 x 48 x 1 ", (1, 32, 48)),
        ("1x1x1", (1, 1, 1)),
        (f"{LARGEST_SIZE}x1x1", (1, LARGEST_SIZE, 1)),
        ("007x7x7", (7, 7, 7)),
        ("3x224x224 hwc", (224, 3, 224)),
        ("3x224x224 CHW", (3, 224, 224)),
        ("1x100x64", (64, 1, 100)),  # a signal
        ("3x3x256", (256, 3, 3)),
        ("4x16x16", (16, 4, 16)),
    ],
)
def test_an_input_is_height_by_width_by_channels(text: str, shape: Shape) -> None:
    assert parse_image_shape(text) == shape


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot read ''"),
        ("224", "has 1 number: "),
        ("224x224", "has 2 numbers: "),
        ("1x2x3x4", "has 4 numbers: "),
        ("0x224x3", "between 1 and 1,048,576"),
        ("224x224x0", "between 1 and 1,048,576"),
        (f"{LARGEST_SIZE + 1}x1x1", "between 1 and 1,048,576"),
        ("9" * 10_000 + "x1x1", "between 1 and 1,048,576"),
        ("-5x5x3", "cannot read '-5x5x3'"),
        ("5.5x5x3", "cannot read '5.5x5x3'"),
        ("5x5x", "cannot read '5x5x'"),
        ("x5x5", "cannot read 'x5x5'"),
        ("axbxc", "cannot read 'axbxc'"),
        ("5 5 3", "cannot read '5 5 3'"),
        ("1e3x5x3", "cannot read '1e3x5x3'"),
        ("5x5x3\n5", "cannot read"),
        ("3x224x224", "channels first? A size is written height×width×channels: 224x224x3"),
        ("3x480x640", "480x640x3"),
        ("1x28x28", "28x28x1"),
        ("4x64x64", "64x64x4"),
        ("(3, 224, 224)", "positions first and channels last, for example 224x224x3"),
    ],
)
def test_what_is_no_input_is_refused_and_the_form_is_shown(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_image_shape(text)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 200, "a long input is not repeated in full"


@pytest.mark.parametrize(
    ("shape", "layout", "text"),
    [
        ((96, 55, 55), "hwc", "55×55×96"),
        ((3, 4, 5), "hwc", "4×5×3"),
        ((3, 4, 5), "chw", "3×4×5"),
        ((4096,), "hwc", "4096"),
        ((4096,), "chw", "4096"),
    ],
)
def test_shapes_are_written_in_either_layout(shape: Shape, layout: str, text: str) -> None:
    assert format_shape(shape, layout) == text


def test_people_see_the_layout_of_the_papers() -> None:
    assert format_shape((96, 55, 54)) == "55×54×96"


@examples(50)
@given(sizes, sizes, sizes)
def test_what_is_written_can_be_read(channels: int, height: int, width: int) -> None:
    shape = (channels, height, width)
    # What looks channels first is asked about, unless the layout is written.
    layout = " hwc" if looks_channels_first((height, width, channels)) else ""
    assert parse_image_shape(format_shape(shape) + layout) == shape


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("3072", (3072,)),
        ("16000x1", (1, 16000)),
        ("197×768", (768, 197)),
        ("16x112x112x3", (3, 16, 112, 112)),
        ("3x16x112x112 chw", (3, 16, 112, 112)),
    ],
)
def test_shapes_of_any_rank_are_read_and_written(text: str, shape: Shape) -> None:
    assert parse_shape(text) == shape
    assert parse_shape(str(spec_shape(shape))) == shape


@pytest.mark.parametrize("text", ["1x16000", "3x16x112x112", "2x2x2x2x2", "0", "16x0"])
def test_shapes_that_are_asked_about_or_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_shape(text)
