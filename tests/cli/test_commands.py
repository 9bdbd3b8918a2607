"""The other commands: `list`, `validate`, `schema`, `completion`."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from archcalc import analyse, load, names
from archcalc.spec.catalogue import SPECS
from archcalc.spec.schema import json_schema
from tests.cli.runner import DATA, PROGRAM, Run, environment

MODULES, BREAKS = str(DATA / "modules.yaml"), str(DATA / "breaks.yaml")
KEYS = ["network", "title", "year", "input", "layers", "params", "multiplications"]


# --- list


def test_list_shows_every_network(archcalc: Run) -> None:
    entries = archcalc("list", "-f", "json").json
    assert [entry["network"] for entry in entries] == list(names())
    by_name = {entry["network"]: entry for entry in entries}
    assert all(list(entry) == KEYS for entry in entries)
    for name in ("alexnet@grouped", "resnet50", "lenet5@1998", "mobilenet"):
        network = analyse(load(name))
        found = by_name[name]
        assert found["params"] == network.totals.params
        assert found["multiplications"] == network.totals.multiplications
        assert found["layers"] == len(network.rows) - len(network.graph.inputs)
    assert by_name["alexnet"] == {
        "network": "alexnet", "title": "AlexNet", "year": 2012, "input": [3, 227, 227], "layers": 23,
        "params": 62378344, "multiplications": 1135256096,
    }  # fmt: skip


def test_list_formats_say_the_same(archcalc: Run) -> None:
    entries = archcalc("list", "net", "-f", "json").json
    rows = list(csv.DictReader(io.StringIO(archcalc("list", "net", "-f", "csv").out)))
    # Shapes are [C, H, W] in JSON, as in the report's, and H×W×C for people.
    sizes = ["×".join(map(str, (*entry["input"][1:], entry["input"][0]))) for entry in entries]
    assert rows == [
        {**{key: str(value) for key, value in entry.items()}, "input": size.replace("×", "x")}
        for entry, size in zip(entries, sizes, strict=True)
    ]
    head, *lines = archcalc("list", "net").out.splitlines()
    assert head.split() == KEYS
    assert len(lines) == len(entries) > 10
    for line, entry, size in zip(lines, entries, sizes, strict=True):
        parts = line.split()
        assert parts[0] == entry["network"]
        assert parts[-4:] == [size, *(f"{entry[key]:,}" for key in ("layers", "params", "multiplications"))]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["alexnet"], ["alexnet", "alexnet@grouped", "alexnet@torchvision"]),
        (["ALEXNET@"], ["alexnet@grouped", "alexnet@torchvision"]),
        (["zfnet", "lenet5"], ["lenet5", "lenet5@1998", "zfnet"]),
        (
            ["ResNet-152"],
            ["resnet152", "resnet152@v1", "resnet152@keras", "resnet152_v2", "resnet152_v2@keras", "se_resnet152"],
        ),
        (["inception-v2"], ["inception_v2", "inception_v2@slim"]),
    ],
    ids=str,
)
def test_list_of_some(archcalc: Run, words: list[str], found: list[str]) -> None:
    # In the order of the catalogue, whatever the order of the words.
    assert [entry["network"] for entry in archcalc("list", *words, "-f", "json").json] == found


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--family", "googlenet"], ["googlenet", "googlenet@aux", "googlenet@torchvision"]),
        (["--family", "yolo"], ["yolov3", "yolov3_tiny"]),
        (
            ["--family", "mobilenet", "--year", "2018-2019"],
            ["mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"],
        ),
        (["--family", "inception", "--max-params", "12M"], ["inception_v2", "inception_v2@slim"]),
        (["--family", "AlexNet", "--max-params", "62M"], ["alexnet@grouped", "alexnet@torchvision"]),
        (["--year", "1998"], ["lenet5", "lenet5@1998"]),
        (["net", "--year", "2010-2012"], ["alexnet", "alexnet@grouped"]),
        (["--family", "alexnet", "--max-params", "62,378,344"], ["alexnet", "alexnet@grouped", "alexnet@torchvision"]),
        (["--family", "alexnet", "--max-params", "62,378,343"], ["alexnet@grouped", "alexnet@torchvision"]),
        (["--family", "resnet", "--year", "1998"], []),
    ],
    ids=str,
)
def test_list_of_those_that_meet_conditions(archcalc: Run, options: list[str], found: list[str]) -> None:
    assert [entry["network"] for entry in archcalc("list", *options, "-f", "json").json] == found


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--family", "resnett"], ["there is no family 'resnett'", "resnet"]),
        (["--family", ""], ["there is no family ''", "there are"]),
        (["--year", "12"], ["--year takes a year or a range, as in 2015 or 2012-2016, not '12'"]),
        (["--year", "2015-"], ["--year takes a year or a range"]),
        (["--year", "2016-2012"], ["did you mean 2012-2016"]),
        (["--max-params", "many"], ["--max-params takes a number", "many"]),
        (["--max-params", "-5M"], ["--max-params"]),
        (["--max-params", "5 MB"], ["--max-params takes a number of parameters, as in 5M, not bytes: '5 MB'"]),
    ],
    ids=str,
)
def test_conditions_of_a_list_that_cannot_be_read(refuses: Run, options: list[str], wanted: list[str]) -> None:
    message = refuses("list", *options).err
    assert all(word in message for word in wanted), message


def test_list_of_none(archcalc: Run) -> None:
    # Whether it is an error or an empty list: a program that reads it meets no surprise.
    for form in ("table", "csv", "json"):
        result = archcalc("list", "zzzzz", "-f", form)
        assert result.code in (0, 2)
        if result.code == 2:
            assert "zzzzz" in result.err
        elif form == "json":
            assert result.json == []
        else:
            assert result.out.replace(",", " ").split() == KEYS


# --- validate


def test_validate_names_what_is_good(archcalc: Run) -> None:
    result = archcalc("validate", MODULES)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{MODULES}: ")
    assert "modules.yaml, modules.yaml@wide" in result.out


@pytest.mark.slow
def test_validate_every_shipped_spec(archcalc: Run) -> None:
    paths = sorted(SPECS.rglob("*.yaml"))
    result = archcalc("validate", *paths)
    assert (result.code, result.err) == (0, "")
    assert len(result.out.splitlines()) == len(paths)


def test_validate_tells_all_and_goes_on(archcalc: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: wrong\ntitle: Wrong\ninput: 8x8x3\nlayers:\n  - rleu\n  - conv2d: {kernel_sise: 3}\n")
    result = archcalc("validate", wrong, MODULES, BREAKS, tmp_path, tmp_path / "nowhere.yaml")
    assert result.code == 2
    # What is good is still reported, on stdout; what is wrong on stderr, each with its place.
    assert result.out.startswith(f"{MODULES}: ")
    assert len(result.out.splitlines()) == 1
    for words in (f"{wrong}:5:5", f"{wrong}:6:14", f"{BREAKS}:12:5", f"{tmp_path} is a directory", "nowhere.yaml"):
        assert words in result.err
    assert "did you mean relu" in result.err
    assert "did you mean kernel_size" in result.err
    assert "Traceback" not in result.err


def test_validate_finds_faults_of_variants(refuses: Run, tmp_path: Path) -> None:
    path = tmp_path / "variant.yaml"
    text = Path(MODULES).read_text(encoding="utf-8").replace("set: {width: 16}", "set: {width: 99}")
    path.write_text(text, encoding="utf-8")
    err = refuses("validate", path).err
    assert "width must be at most 64, not 99" in err
    assert str(path) in err


# --- schema


@pytest.mark.slow
def test_schema(archcalc: Run, tmp_path: Path) -> None:
    assert archcalc("schema").json == json_schema()
    target = tmp_path / "archcalc.schema.json"
    assert archcalc("schema", "-o", target) == (0, "", "")
    assert json.loads(target.read_text(encoding="utf-8")) == json_schema()


# --- completion


@pytest.mark.parametrize(
    ("shell", "word"),
    [("bash", "complete -o nosort -F"), ("zsh", "#compdef archcalc"), ("fish", "complete --no-files")],
)
def test_completion_scripts(archcalc: Run, shell: str, word: str) -> None:
    result = archcalc("completion", shell)
    assert (result.code, result.err) == (0, "")
    assert word in result.out
    assert "_ARCHCALC_COMPLETE" in result.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_scripts(archcalc: Run, tmp_path: Path, shell: str) -> None:
    # Only shells that are there can read them; bash is, wherever the tests run.
    script = tmp_path / f"script.{shell}"
    script.write_text(archcalc("completion", shell).out)
    assert script.read_text().count("(") >= 1
    if shell == "bash":
        done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, timeout=600, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "wanted", "unwanted"),
    [
        ("archcalc re", {"report"}, {"list", "schema"}),
        pytest.param(
            "archcalc ", {"list", "report", "validate", "schema", "completion"}, set(), marks=pytest.mark.slow
        ),
        pytest.param("archcalc report alex", {"alexnet"}, {"lenet5"}, marks=pytest.mark.slow),
        ("archcalc report vgg1", {"vgg11", "vgg13", "vgg16", "vgg19"}, {"alexnet"}),
        pytest.param("archcalc report alexnet --dty", {"--dtype"}, {"--depth"}, marks=pytest.mark.slow),
        pytest.param(
            "archcalc report alexnet --dtype float", {"float64", "float32", "float16"}, {"int8"}, marks=pytest.mark.slow
        ),
        pytest.param("archcalc report -f ma", {"markdown"}, {"csv"}, marks=pytest.mark.slow),
        pytest.param("archcalc completion ", {"bash", "zsh", "fish"}, set(), marks=pytest.mark.slow),
    ],
)
def test_completions(line: str, wanted: set[str], unwanted: set[str]) -> None:
    words = line.split()
    at = len(words) if line.endswith(" ") else len(words) - 1
    more = {"_ARCHCALC_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(at)}
    # click asks for its own name when it completes, so it must be the program's.
    code = "import sys; sys.argv[0] = 'archcalc'; from archcalc.cli import main; main()"
    done = subprocess.run(
        [PROGRAM[0], "-c", code], capture_output=True, text=True, timeout=600, env=environment(more), check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = {entry.partition(",")[2] for entry in done.stdout.splitlines()}
    assert wanted <= found
    assert not unwanted & found


# --- several networks, members of files, other names


def test_a_setting_applies_to_the_networks_that_have_it(archcalc: Run) -> None:
    both = archcalc("report", "mobilenet", "resnet18", "--set", "alpha=0.5", "-f", "json").json["reports"]
    assert [one["totals"]["params"] for one in both] == [1_331_592, 11_689_512]


def test_a_setting_that_no_network_has_is_refused(refuses: Run) -> None:
    assert "did you mean alpha?" in refuses("report", "mobilenet", "resnet18", "--set", "alhpa=0.5").err


@pytest.mark.parametrize(
    ("name", "network"),
    [("inception_v1", "googlenet"), ("Inception v1", "googlenet"), ("Inception-v1", "googlenet"),
     ("Inception v3", "inception_v3"), ("BN-Inception", "inception_v2"), ("MobileNet-v1", "mobilenet"),
     ("inception_v1@aux", "googlenet@aux"), ("LeNet", "lenet5")],
)  # fmt: skip
def test_other_names_of_a_network(archcalc: Run, name: str, network: str) -> None:
    assert archcalc("report", name, "-f", "json").json["network"] == network


def test_the_list_knows_other_names(archcalc: Run) -> None:
    assert "googlenet" in [entry["network"] for entry in archcalc("list", "inception_v1", "-f", "json").json]


def test_members_of_a_file_are_named_as_they_are_used(archcalc: Run, refuses: Run, tmp_path: Path) -> None:
    file = tmp_path / "fam.yaml"
    file.write_text(
        "name: fam\ntitle: Fam\ninput: 8x8x4\nparameters: {w: 4}\nnetworks:\n  small: {title: Small}\n"
        "  large: {title: Large, set: {w: 8}}\nlayers: [conv2d: {out_channels: w, kernel_size: 3}]\n"
    )
    out = archcalc("validate", file).out
    assert out == f"{file}: good (fam.yaml@small, fam.yaml@large)\n"
    assert archcalc("report", f"{file}@large", "-f", "json").json["title"] == "Large"
    assert "there are small, large" in refuses("report", f"{file}@huge").err
