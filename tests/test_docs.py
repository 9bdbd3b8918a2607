"""The documentation: its examples are run, its tables are held against the code, its links lead somewhere."""

from __future__ import annotations

import doctest
import json
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, get_args

import jsonschema
import pytest
from pydantic import BaseModel

import archcalc as package
from archcalc.analysis import Analysis, analyse
from archcalc.cli.app import COMMANDS
from archcalc.errors import SpecError
from archcalc.ops import OPS, Op
from archcalc.ops.base import LARGEST_SIZE as LARGEST_SIDE
from archcalc.ops.base import Operations
from archcalc.ops.windowed import Sides
from archcalc.reports import columns, formats
from archcalc.reports.json import as_dict
from archcalc.spec import document, expand, expressions, source
from archcalc.spec.build import build, network_names
from archcalc.spec.items import STEP_KEYS
from archcalc.spec.load import prelude, spec_of
from archcalc.spec.schema import json_schema
from archcalc.spec.source import parse_source
from tests.cli.runner import Run

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted((ROOT / "docs").glob("*.md"))
LANGUAGE = ROOT / "docs" / "spec-language.md"
#: What a fenced block may be. All but `sh` and `text` are run; `yaml invalid` must be refused.
LANGUAGES = ("yaml", "yaml invalid", "python", "console", "json", "sh", "text")
_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


class Command(NamedTuple):
    """A command of a console block and what the page shows under it."""

    words: list[str]
    shown: str


@lru_cache
def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@lru_cache
def examples_of(page: Path) -> tuple[Example, ...]:
    text = read(page)
    return tuple(
        Example(page, text.count("\n", 0, match.start()) + 1, match[1].strip(), match[2])
        for match in _FENCE.finditer(text)
    )


def every(*languages: str) -> pytest.MarkDecorator:
    """One test for each example in these languages."""
    found = [example for page in PAGES for example in examples_of(page) if example.language in languages]
    return pytest.mark.parametrize("example", found, ids=str)


def name_of(example: Example) -> str:
    """The file that the commands below the example mean."""
    match = re.search(r"^name: (\S+)$", example.text, re.MULTILINE)
    assert match, f"{example}: the example has no name"
    return f"{match[1]}.yaml"


