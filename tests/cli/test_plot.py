"""`archcalc plot`: kinds and formats, choices, and what it says to what it cannot do."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from archcalc.cli.commands.plot import command
from tests.cli.runner import Run, run_process
from tests.cli.test_startup import imported, packages
from tests.tiers import slow_but

FOUND = Path(__file__).parents[1] / "data" / "found.csv"
KINDS = {
    "compare": ("resnet50", "vgg16"),
    "profile": ("alexnet",),
    "memory": ("alexnet", "--batch", "2"),
    "receptive-field": ("alexnet",),
    "timeline": ("lenet5", "alexnet"),
    "pareto": (str(FOUND), "--pareto", "multiplications,params:max"),
    "sweep": ("mobilenet", "--for", "alpha", "--values", "0.5,1"),
}


def test_every_kind_is_tried_here() -> None:
    assert list(command.commands) == list(KINDS)


@pytest.mark.parametrize("kind", slow_but(["profile", "compare"], KINDS))
@pytest.mark.parametrize(("ending", "magic"), [("svg", b"<svg"), ("PNG", b"\x89PNG"), ("json", b'{\n "$schema"')])
def test_kinds_and_formats(archcalc: Run, tmp_path: Path, kind: str, ending: str, magic: bytes) -> None:
    target = tmp_path / f"a.{ending}"
    result = archcalc("plot", kind, *KINDS[kind], "-o", target)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert target.read_bytes().startswith(magic)
    assert os.listdir(tmp_path) == [target.name]


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "magic"), [("pdf", b"%PDF"), ("html", b"<!DOCTYPE html>")])
def test_other_formats(archcalc: Run, tmp_path: Path, ending: str, magic: bytes) -> None:
    target = tmp_path / f"a.{ending}"
    assert archcalc("plot", "profile", "lenet5", "-o", target).code == 0
    assert target.read_bytes().startswith(magic)


@pytest.mark.slow
def test_stdout_and_format() -> None:
    done = run_process("plot", "profile", "lenet5", "-f", "json", "-o", "-")
    assert json.loads(done.out)["usermeta"]["archcalc"]["kind"] == "profile"
    assert done.err == ""


def test_options_of_the_network_and_of_the_picture(archcalc: Run, tmp_path: Path) -> None:
    target = tmp_path / "a.svg"
    more = ["--theme", "dark", "--width", "1200", "--height", "700", "--title", "Half <wide>"]
    assert (
        archcalc("plot", "profile", "mobilenet", "--set", "alpha=0.5", "--input", "160x160x3", *more, "-o", target).code
        == 0
    )
    text = target.read_text(encoding="utf-8")
    assert 'viewBox="0 0 1200 700"' in text
    assert "Half &lt;wide&gt;" in text
    assert "Input 160×160×3, float32" in text
    assert 'fill="#14181f"' in text
    # As `archcalc report` says.
    totals = archcalc("report", "mobilenet", "--set", "alpha=0.5", "--input", "160x160x3", "-f", "json").json["totals"]
    assert f"{totals['params']:,} in all" in text


def test_batch_and_type_change_bytes(archcalc: Run, tmp_path: Path) -> None:
    peaks = []
    for more in ([], ["--batch", "8", "--dtype", "float64"]):
        archcalc("plot", "memory", "lenet5", *more, "-o", tmp_path / "a.json")
        table = json.loads((tmp_path / "a.json").read_text())["usermeta"]["archcalc"]["table"]
        peaks.append(max(row[2] for row in table["rows"]))
    assert peaks[1] == 16 * peaks[0]


def test_networks_without_an_accuracy_are_named(archcalc: Run, tmp_path: Path) -> None:
    result = archcalc(
        "plot", "compare", "alexnet", "lenet5", "unet", "resnet18", "nin@cifar10", "vgg16", "-o", tmp_path / "a.svg"
    )
    assert result.code == 0
    assert result.err.splitlines() == [
        "note: left out: alexnet: the top-1 accuracy in the spec is that of alexnet@grouped",
        "note: left out: lenet5, unet: no top-1 accuracy in the spec",
        "note: left out: nin@cifar10: the top-1 accuracy is on 10 classes, not on 1,000",
    ]


@pytest.mark.slow
def test_the_landmarks_and_the_whole_catalogue(archcalc: Run, tmp_path: Path) -> None:
    result = archcalc("plot", "compare", "-o", tmp_path / "a.json")
    shown = {row[0] for row in json.loads((tmp_path / "a.json").read_text())["usermeta"]["archcalc"]["table"]["rows"]}
    assert {"alexnet@grouped", "vgg16", "resnet152", "nasnet_large", "mobilenet"} <= shown
    assert not [name for name in shown if "@" in name and name != "alexnet@grouped"]
    assert "unet" in result.err
    assert "alexnet: the top-1 accuracy in the spec is that of alexnet@grouped" in result.err
    assert "blocks/" not in result.err
    assert "darknet53" not in shown
    archcalc("plot", "compare", "--all", "-o", tmp_path / "b.json")
    every = {row[0] for row in json.loads((tmp_path / "b.json").read_text())["usermeta"]["archcalc"]["table"]["rows"]}
    assert every > shown | {"darknet53"}


def test_all_takes_no_networks(refuses: Run) -> None:
    assert "--all takes no NET" in refuses("plot", "timeline", "--all", "lenet5", "-o", "a.svg").err


def test_sweep_over_the_input(archcalc: Run, tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    archcalc("plot", "sweep", "resnet18", "--for", "input", "--values", "64x64x3, 128x128x3", "-o", target)
    rows = json.loads(target.read_text())["usermeta"]["archcalc"]["table"]["rows"]
    assert [row[0] for row in rows] == ["64x64x3", "128x128x3"]
    assert rows[0][1] == rows[1][1] == 11_689_512


def test_resolution_is_the_side_of_the_input_and_values_may_be_a_range(archcalc: Run, tmp_path: Path) -> None:
    by_input, by_side = tmp_path / "a.json", tmp_path / "b.json"
    sizes = [64, 96, 128]
    archcalc("plot", "sweep", "mobilenet", "--for", "input", "--values", ",".join(f"{side}x{side}x3" for side in sizes),
             "-o", by_input)  # fmt: skip
    archcalc("plot", "sweep", "mobilenet", "--for", "resolution", "--values", "64..128 step 32", "-o", by_side)
    found = [json.loads(file.read_text())["usermeta"]["archcalc"]["table"]["rows"] for file in (by_input, by_side)]
    assert [row[0] for row in found[1]] == [str(side) for side in sizes]
    assert [row[1:] for row in found[0]] == [row[1:] for row in found[1]]


def test_a_parameter_called_resolution_is_no_side(archcalc: Run, tmp_path: Path) -> None:
    spec, target = tmp_path / "own.yaml", tmp_path / "a.json"
    spec.write_text(
        "name: own\ntitle: Own\ninput: 8x8x3\nparameters:\n  resolution: {type: int, default: 2}\n"
        "layers:\n  - conv2d: {out_channels: resolution, kernel_size: 1}\n"
    )
    archcalc("plot", "sweep", spec, "--for", "resolution", "--values", "2..4", "-o", target)
    rows = json.loads(target.read_text())["usermeta"]["archcalc"]["table"]["rows"]
    assert [(row[0], row[1]) for row in rows] == [("2", 8), ("3", 12), ("4", 16)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["profil", "alexnet", "-o", "a.svg"], ["'profil'", "did you mean profile"]),
        (["profile", "alexnte", "-o", "a.svg"], ["'alexnte'", "did you mean alexnet"]),
        (["profile", "nothing.yaml", "-o", "a.svg"], ["nothing.yaml"]),
        (["profile", "alexnet", "-o", "a.xyz"], [".svg", ".png", ".pdf", ".html", ".json"]),
        (["profile", "alexnet", "-o", "a"], ["no ending", ".svg"]),
        (["profile", "alexnet", "-o", "-"], ["-f", ".svg"]),
        (["profile", "alexnet", "-o", "a.svg", "-f", "gif"], ["'gif'", "svg, png"]),
        (["profile", "alexnet", "-o", "a.svg", "--theme", "pink"], ["'pink'", "light, dark, print"]),
        (["profile", "alexnet", "-o", "a.svg", "--width", "10"], ["--width"]),
        (["profile", "alexnet", "-o", "a.png", "--scale", "20"], ["million pixels", "--scale"]),
        (["profile", "alexnet", "-o", "no/such/a.svg"], ["no directory", "no/such"]),
        (["profile", "alexnet", "-o", "."], ["directory"]),
        (["profile", "alexnet"], ["-o"]),
        (["profile", "-o", "a.svg"], ["NET"]),
        (["compare", "lenet5", "-o", "a.svg"], ["none of these networks", "top-1"]),
        (["timeline", "8x8x3 -> conv3-4", "-o", "a.svg"], ["year"]),
        (["sweep", "mobilenet", "--values", "1", "-o", "a.svg"], ["--for"]),
        (["sweep", "mobilenet", "--for", "alpha", "-o", "a.svg"], ["--values"]),
        (["sweep", FOUND, "--for", "alpha", "--values", "1", "-o", "a.svg"], ["--values is for a network"]),
        (["sweep", FOUND, "--for", "alpha", "-o", "a.svg"], ["8 lines", "--where 'resolution == 96'"]),
        (["sweep", FOUND, "--for", "depht", "-o", "a.svg"], ["no parameter 'depht'", "alpha, resolution"]),
        (["sweep", FOUND, "--for", "alpha", "--where", "params > 9G", "-o", "a.svg"], ["no row keeps to params > 9G"]),
        (["sweep", FOUND, "--for", "alpha", "--where", "alpha > 1", "-o", "a.svg"], ["resnet does not vary alpha"]),
        (["pareto", FOUND, "--pareto", "multiplications", "-o", "a.svg"], ["2 quantities", "not 1"]),
        (["pareto", FOUND, "--pareto", "multiplications,speed", "-o", "a.svg"], ["'speed'"]),
        (["pareto", FOUND, "--pareto", "params,activations", "-o", "a.svg"], ["no column 'activations'"]),
        (["pareto", FOUND, "--pareto", "params,depth:max", "-o", "a.svg"], ["mobilenet does not vary depth"]),
        (["pareto", FOUND, "--pareto", "params,depth", "--where", "exec('0')", "-o", "a.svg"], ["condition:1:1"]),
        (["pareto", FOUND, "--pareto", "params,alpha", "--where", "params < 4MiB", "-o", "a.svg"], ["param_bytes"]),
        (["pareto", "lenet5", "--pareto", "params,alpha", "-o", "a.svg"], ["lenet5"]),
        (["pareto", "no.csv", "--pareto", "params,alpha", "-o", "a.svg"], ["no.csv"]),
        (["sweep", "mobilenet", "--for", "alhpa", "--values", "1", "-o", "a.svg"], ["alhpa", "did you mean alpha"]),
        (["sweep", "mobilenet", "--for", "alpha", "--values", ",", "-o", "a.svg"], ["1 to 60"]),
        (["sweep", "mobilenet", "--for", "alpha", "--values", "-1", "-o", "a.svg"], ["alpha"]),
        (["sweep", "mobilenet", "--for", "alpha", "--values", "1", "--of", "x", "-o", "a.svg"], ["'x'", "params"]),
        (["sweep", "mobilenet", "--for", "input", "--values", "big", "-o", "a.svg"], ["big"]),
        (["sweep", "mobilenet", "--for", "resolution", "--values", "0..2", "-o", "a.svg"], ["between 1 and"]),
        (["sweep", "mobilenet", "--for", "resolution", "--values", "9..999", "-o", "a.svg"], ["1 to 60"]),
        (["sweep", "mobilenet", "--for", "alpha", "--values", "1..2 3", "-o", "a.svg"], ["expected , or the end"]),
    ],
)  # fmt: skip
def test_refusals(
    refuses: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = refuses("plot", *arguments)
    for word in words:
        assert word in result.err
    assert os.listdir(tmp_path) == []


def test_what_was_there_stays_where_drawing_fails(refuses: Run, tmp_path: Path) -> None:
    target = tmp_path / "a.svg"
    target.write_text("old")
    refuses("plot", "compare", "lenet5", "-o", target)
    assert target.read_text() == "old"


def test_characters_without_a_font_are_named(archcalc: Run, tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    result = archcalc("plot", "profile", "lenet5", "--title", "卷 LeNet", "-o", target)
    assert result.err == "note: 卷 is drawn in a font of this system, as □ where it has none\n"
    assert archcalc("plot", "profile", "lenet5", "--title", "卷 LeNet", "-o", tmp_path / "a.svg").err == ""


def test_the_specification_needs_no_extra(archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert archcalc("plot", "profile", "lenet5", "-o", tmp_path / "a.json").code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("report", "lenet5"), ("list", "lenet5"), ("explain", "lenet5", "c1")], ids=" ".join
)
def test_other_commands_do_not_load_what_draws(arguments: tuple[str, ...]) -> None:
    modules = imported(*arguments)
    assert "vl_convert" not in packages(modules)
    assert not [name for name in modules if name.startswith("archcalc.render.charts")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_plot_has_help_with_an_example(archcalc: Run, kind: str) -> None:
    result = archcalc("plot", kind, "--help")
    assert result.code == 0
    assert f"archcalc plot {kind} " in result.out
    assert "-o, --output" in result.out


@pytest.mark.parametrize("name", ["ru", "he", "hy"])
def test_sweeps_and_fronts_are_in_the_language(archcalc: Run, tmp_path: Path, name: str) -> None:
    found, target = tmp_path / "found.csv", tmp_path / "a.svg"
    assert archcalc("search", "mobilenet alpha=0.25..1 step 0.25", "-o", str(found)).code == 0
    for how in (
        ["pareto", str(found), "--pareto", "multiplications,params", "--where", "params < 2M"],
        ["sweep", str(found), "--for", "alpha"],
        ["sweep", "mobilenet", "--for", "alpha", "--values", "0.25,0.5"],
    ):
        assert archcalc("plot", *how, "-o", str(target), "--lang", name).code == 0
        words = re.sub("(?s)<style.*?</style>|<[^>]*>", "\n", target.read_text(encoding="utf-8"))
        assert re.findall(r"\b[a-z]{3,} [a-z]{3,}\b", words) == []
