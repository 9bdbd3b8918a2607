"""`archcalc run`: agreement, files in and out, and bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archcalc.execute.runner.memory import available_bytes, needed_bytes
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.cli.runner import Run

AGREE = "all shapes and counts agree\n"


pytestmark = pytest.mark.usefixtures("own_folder")


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


@pytest.mark.slow
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
