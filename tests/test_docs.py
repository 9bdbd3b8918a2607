"""The documentation: its examples are run, its tables are held against the code, its links lead somewhere."""

from __future__ import annotations

import doctest
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, get_args

import jsonschema
import pytest
from pydantic import BaseModel

import archcalc as package
from archcalc.analysis import Analysis, analyse
from archcalc.audit.diagnose import MISTAKES
from archcalc.audit.functions import Reader
from archcalc.audit.language import CLAIM
from archcalc.audit.networks import Networks
from archcalc.cli.app import COMMANDS
from archcalc.errors import SpecError
from archcalc.ops import OPS, Op
from archcalc.ops.pool import Pool2d
from archcalc.ops.windowed import Windowed
from archcalc.reports import columns, formats
from archcalc.reports.json import as_dict
from archcalc.shapes import LARGEST_SIZE, Shape
from archcalc.spec import document, expand, expressions, faults, names, source
from archcalc.spec.build import build, network_names
from archcalc.spec.expressions import FUNCTIONS, evaluate, parse_expression
from archcalc.spec.items import STEP_KEYS
from archcalc.spec.load import prelude, spec_of
from archcalc.spec.schema import json_schema
from archcalc.spec.source import parse_source
from tests.cli.runner import Run

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
LANGUAGE = ROOT / "docs" / "spec-language.md"
#: What a fenced block may be. All but `sh` are run; `yaml invalid` must be refused.
LANGUAGES = ("yaml", "yaml invalid", "python", "console", "sh")
#: A block with the name of the file that it is: `file answers.csv`.
FILE = "file "
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
def beside_examples(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory holds every spec of the page, and every file that it names."""
    for example in examples_of(page):
        if example.language.startswith("yaml"):
            (tmp_path / name_of(example)).write_text(example.text, encoding="utf-8")
        elif example.language.startswith(FILE):
            file = tmp_path / example.language.removeprefix(FILE)
            file.parent.mkdir(exist_ok=True)
            file.write_text(example.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def page(example: Example) -> Path:
    return example.page


# --- examples


@every(*{example.language for page in PAGES for example in examples_of(page)})
def test_no_example_is_skipped(example: Example) -> None:
    assert example.language in LANGUAGES or re.fullmatch(
        rf"{FILE}([\w-]+/)?[\w-]+\.(csv|md|txt|yaml)", example.language
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_of_specs_differ(page: Path) -> None:
    names = [name_of(example) for example in examples_of(page) if example.language.startswith("yaml")]
    assert len(names) == len(set(names))


@every("yaml")
def test_spec_can_be_built(example: Example) -> None:
    read_spec = spec_of(parse_source(example.text, name_of(example)))
    names = network_names(read_spec)
    assert names
    for name in names:
        member, _, variant = name.partition("@")
        analysis = analyse(build(read_spec, member, variant or None))
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


def test_functions_of_claims_are_described() -> None:
    text = read(ROOT / "docs" / "audit.md")
    own = Reader(Networks()).functions.keys() - FUNCTIONS.keys()
    assert [name for name in sorted(own) if not re.search(rf"\b{name}\b", text)] == []


def test_keys_of_claims_are_described() -> None:
    rows = table(ROOT / "docs" / "audit.md", "## A claim")
    named = [key for row in rows for key in re.findall(r"`(\w+)`", row[0])]
    assert set(named) - {"conv2d"} == set(CLAIM)


def test_mistakes_of_texts_are_described() -> None:
    rows = table(ROOT / "docs" / "audit.md", "## Why a claim is wrong")
    assert {row[0].strip("`"): row[1] for row in rows} == MISTAKES


PAGES_WITH_PYTHON = [page for page in PAGES if any(example.language == "python" for example in examples_of(page))]


@pytest.mark.parametrize("page", PAGES_WITH_PYTHON, ids=lambda page: page.name)
@pytest.mark.usefixtures("beside_examples")
def test_python_examples(page: Path) -> None:
    """The blocks of a page are one session."""
    names: dict[str, Any] = {}
    for example in examples_of(page):
        if example.language == "python":
            test = doctest.DocTestParser().get_doctest(example.text, names, str(example), str(page), example.line)
            report: list[str] = []
            outcome = doctest.DocTestRunner().run(test, out=report.append, clear_globs=False)
            assert not outcome.failed, "".join(report)
            assert any(item.want for item in test.examples), f"{example} shows nothing that it gives"
            names = test.globs


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
    """Paths such as `archcalc/ops/conv.py`; NAME in a path stands for any name."""
    folders = "archcalc|tests|docs|specs|benchmarks|reports"
    named = re.findall(rf"`((?:{folders})/[\w./-]*\w/?|[\w-]+\.(?:toml|md))`", _FENCE.sub("", read(page)))
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []


# --- tables


def table(page: Path, heading: str, number: int = 0) -> list[list[str]]:
    """The rows of a table under a heading, without its head; the cells as text."""
    _, _, rest = read(page).partition(f"\n{heading}\n")
    assert rest, f"{page.name} has no heading {heading!r}"
    section = re.split(r"^#{1,6} ", _FENCE.sub("", rest), maxsplit=1, flags=re.MULTILINE)[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert number < len(tables), f"{page.name}, {heading!r}: there are {len(tables)} tables"
    lines = tables[number].splitlines()[2:]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


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


def test_keys_of_a_reported_figure() -> None:
    assert sorted(keys(table(LANGUAGE, "## Facts about a network", 1))) == sorted(document.Reported.model_fields)


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


def limits() -> dict[str, str]:
    """Every limit in the words of the page."""
    numbers = {
        "nesting of YAML": source.DEEPEST_NESTING,
        "values in a file, aliases expanded": source.MOST_VALUES,
        "layers of a network": expand.MOST_LAYERS,
        "steps of the expansion": expand.MOST_STEPS,
        "problems shown at a time": faults.MOST_PROBLEMS,
        "characters of a name": names.LONGEST_NAME,
        "a side of an input, a window or a padding": LARGEST_SIZE,
        "characters of an expression": expressions.LONGEST,
        "nesting of an expression": expressions.DEEPEST,
        "an exponent": expressions.LARGEST_EXPONENT,
        "bits of a number in an expression": expressions.LARGEST_BITS,
        "a list or text in an expression": expressions.LONGEST_LIST,
    }
    return {"a file": f"{source.LARGEST_FILE >> 20} MiB"} | {name: f"{value:,}" for name, value in numbers.items()}


def test_limits() -> None:
    assert {row[0]: row[1] for row in table(LANGUAGE, "## Limits")} == limits()


#: A value for each field that has no default.
NEEDED: Mapping[str, Any] = {
    "out_channels": 7,
    "out_features": 7,
    "kernel_size": (3, 3),
    "output_size": (7, 7),
    "shape": "1x1x7",
    "padding": 7,
}


def needed_by(kind: str) -> dict[str, Any]:
    """Values for the fields that have no default."""
    return {name: NEEDED[name] for name, field in OPS[kind].model_fields.items() if field.is_required()}


def made_of(cls: type[Op]) -> Op:
    """The op with nothing but what it needs."""
    return cls.model_validate(needed_by(cls.kind))


def default_of(op: Op, field: str) -> str:
    value = getattr(op, field)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and len(set(value)) == 1:
        return str(value[0])
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def fields_of(cls: type[Op]) -> str:
    """The fields of an op as the page writes them, each with its default; those of windows stand in a table."""
    op = made_of(cls)
    shared = Pool2d if issubclass(cls, Pool2d) else Windowed if issubclass(cls, Windowed) else Op
    own = {name: field for name, field in cls.model_fields.items() if name not in shared.model_fields}
    return ", ".join(
        [
            *(f"`{name}`" for name, field in own.items() if field.is_required()),
            *(["[window](#windows)"] if shared is not Op else []),
            *(f"`{name}` = {default_of(op, name)}" for name, field in own.items() if not field.is_required()),
        ]
    )


def inputs_of(cls: type[Op]) -> str:
    fewest, most = cls.fewest_inputs, cls.most_inputs
    return str(fewest) if fewest == most else f"{fewest} or more" if most is None else f"{fewest} to {most}"


def op_rows() -> list[list[str]]:
    """The rows of all tables of ops."""
    section = read(LANGUAGE).partition("\n## Ops\n")[2].partition("\n## ")[0]
    headings = re.findall(r"^### .+$", _FENCE.sub("", section), re.MULTILINE)
    return [row for heading in headings if heading != "### Windows" for row in table(LANGUAGE, heading)]


def test_ops_are_those_of_the_code() -> None:
    assert sorted(keys(op_rows())) == sorted(OPS.keys() - {"input"})


@pytest.mark.parametrize("row", op_rows(), ids=lambda row: row[0].strip("`"))
def test_row_of_an_op(row: list[str]) -> None:
    cls = OPS[row[0].strip("`")]
    assert row[1:3] == [inputs_of(cls), fields_of(cls) or "–"]
    assert row[3]


def test_fields_of_windows() -> None:
    rows = table(LANGUAGE, "### Windows")
    assert keys(rows) == list(Pool2d.model_fields)
    assert keys([row for row in rows if "pooling only" not in row[2]]) == list(Windowed.model_fields)
    defaults = {row[0].strip("`"): row[1] for row in rows}
    convolution, pool = made_of(OPS["conv2d"]), made_of(OPS["max_pool2d"])
    assert [name for name, default in defaults.items() if not default] == ["kernel_size"]
    assert defaults["stride"] == f"{default_of(convolution, 'stride')}, or for pooling `kernel_size`"
    assert getattr(pool, "stride") == getattr(pool, "kernel_size")  # noqa: B009
    for name in defaults.keys() - {"kernel_size", "stride"}:
        assert defaults[name] == default_of(pool, name)


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
    rows = table(ROOT / "docs" / "conventions.md", "## The columns of a report")
    assert keys(rows) == list(columns.COLUMNS)


# --- the parts of the package


def test_architecture_names_every_part() -> None:
    parts = {path.name.removesuffix(".py") for path in (ROOT / "archcalc").iterdir() if path.suffix in ("", ".py")}
    named = set(keys(table(ROOT / "docs" / "architecture.md", "## Data flows one way")))
    assert {part for part in parts if not part.startswith("_")} - {"specs"} <= named


# --- the JSON report


def paths(value: Any, path: str = "") -> Iterator[str]:
    """layers[].operations.additions and so on; what an op or a parameter calls its own is left out."""
    if path in ("layers[].settings", "conventions") or not isinstance(value, (dict, list)):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{path}.{key}" if path else key)
    elif value and isinstance(value[0], dict):
        for inner in value:
            yield from paths(inner, f"{path}[]")
    elif value:
        yield path


@lru_cache
def analysis_of(name: str) -> Analysis:
    return analyse(package.load(name))


def test_keys_of_the_report() -> None:
    found: dict[str, None] = {}
    for name in ("alexnet", "googlenet@aux", "mobilenet", "resnet50"):
        found.update(dict.fromkeys(paths(as_dict(analysis_of(name)))))
    assert sorted(keys(table(ROOT / "docs" / "json.md", "## A report"))) == sorted(found)


def test_keys_of_the_conventions() -> None:
    rows = table(ROOT / "docs" / "json.md", "## Conventions")
    assert keys(rows) == list(analysis_of("alexnet").conventions.describe())


def test_keys_of_the_list(archcalc: Run) -> None:
    entries = archcalc("list", "lenet5", "-f", "json").json
    assert keys(table(ROOT / "docs" / "json.md", "## The list of networks")) == list(entries[0])


# --- conventions

CONVENTIONS = ROOT / "docs" / "conventions.md"
KINDS = ("additions", "multiplications", "comparisons", "divisions", "exponentials")
#: What the ops read: windows of 3×3 tile it with a stride of 3.
IMAGE: Shape = (12, 6, 6)


def formulas() -> Iterator[tuple[str, list[str]]]:
    """Each op with its formulas; what is not written is 0."""
    for row in table(CONVENTIONS, "## Operations by kind"):
        for kind in re.findall(r"`(\w+2d|\w+)`", row[0].split(" with ")[0]):
            yield kind, [cell.strip("`") or "0" for cell in row[1:]]


@pytest.mark.parametrize(
    ("kind", "written"), list(formulas()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_operations_of_an_op(kind: str, written: list[str]) -> None:
    fields: dict[str, dict[str, Any]] = {"adaptive_avg_pool2d": {"output_size": 3}, "upsample2d": {"mode": "bilinear"}}
    for bias in (False, True):
        with_bias = {"bias": bias} if "bias" in OPS[kind].model_fields else {}
        op = OPS[kind].model_validate({**needed_by(kind), **fields.get(kind, {}), **with_bias})
        inputs = [IMAGE[:1] if kind == "rbf" else IMAGE] * (3 if op.most_inputs is None else 1)
        output = op.output_shape(inputs)
        variables = {
            "n": prod(output),
            "i": prod(inputs[0]),
            "c": output[0],
            "m": op.macs(inputs, output),
            "f": 9,
            "b": int(bias),
            "k": len(inputs),
        }
        counted = op.operations(inputs, output)
        expected = [evaluate(parse_expression(formula), variables) for formula in written]
        if kind == "local_response_norm":
            # Windows of five channels are cut off at the first two and the last two: 6 of 60 sums are missing.
            expected[0] -= 6 * prod(output[1:])
        assert dict(zip(KINDS, expected, strict=True)) == counted._asdict()


def test_every_op_that_calculates_has_formulas() -> None:
    listed = {kind for kind, _ in formulas()} | {"depthwise_conv2d"}  # it becomes a conv2d
    for kind in OPS.keys() - listed - {"input"}:
        op = OPS[kind].model_validate({"shape": "6x6x12"} if kind == "reshape" else needed_by(kind))
        inputs = [IMAGE] * op.fewest_inputs
        assert not any(op.operations(inputs, op.output_shape(inputs))), kind


def counts_of_tools(analysis: Analysis) -> list[int]:
    """What the other tools print, by the rules on the page: archcalc, fvcore, torchinfo, ptflops, thop."""
    biases = normalised = normalisation = rectified = read_by_pools = averages = adaptive = stamped = 0
    for row in analysis.rows:
        values, kind = prod(row.output_shape), row.op.kind
        if kind in ("conv2d", "conv_transpose2d", "linear"):
            biases += values * any(param.name == "bias" for param in row.op.param_shapes(row.input_shapes))
        if kind == "conv_transpose2d":
            # Once for each output position, as if it were a convolution, in place of each input position.
            before, after = prod(row.input_shapes[0][1:]), prod(row.output_shape[1:])
            stamped += row.multiplications * after // before - row.multiplications
        normalised += values * (kind == "batch_norm2d")
        normalisation += row.params * (kind == "batch_norm2d")
        rectified += values * (kind == "relu")
        if "pool" in kind:
            read_by_pools += prod(row.input_shapes[0])
            averages += values * ("avg" in kind)
            adaptive += prod(row.input_shapes[0]) * (kind in ("global_avg_pool2d", "adaptive_avg_pool2d"))
    ours = analysis.totals.multiplications
    return [
        ours,
        ours + 2 * normalised + adaptive,
        ours + biases + normalisation + stamped,
        ours + biases + 2 * (normalised + rectified + read_by_pools),
        ours + 4 * normalised + averages + adaptive + stamped,
    ]


@pytest.mark.parametrize("row", table(CONVENTIONS, "### What other tools add"), ids=lambda row: row[0])
def test_counts_of_other_tools(row: list[str]) -> None:
    printed = [int(cell.replace(",", "")) for cell in row[1:]]
    assert counts_of_tools(analysis_of(row[0].strip("`"))) == printed


# --- dependencies


def test_every_dependency_is_explained() -> None:
    configuration = tomllib.loads(read(ROOT / "pyproject.toml"))
    project = configuration["project"]
    groups = {
        "": project["dependencies"],
        **project["optional-dependencies"],
        "build": configuration["build-system"]["requires"],
    }
    page = ROOT / "docs" / "dependencies.md"
    for group, requirements in groups.items():
        names = {re.split(r"[<>=!\[]", requirement)[0] for requirement in requirements} - {"archcalc"}
        heading = {"": "## Needed to run", "build": "## The build backend"}.get(group, f"## The extra `{group}`")
        assert set(keys(table(page, heading))) == names
