"""`archcalc run`: agreement, files in and out, and bad input."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from archcalc.execute.runner import SeededWeights
from archcalc.execute.runner.files import save_weights
from archcalc.execute.runner.inputs import FORMATS
from archcalc.execute.runner.memory import available_bytes, needed_bytes
from archcalc.execute.show.feature_maps import ENDINGS
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.cli.runner import Run

AGREE = "all shapes and counts agree\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- what it says


def test_it_ends_with_agreement(archcalc: Run) -> None:
    result = archcalc("run", "lenet5", "--count")
    assert result == (
        0,
        "LeNet-5: input 32×32×1, batch 1, float32, auto, weights from seed 0\n"
        "  layers executed              13\n"
        "  parameters and buffers   61,706  246,824 bytes\n"
        "  multiplications         416,520  an image, counted one by one\n"
        "  live bytes at the peak   23,520  in S2\n" + AGREE,
        "",
    )


@pytest.mark.parametrize("algorithm", ["auto", "loops", "im2col", "fast"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_form_agrees(archcalc: Run, algorithm: str, dtype: str) -> None:
    result = archcalc("run", "lenet5@1998", "--algorithm", algorithm, "--dtype", dtype, "--batch", 2)
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(" agree\n")
    assert "batch 2, " + dtype in result.out


def test_a_last_window_in_the_padding_is_kept_by_report_and_run_alike(archcalc: Run) -> None:
    """OpenVINO's rounding_type "ceil": 5 + 2 pixels, windows of 2: 4 positions, the last of which reads padding."""
    text = (
        "name: openvino\ntitle: Rounded up\ninput: 5x5x3\nlayers:\n"
        "  - KIND: {kernel_size: 2, stride: 2, padding: 1, ceil_mode: true, clip_last_window: false}\n"
    )
    for kind, finite in (("max_pool2d", False), ("avg_pool2d", True)):
        Path("net.yaml").write_text(text.replace("KIND", kind), encoding="utf-8")
        assert "4×4×3" in archcalc("report", "net.yaml").out
        for algorithm in ("auto", "loops", "im2col"):
            result = archcalc("run", "net.yaml", "--layers", "--algorithm", algorithm)
            assert result.code == 0
            assert "4×4×3" in result.out
            assert ("not finite" in result.err) is not finite


def test_a_mean_of_padding_that_does_not_count_is_refused_by_both(archcalc: Run) -> None:
    Path("net.yaml").write_text(
        "name: n\ntitle: N\ninput: 5x5x3\nlayers:\n  - avg_pool2d: {kernel_size: 2, stride: 2, padding: 1, "
        "ceil_mode: true, clip_last_window: false, count_include_pad: false}\n",
        encoding="utf-8",
    )
    for command in ("report", "run", "validate"):
        result = archcalc(command, "net.yaml")
        assert result.code == 2
        assert "nothing but padding" in result.err + result.out


def test_a_row_for_each_layer(archcalc: Run) -> None:
    lines = archcalc("run", "lenet5", "--layers").out.splitlines()
    assert "  C1         28×28×6         156          117,600  agrees" in lines
    assert sum(line.endswith("agrees") for line in lines) == 13


def test_the_matrices_of_im2col(archcalc: Run) -> None:
    """CS231n, "implementation as matrix multiplication": X_col 363×3025, W_row 96×363."""
    out = archcalc("run", "alexnet", "--layers", "--algorithm", "im2col").out
    (line,) = (line for line in out.splitlines() if line.startswith("  conv1 "))
    assert " 96×363 · 363×3025  agrees" in line


def test_a_document_for_programs(archcalc: Run) -> None:
    document = archcalc("run", "lenet5", "-f", "json", "--count", "--top", 3).json
    assert document["schema"] == "archcalc.run/1"
    assert document["agree"] is True
    assert document["differences"] == []
    assert document["totals"] == {"params_and_buffers": 61706, "multiplications": 416520, "peak_live_bytes": 23520}
    assert document["layers"][1] == {
        "name": "C1",
        "op": "conv2d",
        "output_shape": [6, 28, 28],
        "arrays": {"weight": [6, 1, 5, 5], "bias": [6]},
        "multiplications": 117600,
        "live_bytes": 22912,
        "matrices": {"w_row": [6, 25], "x_col": [25, 784], "result": [6, 784], "groups": 1},
    }
    values = [guess["value"] for guess in document["top"][0]]
    assert len(values) == 3
    assert values == sorted(values, reverse=True)


