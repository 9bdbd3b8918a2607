"""Inputs of `archcalc run`: arrays, images, and names of the classes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from archcalc.execute.runner.inputs import FORMATS
from archcalc.execute.show.feature_maps import ENDINGS
from tests.cli.runner import Run

pytestmark = pytest.mark.usefixtures("own_folder")


# --- inputs


def test_an_array(archcalc: Run) -> None:
    np.save("x.npy", np.zeros((2, 1, 32, 32), np.uint8))
    result = archcalc("run", "lenet5", "--input", "x.npy")
    assert "batch 2" in result.out
    assert result.out.endswith(" agree\n")
    np.save("one.npy", np.zeros((1, 32, 32)))
    assert "batch 1" in archcalc("run", "lenet5", "--input", "one.npy").out


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((1, 28, 28)), "is an array (1, 28, 28); the network wants (1, 32, 32)"),
        (np.zeros((32, 32, 1)), "transpose it, as in x.transpose(2, 0, 1)"),
        (np.zeros((0, 1, 32, 32)), "the network wants"),
        (np.full((1, 32, 32), np.nan), "not finite"),
        (np.full((1, 32, 32), 1e300), "not finite"),
        (np.array(["a"]), "no array of real numbers"),
        (np.zeros((1, 32, 32), complex), "no array of real numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_arrays_that_do_not_fit(refuses: Run, array: Any, message: str) -> None:
    np.save("x.npy", array)
    assert message in refuses("run", "lenet5", "--input", "x.npy").err


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"\x93NUMPY garbage", b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4',", b"hello"]
)
def test_files_that_are_no_arrays(refuses: Run, content: bytes) -> None:
    Path("x.npy").write_bytes(content)
    assert "is no readable .npy file" in refuses("run", "lenet5", "--input", "x.npy").err


def test_an_array_of_objects_is_never_unpickled(refuses: Run) -> None:
    np.save("x.npy", np.array([print], dtype=object), allow_pickle=True)
    assert "no readable .npy file" in refuses("run", "lenet5", "--input", "x.npy").err


def test_a_file_shorter_than_it_says(refuses: Run) -> None:
    np.save("x.npy", np.zeros((1, 32, 32)))
    Path("x.npy").write_bytes(Path("x.npy").read_bytes()[:-100])
    assert "no readable .npy file" in refuses("run", "lenet5", "--input", "x.npy").err


def test_a_file_that_is_not_there(refuses: Run) -> None:
    assert "there is no file x.npy" in refuses("run", "lenet5", "--input", "x.npy").err
    assert "there is no file names.txt" in refuses("run", "lenet5", "--classes", "names.txt").err
    assert "there is no file w.npz" in refuses("run", "lenet5", "--weights", "w.npz").err


def test_the_batch_must_be_that_of_the_file(refuses: Run) -> None:
    np.save("x.npy", np.zeros((2, 1, 32, 32)))
    assert "--batch 3, but x.npy holds 2" in refuses("run", "lenet5", "--input", "x.npy", "--batch", "3").err


def test_an_image(archcalc: Run) -> None:
    Image.new("RGB", (60, 40), (255, 0, 0)).save("red.png")
    result = archcalc("run", "resnet20_cifar", "--input", "red.png", "--top", 1)
    assert result.out.endswith(" agree\n")
    assert archcalc("run", "lenet5", "--input", "red.png").code == 0


@pytest.mark.parametrize(
    ("preset", "values"),
    [
        ("unit", (1.0, 0.0, 0.2)),
        ("imagenet", ((1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225)),
        ("caffe", (51 - 103.939, -116.779, 255 - 123.68)),
    ],
)
def test_presets(preset: str, values: tuple[float, ...]) -> None:
    from archcalc.execute.runner.inputs import read_input

    Image.new("RGB", (5, 9), (255, 0, 51)).save("x.png")
    x = read_input(Path("x.png"), (3, 4, 4), "float64", preset)
    assert x.shape == (1, 3, 4, 4)
    np.testing.assert_allclose(x[0, :, 2, 1], values)


def test_an_image_is_cut_in_the_middle_not_squeezed() -> None:
    from archcalc.execute.runner.inputs import read_input

    picture = Image.new("L", (9, 3), 0)
    picture.paste(255, (3, 0, 6, 3))
    picture.save("x.png")
    np.testing.assert_array_equal(read_input(Path("x.png"), (1, 3, 3), "float32"), np.ones((1, 1, 3, 3)))


def test_files_that_are_no_images(refuses: Run) -> None:
    Path("x.png").write_bytes(b"\x89PNG\r\n\x1a\n garbage")
    assert "is no readable image" in refuses("run", "lenet5", "--input", "x.png").err
    Path("x.jpg").write_bytes(b"")
    assert "is no readable image" in refuses("run", "lenet5", "--input", "x.jpg").err


@pytest.mark.parametrize("side", [5_800, 11_489, 100_000])
def test_a_huge_image_is_refused_unread(refuses: Run, side: int) -> None:
    """A PNG of 10^10 pixels, of which only the header is there."""
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    Path("x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    assert "too large an image" in refuses("run", "lenet5", "--input", "x.png").err


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\n"


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.eps", "x"])
def test_an_image_never_runs_a_program(refuses: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """PostScript is a language, and Pillow hands it to Ghostscript."""
    started: list[Any] = []
    monkeypatch.setattr("subprocess.Popen", lambda *arguments, **_: started.append(arguments))
    Path(name).write_bytes(EPS)
    assert "is no readable image: none of PNG, JPEG" in refuses("run", "lenet5", "--input", name).err
    assert started == []


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_that_is_read(archcalc: Run, form: str) -> None:
    Image.new("RGB", (40, 30), (200, 100, 50)).save("x", form)
    assert archcalc("run", "resnet20_cifar", "--input", "x").code == 0


def test_the_endings_of_pictures_are_those_that_can_be_written(archcalc: Run, refuses: Run) -> None:
    for ending in ENDINGS:
        name = f"maps{ending}"
        assert archcalc("run", "lenet5", "--feature-maps", "C1", "-o", name).code == 0
        with Image.open(name, formats=FORMATS) as picture:
            assert picture.size == (3 * 58 + 2, 2 * 58 + 2)
    assert "name ends in .png" in refuses("run", "lenet5", "--feature-maps", "C1", "-o", "maps.eps").err


def test_images_have_1_or_3_channels(refuses: Run) -> None:
    Image.new("L", (8, 8)).save("x.png")
    assert "1 or 3 channels" in refuses("run", "lenet5", "--input", "x.png", "--input-size", "32x32x2").err


# --- classes


def test_classes_by_name(archcalc: Run) -> None:
    Path("digits.txt").write_text("\n".join(f"digit {number}" for number in range(10)), encoding="utf-8")
    lines = archcalc("run", "lenet5", "--classes", "digits.txt").out.splitlines()
    first = lines.index("  most likely")
    assert [line.split()[0] for line in lines[first + 1 : first + 6]] == ["1.", "2.", "3.", "4.", "5."]
    assert all(" digit " in line for line in lines[first + 1 : first + 6])


def test_class_names_must_be_as_many_as_classes(refuses: Run) -> None:
    Path("names.txt").write_text("one\ntwo\n", encoding="utf-8")
    assert "names.txt has 2 lines, the network 10 classes" in refuses("run", "lenet5", "--classes", "names.txt").err
    Path("names.txt").write_bytes(b"\xff\xfe\xff")
    assert "cannot read names.txt" in refuses("run", "lenet5", "--classes", "names.txt").err


TWO = """\
name: two
title: Two
inputs: {left: 16x16x3, right: 16x16x1}
layers:
  - concat: {from: [left, right]}
  - linear: {out_features: 3}