@pytest.fixture
def beside_examples(example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory holds every spec of the page."""
    for other in examples_of(example.page):
        if other.language.startswith("yaml"):
            (tmp_path / name_of(other)).write_text(other.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


# --- examples


@every(*{example.language for page in PAGES for example in examples_of(page)})
def test_no_example_is_skipped(example: Example) -> None:
    assert example.language in LANGUAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_of_specs_differ(page: Path) -> None:
    names = [name_of(example) for example in examples_of(page) if example.language.startswith("yaml")]
    assert len(names) == len(set(names))


@every("yaml")
def test_spec_can_be_built(example: Example) -> None:
    spec = spec_of(parse_source(example.text, name_of(example)))
    names = network_names(spec)
    assert names
    for name in names:
        member, _, variant = name.partition("@")
        analysis = analyse(build(spec, member, variant or None))
        assert analysis.problems == ()
        assert len(analysis.rows) > 1


@every("yaml")
def test_editors_accept_the_spec(example: Example) -> None:
    value = parse_source(example.text, name_of(example)).value
    errors = [error.message for error in jsonschema.Draft202012Validator(json_schema()).iter_errors(value)]
    assert errors == []


@every("yaml invalid")
def test_invalid_spec_is_refused(example: Example) -> None:
    with pytest.raises(SpecError) as refusal:
        analyse(build(spec_of(parse_source(example.text, name_of(example)))))
    assert refusal.value.problems


@every("python")
@pytest.mark.usefixtures("beside_examples")
def test_python_example(example: Example) -> None:
    test = doctest.DocTestParser().get_doctest(example.text, {}, str(example), str(example.page), example.line)
    report: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert not outcome.failed, "".join(report)
    assert any(item.want for item in test.examples), "an example shows what it gives"


def commands_of(example: Example) -> Iterator[Command]:
    head, *parts = re.split(r"^\$ ", example.text, flags=re.MULTILINE)
    assert not head, f"{example}: a console block begins with a command"
    for part in parts:
        line, _, shown = part.partition("\n")
        yield Command(shlex.split(line, comments=True), shown)


def pattern_of(shown: str) -> str:
    """What a page shows as a regular expression: … is anything in a line, or any lines."""
    lines = []
    for line in shown.splitlines():
        if line.strip() == "…":
            lines.append(r"(?:[^\n]*\n)*?")
        else:
            lines.append(re.escape(line.rstrip()).replace("…", r"[^\n]*?") + r"[ ]*\n")
    return "".join(lines)


@every("console")
@pytest.mark.usefixtures("beside_examples")
def test_console_example(example: Example, archcalc: Run) -> None:
    code = 0
    commands = list(commands_of(example))
    assert commands
    for index, (words, shown) in enumerate(commands):
        if words == ["echo", "$?"]:
            assert shown == f"{code}\n"
            continue
        assert words[0] == "archcalc", f"{example}: only archcalc is run"
        result = archcalc(*words[1:])
        code = result.code
        following = commands[index + 1].words if index + 1 < len(commands) else []
        assert code == 0 or following == ["echo", "$?"], f"{example}: exits with {code}: {result.err}"
        printed = result.out + result.err
        if not re.fullmatch(pattern_of(shown), printed):
            difference = unified_diff(shown.splitlines(), printed.splitlines(), "the page", "the program", lineterm="")
            pytest.fail(f"{example}: archcalc {' '.join(words[1:])}\n" + "\n".join(difference))


def test_docstring_of_the_package() -> None:
    outcome = doctest.testmod(package)
    assert outcome.attempted
    assert not outcome.failed


# --- links

_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))


def anchors_of(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ +(.+)$", _FENCE.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target in _LINK.findall(_FENCE.sub("", read(page))) if not target.startswith("https://")]
    missing = []
    for target in targets:
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            missing.append(target)
    assert missing == []


def test_readme_links_to_every_page() -> None:
    targets = set(_LINK.findall(read(ROOT / "README.md")))
    assert {str(page.relative_to(ROOT)) for page in PAGES} - {"README.md"} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist(page: Path) -> None:
    """Paths such as `archcalc/ops/conv.py`; words in capitals stand for any name."""
    folders = "archcalc|tests|docs|specs|benchmarks|reports"
    named = re.findall(rf"`((?:{folders})/[\w./-]*\w/?|[\w-]+\.(?:toml|md))`", _FENCE.sub("", read(page)))
    missing = [name for name in named if not re.search(r"\b[A-Z]+\b(?<!README)", name.removesuffix(".md"))]
    assert [name for name in missing if not (ROOT / name).exists()] == []


# --- tables


def table(page: Path, heading: str, number: int = 0) -> list[list[str]]:
    """The rows of a table under a heading, without its head; the cells as text."""
    _, _, rest = read(page).partition(f"\n{heading}\n")
    assert rest, f"{page.name} has no heading {heading!r}"
    section = re.split(r"^#{1,6} ", _FENCE.sub("", rest), maxsplit=1, flags=re.MULTILINE)[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert number < len(tables), f"{page.name}, {heading!r}: there are {len(tables)} tables"
    lines = tables[number].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def keys(rows: Sequence[Sequence[str]]) -> list[str]:
    """Everything that stands as code in the first column."""
    return [key for row in rows for key in re.findall(r"`([^`]+)`", row[0])]


@pytest.mark.parametrize(
    ("heading", "model", "leaves_out"),
    [
        ("## The file", document.Document, set()),
        ("## Facts about a network", document.Facts, {"title", "input"}),
        ("## Parameters", document.Parameter, {"required"}),
        ("## Blocks", document.Block, set()),
        ("## Variants", document.Variant, set()),
    ],
)
def test_keys_are_those_of_the_model(heading: str, model: type[BaseModel], leaves_out: set[str]) -> None:
    assert sorted(keys(table(LANGUAGE, heading))) == sorted(model.model_fields.keys() - leaves_out)


def test_required_keys_of_a_file() -> None:
    marked = keys([row for row in table(LANGUAGE, "## The file") if row[1].startswith("required")])
    fields = document.Document.model_fields
    assert sorted(marked) == sorted(key for key, field in fields.items() if field.is_required())


def test_keys_of_every_step() -> None:
    assert keys(table(LANGUAGE, "## Steps")) == list(STEP_KEYS)


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("## Facts about a network", get_args(document.Quantity)),
        ("## Facts about a network", tuple(document.Reported.model_fields)),
        ("## Facts about a network", tuple(document.Paper.model_fields)),
        ("## Parameters", document.TYPES),
        ("## Outputs", tuple(document.LayerOutput.model_fields)),
        ("## Branches", tuple(kind for kind, op in OPS.items() if op.most_inputs is None)),
    ],
)
def test_section_names_every_word(heading: str, words: tuple[str, ...]) -> None:
    _, _, rest = read(LANGUAGE).partition(f"\n{heading}\n")
    section = re.split(r"^## ", _FENCE.sub("", rest), maxsplit=1, flags=re.MULTILINE)[0]
    assert [word for word in words if f"`{word}`" not in section] == []


def test_functions_and_operators_of_expressions() -> None:
    rows = {row[0]: re.findall(r"`([^`]+)`", row[1]) for row in table(LANGUAGE, "## Expressions")}
    assert rows["functions"] == sorted(expressions.FUNCTIONS)
    assert set(rows["comparison"] + rows["arithmetic"]) == set(expressions._OPERATORS)


def test_limits() -> None:
    limits = {
        "size of a file": f"{source.LARGEST_FILE >> 20} MiB",
        "nesting of YAML": source.DEEPEST_NESTING,
        "values in a file, aliases expanded": source.MOST_VALUES,
        "layers of a network": expand.MOST_LAYERS,
        "steps of the expansion": expand.MOST_STEPS,
        "problems shown": expand.MOST_PROBLEMS,
        "length of a name": expand.LONGEST_NAME,
        "a side of an input, window or padding": LARGEST_SIDE,
        "channels or features of a layer": OPS["linear"].model_fields["out_features"].metadata[0].le,
        "length of an expression": expressions.LONGEST,
        "nesting of an expression": expressions.DEEPEST,
        "an exponent": expressions.LARGEST_EXPONENT,
        "bits of a number in an expression": expressions.LARGEST_BITS,
        "length of a list or text in an expression": expressions.LONGEST_LIST,
    }
    shown = {name: f"{limit:,}" if isinstance(limit, int) else limit for name, limit in limits.items()}
    assert {row[0]: row[1] for row in table(LANGUAGE, "## Limits")} == shown


#: A value for each field that has no default.
NEEDED: Mapping[str, Any] = {
    "out_channels": 7,
    "out_features": 7,
    "kernel_size": (3, 3),
    "output_size": (7, 7),
    "shape": "1x1x7",
    "padding": 7,
}


def default_of(op: Op, field: str) -> str:
    value = getattr(op, field)
    if field != "kernel_size" and "kernel_size" in type(op).model_fields and value == (3, 3):
        return "kernel_size"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, Sides)) and len(set(value)) == 1:
        return str(value[0])
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def fields_of(cls: type[Op]) -> str:
    """The fields of an op as the page writes them, each with its default."""
    required = [name for name, field in cls.model_fields.items() if field.is_required()]
    op = cls.model_validate({name: NEEDED[name] for name in required})
    rest = [name for name in cls.model_fields if name not in required]
    return ", ".join([f"`{name}`" for name in required] + [f"`{name}` = {default_of(op, name)}" for name in rest])


def inputs_of(cls: type[Op]) -> str:
    fewest, most = cls.fewest_inputs, cls.most_inputs
    return str(fewest) if fewest == most else f"{fewest} or more" if most is None else f"{fewest} to {most}"


def op_rows() -> list[list[str]]:
    tables = [table(LANGUAGE, heading) for heading in re.findall(r"^### Ops: .+$", read(LANGUAGE), re.MULTILINE)]
    return [row for rows in tables for row in rows]


def test_ops_are_those_of_the_code() -> None:
    assert sorted(keys(op_rows())) == sorted(OPS.keys() - {"input"})


@pytest.mark.parametrize("row", op_rows(), ids=lambda row: row[0].strip("`"))
def test_row_of_an_op(row: list[str]) -> None:
    cls = OPS[row[0].strip("`")]
    assert row[1:3] == [inputs_of(cls), fields_of(cls)]
    assert row[3]


def test_blocks_that_are_there_already() -> None:
    rows = table(LANGUAGE, "### Blocks that are there already")
    assert {row[0].strip("`"): row[2] for row in rows} == {
        name: ", ".join(
            f"`{key}`" if parameter.required else f"`{key}` = {str(parameter.default).lower()}"
            for key, parameter in block.declared.parameters.items()
        )
        for name, block in prelude().items()
    }


# --- the README


def test_readme_sets_up_in_two_lines() -> None:
    first, second = (example.text.splitlines() for example in examples_of(ROOT / "README.md")[:2])
    assert len(first) == len(second) == 1
    assert first[0].endswith("archcalc report alexnet")
    assert second[0].endswith("pytest")


def test_extras_that_are_installed_exist() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    wanted = [name for page in PAGES for names in re.findall(r"\.\[([\w,]+)\]", read(page)) for name in names.split(",")]
    assert wanted
    assert set(wanted) <= project["optional-dependencies"].keys()


def test_readme_names_every_command_and_format() -> None:
    text = read(ROOT / "README.md")
    assert [name for name in COMMANDS if f"archcalc {name}" not in text] == []
    assert [name for name in formats.FORMATS if f"`{name}`" not in text] == []


def test_columns_of_a_report() -> None:
    rows = table(ROOT / "docs" / "conventions.md", "## The columns of a report")
    assert keys(rows) == list(columns.COLUMNS)


# --- the JSON report


def paths(value: Any, path: str = "") -> Iterator[str]:
    """layers[].operations.additions and so on; what an op or a parameter calls its own is left out."""
    if path in ("layers[].settings", "conventions") or not isinstance(value, (dict, list)):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{path}.{key}" if path else key)
    elif value and isinstance(value[0], (dict, list)) and path != "layers[].input_shapes":
        for inner in value:
            yield from paths(inner, f"{path}[]")
    else:
        yield path


@lru_cache
def analysis_of(name: str) -> Analysis:
    return analyse(package.load(name))


def test_keys_of_the_report() -> None:
    found: dict[str, None] = {}
    for name in ("alexnet", "googlenet@aux", "resnet20_cifar", "resnet50"):
        found.update(dict.fromkeys(paths(as_dict(analysis_of(name)))))
    assert sorted(keys(table(ROOT / "docs" / "json.md", "## A report"))) == sorted(found)


def test_keys_of_the_conventions() -> None:
    rows = table(ROOT / "docs" / "json.md", "## Conventions")
    assert keys(rows) == list(analysis_of("alexnet").conventions.describe())


def test_keys_of_the_list(archcalc: Run) -> None:
    entries = archcalc("list", "lenet5", "-f", "json").json
    assert keys(table(ROOT / "docs" / "json.md", "## The list of networks")) == list(entries[0])


@every("json")
def test_json_example(example: Example) -> None:
    value = json.loads(example.text)
    assert value


# --- conventions


def operations_of(kind: str) -> Operations:
    """What an op calculates on a map of 6×6×4, with a window of 3×3 where it has one."""
    cls = OPS[kind]
    needed = {name: NEEDED[name] for name, field in cls.model_fields.items() if field.is_required()}
    op = cls.model_validate(needed).resolve([(4, 6, 6)])
    inputs = [(4, 6, 6)] * max(cls.fewest_inputs, 2 if cls.most_inputs is None else 1)
    return op.operations(inputs, op.output_shape(inputs))


# --- dependencies


def test_every_dependency_is_explained() -> None:
    configuration = tomllib.loads(read(ROOT / "pyproject.toml"))
    project = configuration["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"], "build": configuration["build-system"]["requires"]}
    page = ROOT / "docs" / "dependencies.md"
    for group, requirements in groups.items():
        names = {re.split(r"[<>=!\[]", requirement)[0] for requirement in requirements} - {"archcalc"}
        heading = {"": "## Needed to run", "build": "## The build backend"}.get(group, f"## The extra `{group}`")
        assert set(keys(table(page, heading))) == names