def test_the_seed_decides(archcalc: Run) -> None:
    first, again, other = (archcalc("run", "lenet5", "--seed", seed, "--top", 3).out for seed in (7, 7, 8))
    assert first == again
    assert first.replace("seed 7", "seed 8") != other


def test_sizes_and_parameters_of_the_network(archcalc: Run) -> None:
    assert "input 36×40×1" in archcalc("run", "lenet5", "--input-size", "36x40x1").out
    assert "input 36×40×1" in archcalc("run", "lenet5", "--input", "36x40x1").out
    small = archcalc("run", "mobilenet", "--set", "alpha=0.25", "--input-size", "32x32x3")
    assert small.out.endswith(" agree\n")


def test_a_difference_ends_with_1(archcalc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from archcalc.ops.conv import Conv2d

    monkeypatch.setattr(Conv2d, "macs", lambda *_: 7)
    result = archcalc("run", "lenet5", "--layers")
    assert result.code == 1
    assert "C1: multiplications: executed 117,600, the analysis says 7" in result.out
    assert result.out.endswith(" differences between the run and the analysis\n")
    assert "117,600  differs" in result.out


def test_an_output_in_a_file(archcalc: Run) -> None:
    assert archcalc("run", "lenet5", "-o", "run.txt") == (0, "", "")
    assert Path("run.txt").read_text(encoding="utf-8").endswith(" agree\n")


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


# --- weights


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_weights_go_out_and_come_back(archcalc: Run, suffix: str) -> None:
    made = archcalc("run", "lenet5", "--seed", 3, "--save-weights", f"w.{suffix}", "--top", 2, "-f", "json").json
    read = archcalc("run", "lenet5", "--seed", 3, "--weights", f"w.{suffix}", "--top", 2, "-f", "json").json
    assert made == read
    first = Path(f"w.{suffix}").read_bytes()
    archcalc("run", "lenet5", "--weights", f"w.{suffix}", "--save-weights", f"again.{suffix}")
    assert Path(f"again.{suffix}").read_bytes() == first
    assert sorted(path.name for path in Path().iterdir()) == sorted([f"w.{suffix}", f"again.{suffix}"])


def stored(**changes: Any) -> dict[str, Any]:
    """The arrays of lenet5, with some put in, changed or (None) taken out."""
    analysis = analyse(load("lenet5"))
    save_weights(Path("all.npz"), analysis, SeededWeights(analysis.graph))
    with np.load("all.npz") as file:
        arrays = {**file, **{name.replace("__", "."): value for name, value in changes.items()}}
    return {name: value for name, value in arrays.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"C1__weight": None}, "C1.weight is missing"),
        ({"C9__weight": np.zeros(3)}, "C9.weight belongs to no layer"),
        ({"C1__weight": np.zeros((6, 1, 3, 3))}, "C1.weight is 6×1×3×3, the layer wants 6×1×5×5"),
        ({"C1__bias": np.zeros(6, np.int64)}, "C1.bias holds i8, not floating-point numbers"),
        ({"C1__bias": np.full(6, np.nan)}, "C1.bias holds values that are not finite"),
        ({"C1__bias": np.array([print] * 6, dtype=object)}, "C1.bias holds O, not floating-point numbers"),
    ],
)
def test_weights_that_do_not_fit(refuses: Run, changes: dict[str, Any], message: str) -> None:
    np.savez("w.npz", **stored(**changes))
    assert message in refuses("run", "lenet5", "--weights", "w.npz").err


def test_all_that_does_not_fit_is_said_at_once(refuses: Run) -> None:
    arrays: dict[str, Any] = {f"x{number}": np.zeros(1) for number in range(20)}
    np.savez("w.npz", **arrays)
    lines = refuses("run", "lenet5", "--weights", "w.npz").err.splitlines()
    assert lines[0].endswith("w.npz: neither names nor shapes fit the network:")
    assert lines[1].strip() == "no array fits C1: bias 6, weight 6×1×5×5"
    # Five layers without an array, and one module that belongs to none.
    assert len(lines) == 1 + 5 + 1
    np.savez("w.npz", **{"C1.weight": np.zeros((6, 1, 5, 5)), **arrays})
    lines = refuses("run", "lenet5", "--weights", "w.npz").err.splitlines()
    assert len(lines) == 10
    assert lines[-1].strip() == "and 21 more"


@pytest.mark.parametrize("content", [b"", b"PK garbage", b"PK\x05\x06" + bytes(18)])
def test_files_that_hold_no_weights(refuses: Run, content: bytes) -> None:
    Path("w.npz").write_bytes(content)
    refuses("run", "lenet5", "--weights", "w.npz")


