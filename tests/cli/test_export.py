"""`archcalc export`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import archcalc as ac
from tests.cli.runner import Run


def test_code_to_a_file_and_to_stdout(archcalc: Run, tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    assert archcalc("export", "lenet5", "-o", str(file)) == (0, "", "")
    code = file.read_text(encoding="utf-8")
    assert code == ac.load("lenet5").to_torch_code()
    assert archcalc("export", "lenet5", "-o", "-", "--to", "torch") == (0, code, "")


@pytest.mark.parametrize(
    ("name", "begin"), [("n.yaml", "name: lenet5\n"), ("n.mmd", "flowchart"), ("n.dot", "digraph")]
)
def test_other_formats(archcalc: Run, tmp_path: Path, name: str, begin: str) -> None:
    file = tmp_path / name
    assert archcalc("export", "lenet5", "-o", str(file)).code == 0
    assert begin in file.read_text(encoding="utf-8")[:200]


def test_keras_code(archcalc: Run) -> None:
    assert archcalc("export", "lenet5", "-o", "-", "--to", "keras").out == ac.load("lenet5").to_keras_code()


def test_weights_are_those_of_the_seed_or_of_a_file(archcalc: Run, tmp_path: Path) -> None:
    weights, files = tmp_path / "w.npz", [tmp_path / f"{n}.onnx" for n in range(3)]
    assert archcalc("run", "8x8x1 -> fc4", "--seed", "3", "--save-weights", str(weights)).code == 0
    for file, more in zip(files, (["--seed", "3"], ["--weights", str(weights)], ["--seed", "4"]), strict=True):
        assert archcalc("export", "8x8x1 -> fc4", "-o", str(file), *more) == (0, "", "")
    one, two, three = (file.read_bytes() for file in files)
    assert one == two != three


def test_random_weights_that_nobody_asked_for_are_said(archcalc: Run, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="it is written with it: pip install 'archcalc[test]'")
    file = tmp_path / "net.onnx"
    said = archcalc("export", "8x8x1 -> fc4", "-o", str(file)).err
    assert said == f"note: 8x8x1 -> fc4 has no weights of its own: {file} gets random ones of seed 0\n"
    with pytest.warns(UserWarning, match="came without weights: all are random"):
        ac.export("8x8x1 -> fc4", file)
    whole = ac.load(file)
    ac.export(whole, file)
    ac.export("8x8x1 -> fc4", file, weights="random", seed=3)
    part = dict(whole.arrays["fc1"])
    del part["bias"]
    with pytest.warns(UserWarning, match="came without all weights: random ones in 1 layer: fc1"):
        ac.export(dataclasses.replace(whole, arrays={"fc1": part}), file)


def test_weights_are_those_of_a_model_file_unless_random_ones_are_asked_for(archcalc: Run, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="it is read with it: pip install 'archcalc[test]'")
    first, again, random = (tmp_path / f"{n}.onnx" for n in range(3))
    assert archcalc("export", "8x8x1 -> fc4", "-o", str(first), "--seed", "3").code == 0
    assert archcalc("export", str(first), "-o", str(again)) == (0, "", "")
    assert archcalc("export", str(first), "-o", str(random), "--weights", "random") == (0, "", "")
    held = [ac.load(file).arrays for file in (first, again, random)]
    one, two, three = (arrays["fc1"]["weight"]() for arrays in held)
    assert (one == two).all()
    assert not (one == three).any()


def test_settings_and_inputs(archcalc: Run) -> None:
    code = archcalc("export", "mobilenet", "--set", "alpha=0.5", "--input", "160x160x3", "-o", "-", "--to", "torch").out
    assert "Input (N, 3, 160, 160); 1,331,592 parameters." in code


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("lenet5", "-o", "net.txt"), "no format ends in '.txt'"),
        (("lenet5", "-o", "-"), "-o - needs --to"),
        (("lenet5", "-o", "net.py", "--to", "torhc"), "did you mean torch"),
        (("lenet5", "-o", "net.py", "--to", "yaml"), "--to yaml does not end in .py"),
        (("lenet5", "-o", "net.py", "--weights", "w.npz"), "--weights is for files that hold weights"),
        (("lenet6", "-o", "net.py"), "lenet5"),
    ],
)
def test_bad_usage(refuses: Run, tmp_path: Path, arguments: tuple[str, ...], wanted: str) -> None:
    assert wanted in refuses("export", *arguments).err
