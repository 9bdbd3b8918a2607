"""`archcalc solve`: layers, equations, networks, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.runner import Run

CONV = ("conv2d", "--input", "224", "--output", "55", "--kernel-size", "11", "--stride", "4")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (CONV, "No symmetric padding gives 55: (224 − 11 + 2P)/4 + 1 = 55 needs P = 1.5."),
        (CONV, "3 pixels in all do it (1 on one side, 2 on the other)."),
        (CONV, "227 as input needs none."),
        (("conv", *CONV[1:2], "227", *CONV[3:]), "padding = 0: (227 − 11 + 2·0)/4 + 1 = 216/4 + 1 = 55"),
        (("conv2d", "--input", "227", "--output", "55", "--kernel-size", "11", "--padding", "0", "--stride", "?"),
         "stride = 4"),
        (("pool", "--input", "55", "--output", "27", "--kernel-size", "3", "--stride", "2"), "padding = 0"),
        (("max_pool2d", "--input", "112", "--output", "56", "--kernel-size", "3", "--stride", "2", "--ceil-mode"),
         "⌈109/2⌉ + 1"),
        (("upconv", "--input", "28", "--output", "56", "--stride", "2", "--padding", "0"), "kernel size = 2"),
        (("conv2d", "--kernel-size", "5", "--same"), "padding = 2"),
        (("conv2d", "--kernel-size", "5", "--same"), "holds for every input"),
        (("conv2d", "--kernel-size", "4", "--same"), "needs P = 1.5"),
        (("conv2d", "--input", "224", "--kernel-size", "3", "--stride", "2", "--same"), "1 pixel in all does it"),
        (("conv2d", "--output", "55", "--kernel-size", "11", "--stride", "4", "--padding", "0"), "from 227 to 230"),
        (("(227 - F + 2*0)/4 + 1 = 55",), "F = 11\n"),
        (("(224 − 11 + 2P)/4 + 1 = 55",), "No whole number: P = 1.5."),
        (("⌊(224 − 11 + 2P)/4⌋ + 1 = 55",), "P = 2, 3\nWhole numbers from 0 to 10,000 were tried."),
        (("F*F*3 = 363",), "F = −11, 11"),
        (("2 + 2 = 4",), "It holds."),
        (("2 + 2 = 5",), "It does not hold"),
        (("x = x",), "It holds for every x."),
        (("x*x = 2",), "No whole number solves it."),
        (("mobilenet", "--for", "alpha", "--params", "2000000"), "No alpha gives 2,000,000 parameters."),
        (("mobilenet", "--for", "alpha", "--params", "1,331,592"), "alpha = 0.5 gives 1,331,592 parameters."),
        (("mobilenet", "--for", "alpha", "--params", "2M"), "No alpha gives 2,000,000 parameters."),
        (("mobilenet", "--for", "alpha", "--params", "8 MB"), "No alpha gives 2,000,000 parameters."),
        (("mobilenet", "--for", "alpha", "--multiplications", "300M"), "No alpha gives 300,000,000 multiplications"),
        (("Conv2D", "--input", "224x224x3", "--kernel-size", "3", "--same"), "padding = 1"),
        (("deconv", "--input", "28", "--output", "56", "--stride", "2", "--padding", "0"), "kernel size = 2"),
        (("unet", "--for", "input", "--output", "388"), "input = 572×572 gives an output of 388."),
        (("unet", "--for", "input", "--output", "388x388x2"), "input = 572×572 gives an output of 388."),
        (("conv2d", "--input", "32x32x3", "--output", "30x30x8", "--kernel-size", "3", "--stride", "1"), "padding = 0"),
        (("vgg16", "--for", "input", "--smallest"), "VGG-16 accepts is 32×32."),
        (("32x32x3 -> conv3-8p0 -> pool2", "--for", "input", "--output", "15"), "input = 32×32, 33×33 gives"),
    ],
)  # fmt: skip
def test_what_it_says(words: tuple[str, ...], expected: str, archcalc: Run) -> None:
    result = archcalc("solve", *words)
    assert result.code == 0, result.err
    assert expected in result.out


def test_json_of_a_layer(archcalc: Run) -> None:
    data = archcalc("solve", *CONV, "-f", "json").json
    assert data["solutions"] == []
    assert [one["padding"] for one in data["with_unread_rows"]] == [2, 3]
    assert [one["unread"] for one in data["with_unread_rows"]] == [1, 3]
    assert data["near"][0] == "3 pixels in all do it (1 on one side, 2 on the other)."


def test_json_of_the_others(archcalc: Run) -> None:
    assert archcalc("solve", "(227 - F)/4 + 1 = 55", "-f", "json").json["solutions"] == [11]
    found = archcalc("solve", "unet", "--for", "input", "--output", "388", "-f", "json").json
    assert found["solutions"] == [{"input": 572, "output": 388}]


def test_a_file(archcalc: Run, tmp_path: Path) -> None:
    assert archcalc("solve", *CONV, "-o", tmp_path / "s.txt").out == ""
    assert (tmp_path / "s.txt").read_text(encoding="utf-8").startswith("No symmetric padding")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("relu", "--input", "3"), "has no window"),
        (("conv2d", "--input", "32", "--output", "30x31x8"), "--output 30x31x8: it is solved along one axis; give 30"),
        (("unet", "--for", "input", "--output", "38x388x2"), "--output 38x388x2: it is solved along one axis"),
        (("conv2d",), "give --input or --output"),
        (("conv2d", "--input", "x", "--output", "3"), "whole number or ?"),
        (("conv2d", "--input", "224x200x3", "--output", "3"), "along one axis; give 224 or 200"),
        (("conv2d", "--input", "9" * 5000, "--output", "3"), "whole number or ?"),
        (("conv2d", "--input", "3", "--output", "3", "--params", "5"), "--params is not for layers"),
        (("conv2d", "--input", "3", "--output", "3", "--ceil-mode"), "no ceil_mode"),
        (("conv2d", "--output", "3", "--same"), "leave --output out"),
        (("conv2d", "--kernel-size", "3", "--stride", "2", "--same"), "--same needs --input"),
        (("x = 1", "--input", "3"), "not for equations"),
        (("x + y = 1",), "one unknown"),
        (("9**9**9 = x",), "an exponent must be"),
        (("__import__('os') = x",), "there is no function"),
        (("(" * 100_000 + " = x",), "400 characters"),
        (("alexnet",), "what is unknown?"),
        (("alexnett", "--for", "input", "--smallest"), "did you mean alexnet"),
        (("alexnet", "--for", "input"), "give one of --params"),
        (("alexnet", "--for", "classes", "--smallest"), "goes with --for input"),
        (("alexnet", "--for", "clases", "--params", "5"), "did you mean classes"),
        (("alexnet", "--for", "input", "--params", "5", "--input", "9x9x3"), "solves for"),
        (("alexnet", "--for", "input", "--params", "?"), "takes a number, as in 2,000,000, 300M or 16 MB"),
        (("alexnet", "--for", "input", "--output", "5", "--stride", "2"), "--stride is not for networks"),
        (("mobilenet", "--for", "activation", "--multiplications", "x"), "takes a number"),
        (("mobilenet", "--for", "alpha", "--multiplications", "16MB"), "a number without bytes"),
        (("mobilenet", "--for", "alpha", "--params", "0.5"), "a whole number"),
        (("mobilenet", "--for", "alpha", "--params", "9e9"), "takes numbers without an exponent"),
        (("32x32x3 -> frob", "--for", "input", "--smallest"), "cannot read 'frob'"),
    ],
)
def test_what_it_refuses(words: tuple[str, ...], message: str, refuses: Run) -> None:
    assert message in refuses("solve", *words).err
