"""Examples of the documentation are run."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from difflib import unified_diff
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archcalc.core.errors import SpecError
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build, network_names, split_name
from archcalc.spec.load import spec_of
from archcalc.spec.schema import json_schema
from archcalc.spec.source import parse_source
from tests.cli.runner import Run
from tests.docs.pages import FENCE, FILE, LANGUAGES, PAGES, Command, Example, every, examples_of, name_of, read
from tests.tiers import slow_but

TUTORIALS = [page for page in PAGES if page.parent.name == "tutorials"]
#: Pages whose commands draw, search, execute or load a library for it.
DRAWN_OR_SEARCHED = (
    "audit",
    "deck",
    "deconv",
    "draw",
    "figures",
    "grading",
    "plot",
    "reconcile",
    "run",
    "search",
    "sliding",
    "solve",
)


@pytest.fixture
def in_folder_of_examples(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory holds every spec of the page, and every file that it names."""
    for example in examples_of(page):
        if example.language.startswith("yaml"):
            (tmp_path / name_of(example)).write_text(example.text, encoding="utf-8")
        elif example.language.startswith(FILE):
            file = tmp_path / example.language.removeprefix(FILE)
            file.parent.mkdir(exist_ok=True)
            file.write_text(example.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine shows the progress of long work; pages do not."""
    monkeypatch.setattr("archcalc.cli.progress.monotonic", lambda: 0.0)


@pytest.fixture
def page(example: Example) -> Path:
    return example.page


@every(*{example.language for page in PAGES for example in examples_of(page)})
def test_no_example_is_skipped(example: Example) -> None:
    assert example.language in LANGUAGES or re.fullmatch(
        rf"{FILE}([\w-]+/)?[\w-]+\.(cfg|csv|md|txt|yaml)", example.language
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
        analysis = analyse(build(read_spec, *split_name(read_spec, name)))
        assert analysis.problems == ()
        assert len(analysis.rows) > 1


@cache
def validator() -> jsonschema.Draft202012Validator:
    """The schema that editors use."""
    return jsonschema.Draft202012Validator(json_schema())


@every("yaml")
def test_editors_accept_the_spec(example: Example) -> None:
    value = parse_source(example.text, name_of(example)).value
    errors = [error.message for error in validator().iter_errors(value)]
    assert errors == []


@every("yaml invalid")
def test_invalid_spec_is_refused(example: Example) -> None:
    with pytest.raises(SpecError) as refusal:
        analyse(build(spec_of(parse_source(example.text, name_of(example)))))
    assert refusal.value.problems


PAGES_WITH_PYTHON = [page for page in PAGES if any(example.language == "python" for example in examples_of(page))]


@pytest.mark.parametrize("page", PAGES_WITH_PYTHON, ids=lambda page: page.name)
@pytest.mark.usefixtures("in_folder_of_examples")
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


@every("console", slow=DRAWN_OR_SEARCHED)
@pytest.mark.usefixtures("in_folder_of_examples")
def test_console_example(example: Example, archcalc: Run) -> None:
    if example.page.parent.name != "tutorials":
        check_console(example, archcalc)


@pytest.mark.parametrize(
    "page",
    slow_but([page for page in TUTORIALS if page.stem == "student"], TUTORIALS),
    ids=lambda page: page.name,
)
@pytest.mark.usefixtures("in_folder_of_examples")
def test_a_tutorial_is_one_session(page: Path, archcalc: Run) -> None:
    """What a block of a tutorial writes is there for the blocks after it."""
    for example in examples_of(page):
        if example.language == "console":
            check_console(example, archcalc)


def check_console(example: Example, archcalc: Run) -> None:
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_name_of_a_file_is_in_the_text_before_it(page: Path) -> None:
    # What stands after ``` is shown on no page.
    blocks = list(FENCE.finditer(read(page)))
    ends = [0, *(block.end() for block in blocks)]
    for block, end in zip(blocks, ends, strict=False):
        if block[1].startswith(FILE):
            assert f"`{block[1].removeprefix(FILE).strip()}`" in read(page)[end : block.start()], block[1]
