"""`archcalc report`: what each option does, and what it says to a value that it cannot take."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.runner import DATA, PROGRAM, Run, check_message, environment
from tests.networks import ALEXNET
from tests.render.tables.tables import read_csv, read_text
from tests.steps import PATIENCE

MODULES = str(DATA / "modules.yaml")


def totals(archcalc: Run, *arguments: object) -> Any:
    return archcalc("report", *arguments, "-f", "json").json["totals"]


# --- which network


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("AlexNet", "alexnet"),
        ("ALEXNET@Grouped", "alexnet@grouped"),
        ("alex-net", "alexnet"),
        ("VGG-16", "vgg16"),
        ("vgg_16@C", "vgg16@c"),
        ("ResNet-50", "resnet50"),
        ("LeNet-5@1998", "lenet5@1998"),
        ("ResNet-20-CIFAR", "resnet20_cifar"),
        ("Inception-V2@SLIM", "inception_v2@slim"),
    ],
)
def test_names_are_forgiving(archcalc: Run, given: str, name: str) -> None:
    assert archcalc("report", given, "-f", "json").json["network"] == name


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("alxnet", ["'alxnet'", "did you mean alexnet"]),
        ("alxnet@grouped", ["alexnet"]),
        ("resnet51", ["resnet50"]),
        ("vgg-61", ["vgg16"]),
        ("mobilnet", ["mobilenet"]),
        ("zzzzzz", ["'zzzzzz'", "archcalc list"]),
        ("alexnet@nothing", ["grouped", "torchvision"]),
        ("alexnet@groupd", ["'groupd'", "did you mean grouped"]),
        ("vgg11@c", ["vgg11", "no variant 'c'"]),
        ("nowhere.yaml", ["nowhere.yaml"]),
        ("./no/where.yml", ["no/where.yml"]),
        ("", ["network"]),
        ("@grouped", ["network"]),
        ("a" * 300, ["aaa"]),
        ("a" * 300 + ".yaml", ["aaa"]),
        ("\x1b[31mred", ["red"]),
    ],
)
def test_unknown_networks(refuses: Run, given: str, wanted: list[str]) -> None:
    err = refuses("report", given).err
    for word in wanted:
        assert word in err


def test_an_empty_name_is_no_directory(refuses: Run) -> None:
    for name in ("", "@grouped"):
        assert "directory" not in refuses("report", name).err


def test_a_directory_is_no_network(refuses: Run, tmp_path: Path) -> None:
    assert f"{tmp_path} is a directory" in refuses("report", tmp_path).err


def test_files_and_their_variants(archcalc: Run) -> None:
    assert archcalc("report", MODULES, "-f", "json").json["network"] == "modules"
    assert archcalc("report", f"{MODULES}@wide", "-f", "json").json["network"] == "modules@wide"


@pytest.mark.parametrize("name", ["net@home.yaml", "me@home/net.yaml", "me@home/net.v2.yml"])
def test_a_path_may_hold_the_sign_of_variants(archcalc: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(Path(MODULES).read_text(encoding="utf-8"), encoding="utf-8")
    assert archcalc("report", path, "-f", "json").json["network"] == "modules"
    assert archcalc("report", f"{path}@wide", "-f", "json").json["network"] == "modules@wide"


def test_a_name_of_the_catalogue_is_no_file(archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alexnet").mkdir()
    (tmp_path / "lenet5").write_text("")
    monkeypatch.chdir(tmp_path)
    for name in ("alexnet", "lenet5"):
        assert archcalc("report", name, "-f", "json").json["network"] == name


def test_a_device_without_end_is_refused() -> None:
    limited = ["sh", "-c", 'ulimit -v 1000000; exec "$@"', "sh", *PROGRAM, "report", "/dev/zero"]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=PATIENCE, env=environment(), check=False)
    assert done.returncode == 2
    check_message(done.stderr)


def test_several_networks_in_the_order_given(archcalc: Run) -> None:
    both = archcalc("report", "lenet5@1998", "lenet5")
    assert (both.code, both.err) == (0, "")
    assert both.out == "\n".join(archcalc("report", name).out for name in ("lenet5@1998", "lenet5"))


# --- another input


@pytest.mark.parametrize("text", ["32x32x1", "32X32X1", "32×32×1", " 32 x 32 x 1 ", "32*32*1", "032x32x1"])
def test_ways_to_write_an_input(archcalc: Run, text: str) -> None:
    given = archcalc("report", "lenet5", "--input", text, "-f", "json").json
    assert given["layers"] == archcalc("report", "lenet5", "-f", "json").json["layers"]


def test_another_input(archcalc: Run) -> None:
    report = archcalc("report", "vgg16", "--input", "384x256x3", "-f", "json").json
    assert report["input"]["shape"] == [3, 384, 256]
    assert report["layers"][1]["output_shape"] == [64, 384, 256]
    assert report["layers"][1]["multiplications"] == 384 * 256 * 64 * 27
    colour = archcalc("report", "lenet5", "--input", "32x32x3", "-f", "json").json
    assert colour["layers"][1]["params"] == (5 * 5 * 3 + 1) * 6


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "227", "227x227", "227x227x3x1", "axbxc", "0x0x3", "-1x5x3", "227x227x", "x227x3", "227x227x3;",
        "1e3x5x3", "227.5x227x3", "227,227,3", "227 227 3", "99999999999999999999x3x3", "1048577x3x3",
        "9" * 5000 + "x3x3", "1x" * 5000 + "1", "x" * 5000, "3x3x3\n4", "0x10x10x3", "NaNxNaNx3", "²x²x3",
        "\x1b[2Jx3x3", "'; rm -rf /",
    ],
    ids=range(26),
)  # fmt: skip
def test_inputs_that_are_refused(refuses: Run, text: str) -> None:
    err = refuses("report", "lenet5", "--input", text).err
    assert "×" in err or "positions first and channels last" in err or "between 1 and" in err
    assert len(err) < 400


def test_an_input_that_does_not_fit_names_the_layer_and_what_would(archcalc: Run) -> None:
    result = archcalc("report", "vgg16", "--input", "8x8x3")
    assert result.code == 2
    for words in ("vgg.yaml:", "pool4", "max_pool2d", "32×32×3"):
        assert words in result.err


# --- parameters


def test_parameters(archcalc: Run) -> None:
    report = archcalc("report", "lenet5", "--set", "classes=7", "-f", "json").json
    assert report["layers"][-2]["params"] == (84 + 1) * 7
    assert totals(archcalc, MODULES, "--set", "width=16") == totals(archcalc, f"{MODULES}@wide")
    # Over the variant's own, and the last one counts.
    assert totals(archcalc, f"{MODULES}@wide", "--set", "width=8") == totals(archcalc, MODULES)
    assert totals(archcalc, MODULES, "--set", "width=3", "--set", " width = 8 ") == totals(archcalc, MODULES)


def test_parameters_with_a_point(archcalc: Run) -> None:
    whole = totals(archcalc, "mobilenet", "--set", "alpha=1.0")
    assert whole == totals(archcalc, "mobilenet")
    assert totals(archcalc, "mobilenet", "--set", "alpha=0.5")["multiplications"] < whole["multiplications"]


@pytest.mark.parametrize(
    ("network", "setting", "wanted"),
    [
        ("lenet5", "classes", ["NAME=VALUE", "'classes'"]),
        ("lenet5", "=1", ["NAME=VALUE"]),
        ("lenet5", " =1", ["NAME=VALUE"]),
        ("lenet5", "", ["NAME=VALUE"]),
        ("lenet5", "x" * 5000, ["NAME=VALUE"]),
        ("lenet5", "nothing=1", ["nothing", "classes"]),
        ("lenet5", "clases=1", ["did you mean classes"]),
        ("lenet5", "classes=many", ["classes", "whole number", "many"]),
        ("lenet5", "classes=", ["NAME=VALUE", "'classes='"]),
        ("lenet5", "classes=null", ["classes", "whole number"]),
        ("lenet5", "classes=1.5", ["classes", "whole number", "1.5"]),
        ("lenet5", "classes=true", ["classes", "whole number", "true"]),
        ("lenet5", "classes=[1, 2]", ["classes", "whole number"]),
        ("lenet5", "classes=10**9", ["classes", "whole number"]),
        ("lenet5", "classes=1e999", ["classes", "number"]),
        ("lenet5", "classes=-1e999", ["classes", "number"]),
        ("lenet5", "classes=" + "9" * 5000, ["classes", "whole number"]),
        ("lenet5", "classes=" + "9" * 40, ["at most"]),
        ("lenet5", "classes=0", ["lenet5.yaml:", "out_features", "at least 1"]),
        ("lenet5", "classes=-3", ["lenet5.yaml:", "out_features", "at least 1", "-3"]),
        ("mobilenet", "alpha=nan", ["alpha", "number"]),
        ("mobilenet", "alpha=inf", ["alpha", "number"]),
        ("mobilenet", "alpha=0", ["alpha"]),
        ("mobilenet", "alpha=1e-300", []),
        ("mobilenet", "alpha=1e300", []),
        ("alexnet", "groups=3", ["groups", "1, 2", "3"]),
        (MODULES, "width=0", ["width", "at least 1"]),
        (MODULES, "width=65", ["width", "at most 64"]),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_settings_that_are_refused(refuses: Run, network: str, setting: str, wanted: list[str]) -> None:
    err = refuses("report", network, "--set", setting).err
    for word in wanted:
        assert word in err, err


# --- counting


@pytest.mark.parametrize(
    ("dtype", "size"), [("float64", 8), ("float32", 4), ("float16", 2), ("bfloat16", 2), ("int8", 1)]
)
def test_bytes_follow_type_and_batch(archcalc: Run, dtype: str, size: int) -> None:
    for batch in (1, 7, 1 << 20):
        report = archcalc("report", "lenet5", "--batch", batch, "--dtype", dtype, "-f", "json").json
        assert report["input"] == {"shape": [1, 32, 32], "batch": batch, "dtype": dtype}
        found = report["totals"]
        # Values stored by hand: input, C1, S2, C3, S4, C5, F6, output.
        values = 32 * 32 + 28 * 28 * 6 + 14 * 14 * 6 + 10 * 10 * 16 + 5 * 5 * 16 + 120 + 84 + 10
        assert found["activations"] == values
        assert found["activation_bytes"] == values * size * batch
        assert found["param_bytes"] == 61706 * size
        # C1's maps and S2's live together.
        assert found["peak_activation_bytes"] == (28 * 28 * 6 + 14 * 14 * 6) * size * batch
        # Per image, whatever the batch.
        assert (found["params"], found["multiplications"]) == (61706, 416520)


@pytest.mark.parametrize(
    "arguments",
    [["--batch", "0"], ["--batch", "-1"], ["--batch", "many"], ["--batch", "1.5"], ["--batch", "1048577"],
     ["--batch", "9" * 60], ["--dtype", "float7"], ["--dtype", ""], ["--depth", "0"], ["--depth", "x"],
     ["--layout", "whc"], ["--columns", "layer,parms"], ["--columns", ""], ["-f", ""]],
    ids=lambda arguments: " ".join(arguments)[:20],
)  # fmt: skip
def test_options_that_are_refused(refuses: Run, arguments: list[str]) -> None:
    assert arguments[0].strip("-s") in refuses("report", "lenet5", *arguments).err


def test_what_can_be_chosen_is_said(refuses: Run) -> None:
    assert "bfloat16" in refuses("report", "lenet5", "--dtype", "float7").err
    assert "chw" in refuses("report", "lenet5", "--layout", "whc").err
    assert "did you mean params" in refuses("report", "lenet5", "--columns", "parms").err


def test_in_place_layers_count_on_request(archcalc: Run) -> None:
    plain = archcalc("report", "lenet5", "-f", "json").json
    counted = archcalc("report", "lenet5", "--count-in-place", "-f", "json").json
    more = 28 * 28 * 6 + 10 * 10 * 16 + 120 + 84 + 10
    assert counted["totals"]["activations"] == plain["totals"]["activations"] + more
    assert counted["totals"]["params"] == plain["totals"]["params"]
    assert counted["conventions"] != plain["conventions"]
    assert "activation functions keep their output" in archcalc("report", "lenet5", "--count-in-place").out


def test_running_statistics_count_on_request(archcalc: Run) -> None:
    plain = totals(archcalc, MODULES)
    counted = totals(archcalc, MODULES, "--running-statistics")
    statistics = 2 * (8 + 16 + 8)
    assert (plain["buffers"], counted["buffers"]) == (statistics, 0)
    assert counted["params"] == plain["params"] + statistics
    assert counted["trainable_params"] == plain["trainable_params"] == plain["params"]
    words = " ".join(archcalc("report", MODULES, "--running-statistics").out.split())
    assert "count as parameters that are not trained" in words


def test_strict_wants_windows_that_tile(archcalc: Run) -> None:
    # 227 is AlexNet's: (227 − 11)/4 + 1 is whole, and so is every pool after it. 224 is the paper's slip.
    assert archcalc("report", "alexnet", "--strict").code == 0
    assert archcalc("report", "alexnet", "--input", "224x224x3").code == 0
    result = archcalc("report", "alexnet", "--input", "224x224x3", "--strict")
    assert result.code == 2
    for words in ("alexnet.yaml:", '"conv1"', "(224 − 11", "not whole", "195×195×3 and 227×227×3"):
        assert words in result.err


def test_strict_on_a_file(archcalc: Run, tmp_path: Path) -> None:
    path = tmp_path / "alex.yaml"
    path.write_text(f"name: alex\ntitle: Alex\n{ALEXNET}")
    assert archcalc("report", path, "--strict").code == 0
    assert archcalc("report", path, "--strict", "--input", "228x227x3").code == 2


# --- showing


def test_columns(archcalc: Run) -> None:
    result = archcalc("report", "lenet5", "--columns", "params,layer", "-f", "csv")
    assert result.out.splitlines()[:3] == ["params,layer", "0,input", "156,C1"]
    (every,) = read_csv(archcalc("report", "lenet5", "--columns", "all", "-f", "csv").out)
    assert len(every.heads) == 22


def test_layout(archcalc: Run) -> None:
    (table,) = read_text(archcalc("report", "lenet5", "--layout", "chw").out)
    assert table.column("output")[:3] == ["1×32×32", "6×28×28", "6×28×28"]
    assert archcalc("report", "lenet5", "--layout", "chw").out.startswith("LeNet-5 · input 1×32×32")
    json = archcalc("report", "lenet5", "--layout", "chw", "-f", "json")
    assert json == archcalc("report", "lenet5", "-f", "json")


def test_depth(archcalc: Run) -> None:
    (folded,) = read_text(archcalc("report", "googlenet", "--depth", "1").out)
    (whole,) = read_text(archcalc("report", "googlenet").out)
    assert folded.total == whole.total
    assert len(folded.rows) == 23
    assert folded.column("operation")[folded.column("layer").index("inception_3a")] == "14 layers"
    assert archcalc("report", "lenet5", "--depth", "1") == archcalc("report", "lenet5")


# --- the whole catalogue


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["-f", "markdown"]], ids=["in full", "markdown"])
def test_all_writes_a_folder(archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: list[str]) -> None:
    """Three networks stand for the catalogue: the files of each network are made in tests/render/pages."""
    kept = ["alexnet", "blocks/conv7x7", "unet"]
    monkeypatch.setattr("archcalc.render.pages.everything.names", lambda: kept)
    monkeypatch.setattr("archcalc.render.pages.everything.PICTURES", {"alexnet": "volumes"})
    folder = tmp_path / "new" / "reports"
    result = archcalc("report", "--all", *form, "-o", folder)
    assert (result.code, result.out) == (0, "")
    written = {path for path in folder.rglob("*") if path.is_file()}
    assert written == {Path(line) for line in result.err.splitlines()}
    # In short, the blocks of the lecture share a page.
    names = ["alexnet.md", "blocks.md", "unet.md"] if form else [f"{name}.html" for name in kept]
    assert {folder / name for name in names} <= written
    assert (folder / "alexnet.md").read_text(encoding="utf-8") == archcalc("report", "alexnet", "-f", "markdown").out


@pytest.mark.parametrize(
    "arguments",
    [["--all"], ["--all", "-o", "-"], ["--all", "alexnet", "-o", "x"], ["--all", "--input", "8x8x3", "-o", "x"],
     ["--all", "--set", "a=1", "-o", "x"], ["--all", "-f", "json", "-o", "x"], []],
    ids=" ".join,
)  # fmt: skip
def test_all_or_some(refuses: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    err = refuses("report", *arguments).err
    assert ("--all" in err) == bool(arguments)
    assert list(tmp_path.iterdir()) == []


def test_all_needs_a_folder_that_can_be(refuses: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    for folder in (tmp_path / "file", tmp_path / "file" / "reports", tmp_path / ("a" * 300)):
        assert str(folder) in refuses("report", "--all", "-f", "markdown", "-o", folder).err
    assert (tmp_path / "file").read_text() == "kept"


# --- one message for every mistake


def test_names_of_a_spec_steer_no_terminal(refuses: Run, tmp_path: Path) -> None:
    path = tmp_path / "steer.yaml"
    path.write_text(
        'name: s\ntitle: S\ninput: 8x8x3\nparameters: {"\\e[31mred": {default: 1, kind: 2}}\nlayers: [relu]\n'
    )
    assert "red" in refuses("report", path).err
    path.write_text('name: s\ntitle: S\ninput: 8x8x3\nparameters: {"\\e[31mred": 1}\nlayers: [relu]\n')
    assert "red" in refuses("report", path, "--set", "zzzzz=1").err


def test_the_hint_is_not_lost_where_a_block_fails_twice(archcalc: Run, tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text(
        "name: twice\ntitle: Twice\ninput: 4x4x3\n"
        "blocks: {pool: {layers: [max_pool2d: {kernel_size: 9}]}}\n"
        "layers: [{branches: [[pool], [pool]], merge: concat}]\n"
    )
    result = archcalc("report", path)
    assert result.code == 2
    assert result.err.count("larger than its input") == 1
    assert "9×9×3" in result.err


def test_several_mistakes_are_reported_together(refuses: Run, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "name: wrong\ntitle: Wrong\ninput: 8x8x3\nlayers:\n"
        "  - conv2d: {out_chanels: 4, kernel_size: 3}\n  - rleu\n  - linear: {out_features: 0}\n"
    )
    err = refuses("report", path).err
    for place in (":5:", ":6:"):
        assert f"wrong.yaml{place}" in err
    for words in ("did you mean out_channels", "did you mean relu"):
        assert words in err
