"""`archcalc formula`: text, LaTeX, JSON, and what it refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.runner import Run


def test_text(archcalc: Run) -> None:
    assert archcalc("formula", "resnet50", "--params").out == "parameters = 2049*classes + 23508032\n"
    assert archcalc("formula", "resnet50").out == archcalc("formula", "resnet50", "--params").out


def test_definitions_stand_below(archcalc: Run) -> None:
    out = archcalc("formula", "mobilenet", "--multiplications").out
    assert "\nwhere\n  c1 = Max(8, floor(32*alpha))\n" in out
    assert "  h1 = floor(s/2 - 1/2) + 1\n" in out


@pytest.mark.parametrize("names", [["height,width"], ["height", "width"], [" width , height "]])
def test_sides_are_symbols_of_their_own(archcalc: Run, names: list[str]) -> None:
    out = archcalc("formula", "lenet5", *(part for name in names for part in ("--in", name))).out
    assert out.startswith("parameters = 1920*h2*w2 + 13706\n")


def test_latex(archcalc: Run) -> None:
    out = archcalc("formula", "mobilenet", "--multiplications", "-f", "latex").out
    assert r"\left\lfloor{32 \alpha}\right\rfloor" in out
    assert out.count("{") == out.count("}")
    assert out.count(r"\begin{align*}") == out.count(r"\end{align*}") == 1
    assert "$" not in out


def test_json(archcalc: Run) -> None:
    data = archcalc("formula", "nasnet_mobile", "-f", "json").json
    assert data["schema"] == "archcalc.formula/1"
    assert data["fixed"] == {"cells": "decides which layers there are"}
    assert "classes" in data["symbols"]


def test_what_steers_is_said(archcalc: Run) -> None:
    assert "cells stays a number: it decides which layers there are." in archcalc("formula", "nasnet_mobile").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("resnet51",), "or resnet50"),
        (("mobilenet", "--in", ""), "--in takes names"),
        (("mobilenet", "--in", "alfa"), "did you mean alpha"),
        (("mobilenet", "--in", "padding"), "no number"),
        (("nasnet_mobile", "--in", "cells"), "cannot be a symbol"),
        (("32x32x3 -> frob",), "cannot read 'frob'"),
        (("mobilenet", "--set", "alpha=x"), "alpha must be a number"),
    ],
)
def test_what_it_refuses(words: tuple[str, ...], message: str, refuses: Run) -> None:
    assert message in refuses("formula", *words).err


def test_other_commands_do_not_load_sympy() -> None:
    code = (
        "import sys; sys.argv = ['archcalc', 'solve', 'conv2d', '--input', '9', '--output', '3']\n"
        "from archcalc.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('sympy' in sys.modules, 'numpy' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    assert done.stderr.split() == ["False", "False"]
