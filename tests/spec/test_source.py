"""YAML read into values that know their place, by rules that bound the work of a hostile file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import Location, SpecError, UsageError
from archcalc.spec.source import (
    DEEPEST_NESTING,
    LARGEST_FILE,
    MOST_VALUES,
    MarkedDict,
    MarkedList,
    Quoted,
    parse_source,
    read_source,
    scalar,
)
from tests.tiers import examples

FILE = "net.yaml"


def value_of(text: str) -> Any:
    return parse_source(text, FILE).value


def fault(text: str) -> tuple[str, int, int]:
    """The one problem of a text: message, line and column."""
    with pytest.raises(SpecError) as caught:
        parse_source(text, FILE)
    (problem,) = caught.value.problems
    assert problem.location is not None
    assert problem.location.file == FILE
    return problem.message, problem.location.line, problem.location.column


# --- scalars: the core schema of YAML 1.2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("0.75", 0.75),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e-5", 1e-5),
        ("1.0e-5", 1e-5),
        ("2E3", 2000.0),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        # Not numbers, whatever YAML 1.1 makes of some of them.
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("True", "True"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        (".", "."),
        ("-", "-"),
        ("+", "+"),
        ("1x1", "1x1"),
        ("3x3", "3x3"),
        ("1.2.3", "1.2.3"),
        ("2014-09-17", "2014-09-17"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("224x224x3", "224x224x3"),
        ("c // 2", "c // 2"),
        ("9" * 41, "9" * 41),  # longer than any number that is meant
    ],
)
def test_plain_scalars(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


@pytest.mark.parametrize(("text", "value"), [("'7'", "7"), ('"true"', "true"), ("''", ""), ('"a\\tb"', "a\tb")])
def test_what_is_quoted_is_text(text: str, value: str) -> None:
    read = value_of(f"key: {text}")["key"]
    assert read == value
    assert isinstance(read, Quoted)


@pytest.mark.parametrize("text", ["key:", "key: ~", "key: null", "key: # nothing"])
def test_a_key_without_a_value_is_null(text: str) -> None:
    assert value_of(text) == {"key": None}


def test_an_empty_item_is_null() -> None:
    assert value_of("-\n- 1\n-") == [None, 1, None]


def test_keys_are_text() -> None:
    assert value_of("{3: a, true: b, 1.5: c, 'd': e}") == {"3": "a", "true": "b", "1.5": "c", "d": "e"}


plain_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**12), 10**12),
        st.floats(allow_nan=False, allow_infinity=False).map(lambda number: round(number, 3)),
        # Words like 1e5, which are numbers in YAML 1.2 alone, would be written without quotes.
        st.text(st.characters(codec="utf-8", exclude_categories=["C", "N"]), max_size=12),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), inner, max_size=4),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("flow", [True, False])
@examples(60)
@given(value=st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), plain_values, min_size=1, max_size=4))
def test_what_yaml_writes_is_read_back(flow: bool, value: dict[str, Any]) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, sort_keys=False)
    assert value_of(text) == value


# --- places


def test_every_key_value_and_item_knows_its_place() -> None:
    text = "name: net\nlist:\n  - 1\n  - {a: b,   c: 'd'}\nempty:\n"
    read = value_of(text)
    assert isinstance(read, MarkedDict)
    assert read.at == (1, 1)
    assert read.keys_at == {"name": (1, 1), "list": (2, 1), "empty": (5, 1)}
    assert read.values_at["name"] == (1, 7)
    assert read.values_at["list"] == (3, 3)
    inner = read["list"]
    assert isinstance(inner, MarkedList)
    assert inner.items_at == [(3, 5), (4, 5)]
    assert (inner[1].keys_at, inner[1].values_at) == ({"a": (4, 6), "c": (4, 14)}, {"a": (4, 9), "c": (4, 17)})


@examples(60)
@given(value=st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), plain_values, min_size=1, max_size=4))
def test_places_point_at_what_was_read(value: dict[str, Any]) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
    lines = text.split("\n")

    def check(read: Any) -> None:
        if isinstance(read, MarkedDict):
            for key, (line, column) in read.keys_at.items():
                # Words like `on` and `y` are quoted by the writer.
                assert lines[line - 1][column - 1 :].lstrip("'").startswith(key)
                check(read[key])
        if isinstance(read, MarkedList):
            assert len(read.items_at) == len(read)
            for item in read:
                check(item)

    check(value_of(text))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (1, 1)),
        (("name",), (1, 7)),
        (("layers",), (3, 3)),
        (("layers", 1), (4, 5)),
        (("layers", 1, "conv2d"), (4, 13)),
        (("layers", 1, "conv2d", "kernel_size"), (4, 27)),
        # What the document does not have is skipped.
        (("layers", 7), (3, 3)),
        (("name", "x", "y"), (1, 7)),
    ],
)
def test_a_path_is_located(path: tuple[Any, ...], place: tuple[int, int]) -> None:
    source = parse_source("name: net\nlayers:\n  - relu\n  - conv2d: {kernel_size: 3}\n", FILE)
    assert source.locate(path) == Location(FILE, *place)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("name",), (1, 1)),
        (("layers", 1, "conv2d"), (4, 5)),
        (("layers", 1, "conv2d", "kernel_size"), (4, 14)),
        (("missing",), (1, 1)),
    ],
)
def test_a_key_is_located(path: tuple[Any, ...], place: tuple[int, int]) -> None:
    source = parse_source("name: net\nlayers:\n  - relu\n  - conv2d: {kernel_size: 3}\n", FILE)
    assert source.locate_key(path) == Location(FILE, *place)


# --- aliases


def test_an_alias_is_the_value_of_its_anchor() -> None:
    read = value_of("a: &fields {kernel_size: 3}\nb: *fields\nc: &word relu\nd: *word\n")
    assert read == {"a": {"kernel_size": 3}, "b": {"kernel_size": 3}, "c": "relu", "d": "relu"}


def test_an_anchor_can_be_set_again() -> None:
    assert value_of("a: &x 1\nb: *x\nc: &x 2\nd: *x\n") == {"a": 1, "b": 1, "c": 2, "d": 2}


# --- what is refused


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("", "is empty", (1, 1)),
        ("# only a comment\n", "is empty", (1, 1)),
        ("---\n", "is empty", (1, 1)),
        ("null\n", "is empty", (1, 1)),
        ("a: 1\n---\nb: 2\n", "more than one YAML document", (2, 1)),
        ("a: 1\nb: 2\na: 3\n", "key 'a' is given twice", (3, 1)),
        ("x: {k: 1, k: 2}\n", "key 'k' is given twice", (1, 11)),
        ("a: !!python/object/apply:os.system ['echo hi']\n", "tags are not part", (1, 4)),
        ("a: !!python/name:os.system\n", "tags are not part", (1, 4)),
        ("a: !!int 3\n", "tags are not part", (1, 4)),
        ("a: !mine 3\n", "tag '!mine'", (1, 4)),
        ("- !!binary aGk=\n", "tags are not part", (1, 3)),
        ("a: &x {k: 1}\nb: {<<: *x}\n", "merge keys (<<) are not part", (2, 5)),
        ("? [a, b]\n: c\n", "a key must be a plain word", (1, 3)),
        ("a: &x 1\n*x : 2\n", "a key must be a plain word", (2, 1)),
        ("a: *nowhere\n", "alias *nowhere stands before or inside its anchor", (1, 4)),
        ("a: &x [1, *x]\n", "alias *x stands before or inside its anchor", (1, 11)),
        # A character that no text has: at its own place.
        ("a: 1\nbc: \x01\n", "control characters", (2, 5)),
        ("\x00" * 100, "control characters", (1, 1)),
    ],
)
def test_what_is_no_plain_yaml_is_refused_at_its_place(text: str, words: str, place: tuple[int, int]) -> None:
    message, line, column = fault(text)
    assert words in message
    assert (line, column) == place
    assert "\n" not in message


def test_nesting_is_bounded() -> None:
    depth = DEEPEST_NESTING - 1
    assert value_of("a: " + "[" * depth + "]" * depth) is not None
    message, line, _ = fault("a: " + "[" * 10_000)
    assert (message, line) == (f"is nested more than {DEEPEST_NESTING} deep", 1)


@pytest.mark.slow
def test_the_number_of_values_is_bounded() -> None:
    many = "[" + ", ".join(["1"] * (MOST_VALUES // 2)) + "]"
    assert len(value_of(f"a: {many}")["a"]) == MOST_VALUES // 2
    message, *_ = fault(f"a: {many}\nb: {many}\n")
    assert f"more than {MOST_VALUES:,} values" in message


def test_aliases_count_at_their_expanded_size() -> None:
    ten = ["a0: &a0 [" + ", ".join(["lol"] * 10) + "]"]
    ten += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]" for i in range(1, 10)]
    message, line, _ = fault("\n".join(ten))
    assert "values once its aliases are expanded" in message
    # 10, 100, … values: the sum passes 200,000 in the sixth line.
    assert line == 6


@examples(150)
@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"%@`#,? \n\t0.~<"), max_size=40))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        places = [Location(FILE, 1, 1)] if parse_source(text, FILE).value is not None else []
    except SpecError as error:
        places = [problem.location for problem in error.problems if problem.location]
    assert len(places) == 1
    assert 1 <= places[0].line <= text.count("\n") + 2


# --- files


def large(path: Path) -> None:
    path.write_text("a: " + "x" * LARGEST_FILE)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Path.mkdir, "is a directory"),
        (lambda path: None, "there is no file"),
        (large, "is larger than 1 MiB"),
    ],
    ids=["directory", "missing", "large"],
)
def test_what_is_no_file_of_text_is_a_wrong_argument(make: Callable[[Path], None], words: str, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    make(path)
    with pytest.raises(UsageError) as caught:
        read_source(path, "shown/net.yaml")
    assert words in str(caught.value)
    assert "shown/net.yaml" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_name_that_is_too_long_is_a_wrong_argument() -> None:
    with pytest.raises(UsageError, match="name too long"):
        read_source(Path("n" * 300 + ".yaml"))


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", (1, 1)),
        (b"name: net\ntitle: caf\xe9\n", (2, 11)),  # Latin-1
        ("name: net".encode("utf-16"), (1, 1)),
    ],
    ids=["png", "latin-1", "utf-16"],
)
def test_a_file_that_is_no_text_is_refused_where_it_ceases_to_be(
    data: bytes, place: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(data)
    with pytest.raises(SpecError) as caught:
        read_source(path, FILE)
    (problem,) = caught.value.problems
    assert problem.message == "is not a text file in UTF-8"
    assert problem.location == Location(FILE, *place)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("name: net\n", encoding="utf-8-sig")
    assert read_source(path).value == {"name": "net"}


def test_a_file_is_shown_as_the_user_named_it(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text("name: net\n")
    assert read_source(path).file == str(path)
    assert read_source(path, "specs/net.yaml").file == "specs/net.yaml"
