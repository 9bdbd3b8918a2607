"""What there is stands in the README and on its page: commands, extras, parts, claims, dependencies."""

from __future__ import annotations

import re
import tomllib

import archcalc as package
from archcalc.cli.app import COMMANDS
from archcalc.render.tables import columns, formats
from archcalc.spec.evaluate import FUNCTIONS
from archcalc.teach.audit.diagnose import MISTAKES
from archcalc.teach.audit.functions import Reader
from archcalc.teach.audit.language import CLAIM
from archcalc.teach.audit.networks import Networks
from tests.docs.pages import PAGES, ROOT, examples_of, keys, read, table


def test_readme_sets_up_in_two_lines() -> None:
    first, second = (example.text.splitlines() for example in examples_of(ROOT / "README.md")[:2])
    assert len(first) == len(second) == 1
    assert first[0].endswith("archcalc report alexnet")
    assert second[0].endswith("pytest")


def test_the_version_is_the_same_everywhere() -> None:
    version = package.__version__
    assert f"\nversion: {version}\n" in read(ROOT / "CITATION.cff")
    released = re.search(r"^date-released: (\S+)$", read(ROOT / "CITATION.cff"), re.MULTILINE)
    assert released
    assert f"\n## [{version}] - {released[1]}\n" in read(ROOT / "CHANGELOG.md")


def test_extras_that_are_installed_exist() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    wanted = [
        name for page in PAGES for names in re.findall(r"\.\[([\w,]+)\]", read(page)) for name in names.split(",")
    ]
    assert wanted
    assert set(wanted) <= project["optional-dependencies"].keys()


def test_readme_names_every_command_and_format() -> None:
    text = read(ROOT / "README.md")
    assert [name for name in COMMANDS if f"archcalc {name}" not in text] == []
    assert [name for name in formats.FORMATS if f"`{name}`" not in text] == []


def test_columns_of_a_report() -> None:
    rows = table(ROOT / "docs" / "explanation" / "conventions.md", "## The columns of a report")
    assert keys(rows) == list(columns.COLUMNS)


def test_architecture_names_every_part() -> None:
    parts = {path.name.removesuffix(".py") for path in (ROOT / "archcalc").iterdir() if path.suffix in ("", ".py")}
    named = set(keys(table(ROOT / "docs" / "explanation" / "architecture.md", "## Data flows one way")))
    assert {part for part in parts if not part.startswith("_")} - {"specs"} <= named


def test_functions_of_claims_are_described() -> None:
    text = read(ROOT / "docs" / "how-to" / "audit.md")
    own = Reader(Networks()).functions.keys() - FUNCTIONS.keys()
    assert [name for name in sorted(own) if not re.search(rf"\b{name}\b", text)] == []


def test_keys_of_claims_are_described() -> None:
    rows = table(ROOT / "docs" / "how-to" / "audit.md", "## A claim")
    named = [key for row in rows for key in re.findall(r"`(\w+)`", row[0])]
    assert set(named) - {"conv2d"} == set(CLAIM)


def test_mistakes_of_texts_are_described() -> None:
    rows = table(ROOT / "docs" / "how-to" / "audit.md", "## Why a claim is wrong")
    assert {row[0].strip("`"): row[1] for row in rows} == MISTAKES


def test_every_dependency_is_explained() -> None:
    configuration = tomllib.loads(read(ROOT / "pyproject.toml"))
    project = configuration["project"]
    groups = {
        "": project["dependencies"],
        **project["optional-dependencies"],
        "build": configuration["build-system"]["requires"],
    }
    page = ROOT / "docs" / "explanation" / "dependencies.md"
    for group, requirements in groups.items():
        names = {re.split(r"[<>=!\[]", requirement)[0] for requirement in requirements} - {"archcalc"}
        heading = {"": "## Needed to run", "build": "## The build backend"}.get(group, f"## The extra `{group}`")
        assert set(keys(table(page, heading))) == names
