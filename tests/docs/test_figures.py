"""The figures that the documentation shows are those that its commands draw."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.runner import Run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "figures.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"\.\./images/([\w-]+\.svg)", PAGE)
LINES = re.findall(r"^\$ (archcalc draw .*)$", PAGE, re.MULTILINE)
COMMANDS = {shlex.split(line)[-1]: shlex.split(line)[1:] for line in LINES}


def test_every_figure_has_its_command() -> None:
    assert len(SHOWN) == 9
    assert set(SHOWN) <= set(COMMANDS)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_a_figure_says_what_its_command_draws(
    name: str, archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert archcalc(*COMMANDS[name]).code == 0
    words = re.compile(r"<(?:text|title)[^>]*>([^<]*)")
    kept = words.findall((ROOT / "docs" / "images" / name).read_text(encoding="utf-8"))
    assert len(kept) > 10
    assert kept == words.findall((tmp_path / name).read_text(encoding="utf-8"))
