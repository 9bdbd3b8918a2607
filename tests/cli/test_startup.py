"""The start: help and version without the machinery of commands, and a report without what it does not need."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

import archcalc as package
from archcalc.cli.app import COMMANDS, app
from tests.cli.runner import DATA, Run, environment, run_process

HELP = Path(package.__file__).parent / "cli" / "help.txt"
HEAVY = {
    "numpy",
    "sympy",
    "networkx",
    "vl_convert",
    "jinja2",
    "rich",
    "matplotlib",
    "pandas",
    "PIL",
    "torch",
    "onnx",
    "hypothesis",
}


def imported(*arguments: str) -> set[str]:
    """The modules that a run imports beyond those of bare Python."""
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from archcalc.cli import main\n"
        f"sys.argv = ['archcalc', *{list(arguments)!r}]\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600, env=environment()
    )
    assert done.stdout
    return set(done.stderr.split())


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("--version",)], ids=" ".join)
def test_help_and_version_import_next_to_nothing(arguments: tuple[str, ...]) -> None:
    modules = imported(*arguments)
    assert {name for name in modules if name.startswith("archcalc")} == {"archcalc", "archcalc.cli"}
    assert not packages(modules) & ({"click", "pydantic", "pydantic_core", "yaml"} | HEAVY)
    assert len(modules) <= 30


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "alexnet"),
        ("report", "alexnet", "-f", "json"),
        ("report", str(DATA / "modules.yaml"), "-f", "csv", "--depth", "1", "--columns", "all"),
    ],
    ids=lambda arguments: " ".join(arguments[2:]) or "table",
)
def test_a_report_imports_only_what_it_needs(arguments: tuple[str, ...]) -> None:
    modules = imported(*arguments)
    assert not packages(modules) & HEAVY
    assert {"click", "pydantic", "yaml"} <= packages(modules)
    # Other commands, other formats, and what only a mistake needs.
    form = arguments[arguments.index("-f") + 1] if "-f" in arguments else "text"
    commands = {name for name in modules if name.startswith("archcalc.cli.commands.")}
    assert commands == {"archcalc.cli.commands.report"}
    renderers = {f"archcalc.render.tables.{name}" for name in ("text", "markdown", "csv", "json", "latex")}
    assert modules & renderers == {f"archcalc.render.tables.{form}"}
    assert not modules & {"unittest", "asyncio", "archcalc.spec.schema", "archcalc.spec.patterns"}
    assert not {name for name in modules if name.startswith("archcalc.design")}
    # A count, so that a new dependency does not creep in; it is 1.1 times what was measured.
    assert len(modules) <= 285, len(modules)


def test_a_report_makes_the_classes_of_few_ops() -> None:
    # Each class of an op is a model, and to make all 128 would be a quarter of the start.
    code = (
        "import os, sys\n"
        "from archcalc.cli import main\n"
        "sys.argv = ['archcalc', 'report', 'alexnet']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "from archcalc.ops import Op\n"
        "def below(base): return {base}.union(*map(below, base.__subclasses__()))\n"
        "print(len(below(Op)), file=sys.stderr)\n"
        "print(*(name for name in sys.modules if name.startswith('archcalc.ops.')), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600, env=environment()
    )
    classes, modules = done.stderr.splitlines()
    assert not set(modules.split()) & {
        f"archcalc.ops.{name}" for name in ("attention", "arrange", "rectifier", "trained")
    }
    assert int(classes) <= 55


@pytest.mark.slow
def test_a_page_imports_what_draws_its_pictures_and_nothing_else_that_is_heavy() -> None:
    # networkx lays the diagram out, vl_convert draws the plots.
    assert packages(imported("report", "lenet5", "-f", "html")) & HEAVY <= {"networkx", "vl_convert"}


def test_validate_and_schema_import_nothing_heavy() -> None:
    assert not packages(imported("validate", str(DATA / "modules.yaml"))) & HEAVY
    assert not packages(imported("schema")) & HEAVY


# --- help


def test_the_stored_help_is_what_click_renders() -> None:
    result = CliRunner().invoke(app, ["--help"], prog_name="archcalc", terminal_width=80)
    assert result.exit_code == 0
    assert HELP.read_text(encoding="utf-8") == result.output


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",)], ids=" ".join)
def test_help(archcalc: Run, arguments: tuple[str, ...]) -> None:
    assert archcalc(*arguments) == (0, HELP.read_text(encoding="utf-8"), "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(archcalc: Run, command: str) -> None:
    short, long = archcalc(command, "-h"), archcalc(command, "--help")
    assert short == long
    assert (short.code, short.err) == (0, "")
    assert short.out.startswith(f"Usage: archcalc {command} ")
    assert f"  archcalc {command} " in short.out
    assert max(map(len, short.out.splitlines())) <= 100
    # Every option says what it does.
    options = [line for line in short.out.splitlines() if line.startswith("  -")]
    assert options
    assert command in HELP.read_text(encoding="utf-8")


def test_version(archcalc: Run) -> None:
    assert archcalc("--version") == (0, f"archcalc {package.__version__}\n", "")
    assert package.__version__ == metadata.version("archcalc")
    # With more around it click answers, in the same words.
    result = CliRunner().invoke(app, ["--version"], prog_name="archcalc")
    assert result.output == f"archcalc {package.__version__}\n"


@pytest.mark.slow
def test_the_package_runs_as_a_module() -> None:
    result = run_process("report", "lenet5", "--columns", "layer,params", "-f", "csv")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[-1] == "total,61706"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["reprot", "alexnet"], ["'reprot'", "did you mean report"]),
        (["lst"], ["did you mean list"]),
        (["frobnicate"], ["'frobnicate'", "list, report", "validate, schema"]),
        (["report", "alexnet", "--formt", "json"], ["--formt", "--format"]),
        (["report", "alexnet", "--colums", "layer"], ["--colums", "--columns"]),
        (["--hepl"], ["--hepl", "--help"]),
        (["report"], ["network"]),
        (["validate"], ["FILE"]),
        (["completion", "tcsh"], ["bash", "zsh", "fish"]),
        (["report", "alexnet", "-f", "docx"], ["docx", "table", "markdown", "csv", "json", "latex", "html"]),
        (["report", "alexnet", "-f", "JSON"], ["json"]),
        (["schema", "more"], ["more"]),
    ],
    ids=" ".join,
)
def test_usage_errors(refuses: Run, arguments: list[str], wanted: list[str]) -> None:
    err = refuses(*arguments).err
    for word in wanted:
        assert word in err
