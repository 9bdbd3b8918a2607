"""The picture of the README, and what docs/build.py generates for the site."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from archcalc.cli.app import COMMANDS, app
from tests.cli.runner import Run, environment
from tests.docs.pages import ROOT, read


@pytest.fixture(scope="module")
def site() -> ModuleType:
    """docs/build.py as a module."""
    path = ROOT / "docs" / "build.py"
    spec = importlib.util.spec_from_file_location("build_site", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_of_the_readme_is_fresh_and_readable(theme: str, archcalc: Run, tmp_path: Path) -> None:
    """The words are those that the command under the picture draws, at least 11 pixels high on a page of 800 pixels."""
    command = re.search(r"^\*Made by `archcalc (draw .*) -o \S+`\.\*$", read(ROOT / "README.md"), re.MULTILINE)
    assert command
    target = tmp_path / "made.svg"
    assert archcalc(*shlex.split(command[1]), "--theme", theme, "-o", target).code == 0
    kept = read(ROOT / "docs" / "images" / f"resnet50-{theme}.svg")
    words = re.compile(r"<(?:text|tspan)[^>]*>([^<]*)")
    assert words.findall(kept) == words.findall(target.read_text(encoding="utf-8"))
    width = re.search(r'<svg[^>]*? width="([\d.]+)"', kept)
    assert width
    assert float(width[1]) <= 800
    assert min(float(size) for size in re.findall(r'font-size="([\d.]+)"', kept)) >= 11


def test_the_page_of_commands_has_every_command_and_option(site: ModuleType) -> None:
    page = site.commands_page()
    assert re.findall(r"^## archcalc (\S+)$", page, re.MULTILINE) == list(COMMANDS)
    for name in COMMANDS:
        command = app.get_command(click.Context(app), name)
        assert command
        section = page.partition(f"\n## archcalc {name}\n")[2].partition("\n## ")[0]
        options = [
            option
            for parameter in command.params
            for option in parameter.opts
            if option.startswith("-") and option != "--help"
        ]
        assert [option for option in options if not re.search(rf"^`[^`]*{option}\b", section, re.MULTILINE)] == []
        assert f"archcalc {name} " in section.partition("Examples:")[2]
    assert page.count("archcalc plot sweep mobilenet") == 2  # of the group, and of the command


@pytest.mark.parametrize(("source", "page", "text", "wanted"), [
    ("README.md", "index.md", "[c](docs/how-to/check.md#a)", "[c](how-to/check.md#a)"),
    ("README.md", "index.md", '<img src="docs/images/x.svg">', '<img src="images/x.svg">'),
    ("docs/how-to/run.md", "how-to/run.md", "[b](../../benchmarks/README.md)", "[b](../explanation/benchmarks.md)"),
    ("docs/how-to/plot.md", "how-to/plot.md", "![c](../../reports/c.svg)", "![c](../catalogue/c.svg)"),
    ("docs/how-to/run.md", "how-to/run.md", "[w](https://a.b/c.md) [h](#here)", "[w](https://a.b/c.md) [h](#here)"),
    ("docs/how-to/run.md", "how-to/run.md", "```\n[x](../x.md)\n```\n", "```\n[x](../x.md)\n```\n"),
])  # fmt: skip
def test_links_of_the_site(source: str, page: str, text: str, wanted: str, site: ModuleType) -> None:
    assert site.with_links_of_site(text, ROOT / source, Path(page)) == wanted


def test_a_link_out_of_the_site_ends_the_build(site: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"specs/alexnet.yaml, which is not in the site"):
        site.with_links_of_site("[s](specs/alexnet.yaml)", ROOT / "README.md", Path("index.md"))


def test_files_loaded_from_elsewhere_are_found(site: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<script async src="https://cdn.example/a.js"></script><a href="https://b.example">'
    )
    assert list(site.loaded_from_elsewhere(tmp_path)) == ['a.html: <script async src="https://cdn.example/a.js']


@pytest.mark.slow
def test_the_site_is_built_strictly() -> None:
    pytest.importorskip("zensical", reason="the documentation site needs the extra docs")
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "build.py"), "--quick"], capture_output=True, text=True, check=False,
        cwd=ROOT, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    made = ROOT / "site"
    assert "62,378,344" in (made / "index.html").read_text(encoding="utf-8")
    assert "archcalc.analyse" in (made / "reference" / "api.html").read_text(encoding="utf-8")
    assert (made / "assets" / "iframe-worker.js").is_file()