"""


@pytest.fixture
def two() -> str:
    Path("two.yaml").write_text(TWO)
    Image.new("RGB", (20, 20), (255, 0, 0)).save("a.png")
    np.save("b.npy", np.ones((1, 16, 16)))
    return "two.yaml"


def test_a_file_for_each_of_several_inputs(archcalc: Run, two: str) -> None:
    result = archcalc("run", two, "--input", "right=b.npy,left=a.png", "--top", 1)
    assert (result.code, result.err) == (0, "")
    assert result.out != archcalc("run", two, "--top", 1).out
    assert result.out != archcalc("run", two, "--input", "right=a.png,left=a.png", "--top", 1).out


def test_sizes_of_several_inputs_are_no_files(archcalc: Run, two: str) -> None:
    assert "left 8×8×3, right 8×8×1" in archcalc("run", two, "--input", "left=8x8x3,right=8x8x1").out


def test_batches_of_several_inputs(archcalc: Run, refuses: Run, two: str) -> None:
    for name, channels in (("l", 3), ("r", 1)):
        np.save(f"{name}.npy", np.ones((2, channels, 16, 16)))
    assert "batch 2" in archcalc("run", two, "--input", "left=l.npy,right=r.npy").out
    assert (
        "as many images, here are 2 in l.npy and 1 in b.npy"
        in refuses("run", two, "--input", "left=l.npy,right=b.npy").err
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "a.png",
            "two has the inputs left and right, here is one file; files are given as --input left=left.png,right=",
        ),
        ("left=a.png", "two has the inputs left and right, here is left;"),
        ("left=a.png,middle=a.png", "two has the inputs left and right, here are left and middle;"),
        ("left=a.png,left=b.npy", "--input names an input twice"),
        ("left=a.png,right=c.png", "there is no file c.png"),
        ("left=b.npy,right=b.npy", "b.npy is an array (1, 16, 16); the network wants (3, 16, 16)"),
    ],
)
def test_files_that_do_not_fit_several_inputs(refuses: Run, two: str, source: str, message: str) -> None:
    assert message in refuses("run", two, "--input", source).err


def test_a_single_input_may_be_named(archcalc: Run) -> None:
    Image.new("L", (9, 9), 7).save("a.png")
    assert archcalc("run", "lenet5", "--input", "input=a.png") == archcalc("run", "lenet5", "--input", "a.png")