def test_damaged_weights(refuses: Run) -> None:
    np.savez_compressed("w.npz", **stored())
    whole = bytearray(Path("w.npz").read_bytes())
    for place in range(300, len(whole) - 4000, 997):
        whole[place] ^= 0xFF
    Path("w.npz").write_bytes(whole)
    assert "is no readable .npz file" in refuses("run", "lenet5", "--weights", "w.npz").err


def test_an_archive_of_something_else(refuses: Run) -> None:
    with zipfile.ZipFile("w.npz", "w") as archive:
        archive.writestr("C1.weight.npy", "import os")
    assert "is no readable .npz file" in refuses("run", "lenet5", "--weights", "w.npz").err


def test_a_header_that_promises_too_much(refuses: Run) -> None:
    """An array of 10^15 values: its size is wrong before anything is read."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile("w.npz", "w") as archive:
        archive.writestr("C1.weight.npy", header.getvalue())
    assert "the layer wants 6×1×5×5" in refuses("run", "lenet5", "--weights", "w.npz").err


def test_safetensors_that_are_none(refuses: Run) -> None:
    Path("w.safetensors").write_bytes(b"\xff" * 100)
    assert "at most 16,777,216 are read" in refuses("run", "lenet5", "--weights", "w.safetensors").err
    Path("w.safetensors").write_bytes(struct.pack("<Q", 80) + b"{" * 80)
    assert "is no readable .safetensors file" in refuses("run", "lenet5", "--weights", "w.safetensors").err


def test_a_header_of_a_billion_bytes_is_refused_unread(refuses: Run) -> None:
    """A file with a hole, so that the bytes are there without filling the disk."""
    with Path("w.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", 10**9))
        file.truncate(10**9 + 8)
    assert "has a header of 1,000,000,000 bytes" in refuses("run", "lenet5", "--weights", "w.safetensors").err
    Path("w.safetensors").unlink()
    start = b"\x93NUMPY\x02\x00" + struct.pack("<I", 10**9)
    with zipfile.ZipFile("w.npz", "w") as archive:
        archive.writestr("C1.weight.npy", start + b" " * 100)
    assert "a header of 1,000,000,000 bytes" in refuses("run", "lenet5", "--weights", "w.npz").err
    with Path("x.npy").open("wb") as file:
        file.write(start)
        file.truncate(10**9 + 12)
    assert "a header of 1,000,000,000 bytes" in refuses("run", "lenet5", "--input", "x.npy").err
    Path("x.npy").unlink()


def test_far_too_many_arrays_are_refused(refuses: Run) -> None:
    with zipfile.ZipFile("w.npz", "w") as archive:
        for number in range(1100):
            archive.writestr(f"{number}.npy", b"")
    assert "w.npz holds 1,100 arrays; the network has far fewer" in refuses("run", "lenet5", "--weights", "w.npz").err


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_weights_that_cannot_be_written(refuses: Run, ending: str) -> None:
    """A full disk, and a folder in which nobody can make a file."""
    Path(f"w.{ending}").symlink_to("/dev/full")
    assert f"cannot write w.{ending}" in refuses("run", "lenet5", "--save-weights", f"w.{ending}").err
    assert f"cannot write /proc/w.{ending}" in refuses("run", "lenet5", "--save-weights", f"/proc/w.{ending}").err
    assert [path.name for path in Path().iterdir()] == [f"w.{ending}"]


def test_no_file_is_written_over_another_of_the_run(archcalc: Run, refuses: Run) -> None:
    assert "name the same file" in refuses("run", "lenet5", "--save-weights", "w.npz", "-o", "w.npz").err
    assert list(Path().iterdir()) == []
    assert archcalc("run", "lenet5", "--save-weights", "w.npz").code == 0
    before = Path("w.npz").read_bytes()
    Path("names.txt").write_text("".join(f"{number}\n" for number in range(10)), encoding="utf-8")
    for arguments in (
        ("--weights", "w.npz", "--save-weights", "w.npz"),
        ("--weights", "w.npz", "-o", "w.npz"),
        ("--classes", "names.txt", "-o", "names.txt"),
        ("--save-weights", "w2.npz", "--feature-maps", "C1", "-o", "w2.npz"),
    ):
        refuses("run", "lenet5", *arguments)
    assert Path("w.npz").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["names.txt", "w.npz"]


def test_formats_of_weights(refuses: Run) -> None:
    Path("w.pt").write_bytes(b"")
    assert ".npz or .safetensors" in refuses("run", "lenet5", "--weights", "w.pt").err
    assert ".npz or .safetensors" in refuses("run", "lenet5", "--save-weights", "w.h5").err


# --- maps


def test_the_map_of_every_layer(archcalc: Run) -> None:
    assert archcalc("run", "resnet20_cifar", "--save-activations", "maps").code == 0
    rows = analyse(load("resnet20_cifar")).rows
    files = sorted(Path("maps").iterdir())
    assert len(files) == len(rows)
    for file, row in zip(files, rows, strict=True):
        assert file.name.endswith(f"_{row.name.replace('/', '.')}.npy")
        assert np.load(file).shape == (1, *row.output_shape)


def test_a_folder_with_something_in_it_is_left_alone(refuses: Run) -> None:
    Path("maps").mkdir()
    Path("maps/mine.txt").write_text("mine", encoding="utf-8")
    assert "exists already" in refuses("run", "lenet5", "--save-activations", "maps").err
    assert [path.name for path in Path("maps").iterdir()] == ["mine.txt"]
    assert "no directory" in refuses("run", "lenet5", "--save-activations", "a/b/c").err


def test_a_picture_of_a_map(archcalc: Run) -> None:
    result = archcalc("run", "lenet5", "--feature-maps", "C1", "-o", "maps.png")
    assert result.out.endswith(" agree\n")
    with Image.open("maps.png") as picture:
        # Six maps of 28×28, twice as large and in three columns, 2 pixels around each.
        assert picture.size == (3 * 58 + 2, 2 * 58 + 2)
        assert picture.mode == "L"
        assert picture.getextrema() == (0, 255)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--feature-maps", "C1"), "-o maps.png"),
        (("--feature-maps", "C1", "-o", "-"), "-o maps.png"),
        (("--feature-maps", "C2", "-o", "maps.png"), "there is no layer 'C2'"),
        (("--feature-maps", "F6", "-o", "maps.png"), "the map of F6 is flat"),
        (("--feature-maps", "C1", "-o", "maps.txt"), "a picture's name ends in .png, .jpg"),
        (("--feature-maps", "C1", "-o", "nowhere/maps.png"), "there is no directory nowhere"),
        (("--preset", "unit"), "--input"),
        (("--input-size", "5x5x1"), "window is larger"),
        (("--count", "--algorithm", "fast"), "save multiplications"),
    ],
)
def test_options_that_do_not_fit(refuses: Run, arguments: tuple[str, ...], message: str) -> None:
    assert message in refuses("run", "lenet5", *arguments).err
    assert list(Path().iterdir()) == []


def test_nothing_steers_the_terminal(archcalc: Run) -> None:
    """Titles, names of layers and of classes come from files."""
    Path("net.yaml").write_text(
        'name: net\ntitle: "a\\e[31mred"\ninput: 4x4x1\nlayers:\n  - linear: {name: fc, out_features: 2}\n',
        encoding="utf-8",
    )
    Path("names.txt").write_text("\x1b[2Jone\ntwo\n", encoding="utf-8")
    result = archcalc("run", "net.yaml", "--layers", "--classes", "names.txt")
    assert result.code == 0
    assert "\x1b" not in result.out + result.err
    assert "[2Jone" in result.out


# --- memory


def test_too_large_a_run_is_refused_before_it_starts(refuses: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archcalc.execute.runner.memory.available_bytes", lambda: 2 << 30)
    message = refuses("run", "vgg16", "--batch", "1024").err
    assert "vgg16 needs about 37.6 GiB of memory for a batch of 1024 in float32, and 2.0 GiB are free" in message


def test_what_is_needed_grows_with_the_batch_and_the_weights() -> None:
    graph = load("vgg16")
    one, two = needed_bytes(analyse(graph, 1)), needed_bytes(analyse(graph, 2))
    assert two - one > analyse(graph, 1).totals.peak_activation_bytes
    assert needed_bytes(analyse(graph), keep_weights=True) >= analyse(graph).totals.param_bytes
    assert needed_bytes(analyse(graph, 1, "float64")) > one


def test_this_machine_says_what_is_free() -> None:
    available = available_bytes()
    assert available is None or available > 1 << 20


# --- progress


def test_progress_goes_to_stderr(archcalc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100_000, 50))
    monkeypatch.setattr("archcalc.cli.progress.monotonic", lambda: next(clock))
    result = archcalc("run", "lenet5")
    assert result.out.endswith(" agree\n")
    lines = result.err.splitlines()
    assert len(lines) == 13
    assert lines[1] == "2 of 13: C1"
