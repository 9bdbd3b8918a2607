"""Messages in other languages: whole, with every value, and as the code has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from string import Formatter

import pytest
from babel.messages import Catalog

from archcalc.core import language
from archcalc.core.language import (
    ENGLISH,
    LANGUAGES,
    PARTIAL,
    all_of,
    chain,
    is_chain,
    is_turned,
    of_environment,
    one_of,
    say,
    say_many,
    turned,
    use,
    with_marks,
)
from archcalc.core.translations import Translations
from tests.core.messages import TRANSLATED, catalogue, extracted, literals, messages, path, update

#: Names that are the same in every language.
UNCHANGED = ("ELU", "GELU", "GLU", "Mish", "PReLU", "ReLU", "ReLU6", "SELU", "SiLU", "softmax")
#: How many messages a partial catalogue has at least.
LEAST = 540
#: The forms of a number and when they are taken, by CLDR 45; without that for whole millions, which no message has.
PLURALS: dict[str, tuple[int, Callable[[int], int]]] = {
    "es": (2, lambda n: n != 1),
    "fr": (2, lambda n: n > 1),
    "de": (2, lambda n: n != 1),
    "zh": (1, lambda _: 0),
}


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    yield
    use("en")


@pytest.fixture(scope="module")
def code() -> Catalog:
    return extracted()


def test_messages_are_found_wherever_they_stand() -> None:
    source = """f"{say('one')} {a or say('two')}" + say("thr" "ee") + say_many("four", "fours", 2)"""
    source += """ + say("five" if a else six)"""
    assert sorted(literals(source), key=str) == [("four", "fours"), "five", "one", "three", "two"]


@pytest.mark.parametrize("name", TRANSLATED)
def test_no_translation_is_missing(name: str, code: Catalog, request: pytest.FixtureRequest) -> None:
    """With --update the messages of the code are merged into the catalogues."""
    if request.config.getoption("update"):
        update(name)
    known = catalogue(name)
    assert {message.id for message in messages(known)} == {message.id for message in messages(code)}
    missing = [message.id for message in messages(known) if not all(_forms(message.string))]
    assert missing == []
    assert not any(message.fuzzy for message in messages(known))


@pytest.mark.parametrize("name", PARTIAL)
def test_a_partial_catalogue_holds_translations_alone(name: str, code: Catalog, request: pytest.FixtureRequest) -> None:
    """Each is of a message of the code, in all forms; with --update those whose message is gone are dropped."""
    if request.config.getoption("update"):
        update(name)
    known, (count, form_of) = catalogue(name), PLURALS[name]
    found = list(messages(known))
    assert len(found) >= LEAST
    assert {message.id for message in found} <= {message.id for message in messages(code)}
    assert [message.id for message in found if message.fuzzy or not all(_forms(message.string))] == []
    assert known.num_plurals == count
    assert {len(_forms(message.string)) for message in found if len(_forms(message.id)) > 1} == {count}
    numbers = range(200)
    assert list(map(Translations(path(name)).form_of, numbers)) == list(map(int, map(form_of, numbers)))


@pytest.mark.parametrize("name", [*TRANSLATED, *PARTIAL])
def test_a_catalogue_is_read_as_babel_reads_it(name: str) -> None:
    read, known = Translations(path(name)), catalogue(name)
    assert read.forms == {_forms(message.id)[0]: _forms(message.string) for message in messages(known)}
    assert known.num_plurals == 1 + max(map(read.form_of, range(200)))


def _forms(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (list, tuple)) else (str(text),)


def _fields(text: str) -> set[tuple[str, str | None, str | None]]:
    return {(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("name", [*TRANSLATED, *PARTIAL])
def test_every_translation_has_the_values_of_its_message(name: str) -> None:
    for message in messages(catalogue(name)):
        many = _forms(message.id)[-1]
        for form in _forms(message.string):
            without = _fields(many) - _fields(form)
            assert _fields(form) <= _fields(many), message.id
            # The form for one may leave out the number.
            assert not without or (len(_forms(message.id)) > 1 and {field[0] for field in without} == {"count"}), form


@pytest.mark.parametrize("name", [*TRANSLATED, *PARTIAL])
def test_every_translation_ends_and_is_spaced_as_its_message(name: str) -> None:
    ends = {".": ".։。", ":": ":՝", "": ""}
    for message in messages(catalogue(name)):
        source, form = _forms(message.id)[0], _forms(message.string)[0]
        # French has a space before a semicolon.
        assert source.startswith(" ") == form.startswith(" ") or (name, source[0]) == ("fr", ";"), source
        # A word that is written together with the next one ends in a hyphen in Hebrew.
        assert source.endswith(" ") == form.endswith((" ", "־")) or form.endswith(" "), source
        if source[-1] == "." and (name, source) != ("zh", "mult."):  # Chinese has no such short forms
            assert form[-1] in ends["."], form


@pytest.mark.parametrize("name", TRANSLATED)
def test_words_are_those_of_the_language(name: str) -> None:
    """Nothing is left in English but names that are the same everywhere."""
    letters = {"ru": "[а-яё]", "he": "[א-ת]", "hy": "[ա-և]"}[name]
    for message in messages(catalogue(name)):
        plain = re.sub(r"\{[^}]*\}", "", _forms(message.id)[0])
        if re.search(r"[a-z]{3}", plain):
            form = re.sub(r"\{[^}]*\}", "", _forms(message.string)[0])
            assert re.search(letters, form) or form in UNCHANGED, message.id


def test_what_runs_from_left_to_right_is_set_apart_in_hebrew() -> None:
    """A sign or a hyphen before a number, and a sign between two, would change sides."""
    option, sign = r"(?<![A-Za-z0-9}@-])--?[a-z]", r"(?:^|[:;,.] ?|[א-ת] )[+−/] ?[\dN{]"
    turned = re.compile(rf"{option}|{sign}|[\d}}@] [-+−=] [\d{{]|}}·\({{")
    for message in messages(catalogue("he")):
        for form in _forms(message.string):
            assert not turned.search(re.sub("\u2066[^\u2069]*\u2069", "@", form)), form


def test_english_needs_no_catalogue() -> None:
    assert say("the {words} alone.", words="filters") == "the filters alone."
    assert say("no {such} message", such="known") == "no known message"


def test_what_a_catalogue_lacks_stays_english() -> None:
    use("ru")
    assert say("no {such} message", such="known") == "no known message"


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 неверная ячейка"), (2, "2 неверные ячейки"), (5, "5 неверных ячеек")]
)
def test_plural_forms(count: int, words: str) -> None:
    use("ru")
    one = "1 wrong cell is judged, but why is not looked for: the budget of {most:,} steps is spent"
    many = "{count:,} wrong cells are judged, but why is not looked for: the budget of {most:,} steps is spent"
    assert say_many(one, many, count, most=9).startswith(words)


def test_formulas_keep_their_order_in_hebrew() -> None:
    """Each value that has no Hebrew letter is set apart as text from left to right."""
    use("he")
    text = say(
        "the padding is missing. {name} pads {padding}.", name="conv2", padding=say("by {total} in all", total="3×3")
    )
    assert "\u2066conv2\u2069" in text
    assert "\u20663×3\u2069" in text
    assert text.count("\u2066") == text.count("\u2069") == 2


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("", "en"),
        ("C", "en"),
        ("he_IL.UTF-8", "he"),
        ("hy", "hy"),
        ("ru_RU", "ru"),
        ("pt_BR.UTF-8", "en"),
        ("zh_CN.UTF-8", "zh"),
        ("de", "de"),
    ],
)
def test_the_environment_asks_for_a_language(value: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", value)
    assert of_environment() == name


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(KeyError):
        use("xx")
    assert language.language() == "en"
    assert set(LANGUAGES) == {ENGLISH, *TRANSLATED, *PARTIAL}


def test_a_name_turns_nothing_that_follows() -> None:
    use("he")
    text = say("the output of {layer}", layer="\u2066\u2066א")
    assert "\u2066" not in text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("437 M", "\u2066437 M\u2069"),
        ("\u2066140,800\u2069 · \u2066437 M\u2069", "\u2066140,800\u2069 · \u2066437 M\u2069"),
        ("conv \u20663×3\u2069", "\u2066conv 3×3\u2069"),
    ],
)
def test_parts_that_are_set_apart_run_in_the_direction_of_the_language(value: str, shown: str) -> None:
    use("he")
    assert say("total {sums}", sums=value).endswith(f" {shown}")


def test_lists() -> None:
    assert (all_of([]), all_of(["a"]), all_of(["a", "b"]), one_of(["a", "b", "c"])) == ("", "a", "a and b", "a, b or c")


@pytest.mark.parametrize(
    ("parts", "text"),
    [(["ReLU"], "ReLU"), (["ReLU", "LRN"], "ReLU → LRN"), (["", "ReLU"], "→ ReLU"), (["a", "b", "c"], "a → b → c")],
)
def test_a_chain_is_written_with_arrows(parts: list[str], text: str) -> None:
    assert chain(parts) == text


def test_a_chain_runs_in_the_direction_of_the_language() -> None:
    """In Hebrew from right to left, as the line in which it may stand; each layer is set apart, and none in another."""
    use("he")
    text = chain(["אחת", "ReLU", "שתיים"])
    assert text == "\u2067\u2067אחת\u2069 ← \u2066ReLU\u2069 ← \u2067שתיים\u2069\u2069"
    assert is_chain(text)
    assert is_turned(chain(["ReLU", "LRN"]))
    assert not is_chain("אחת \u20663×3\u2069")
    assert with_marks(text) == "\u200f\u200fאחת\u200f ← \u200eReLU\u200e\u200f ← \u200fשתיים\u200f\u200f"
    assert say("{layer}, output", layer=text).count(text) == 1
    # What follows a chain is part of its line.
    assert turned(f"{text} · a") == f"\u2067{text} · a\u2069"
