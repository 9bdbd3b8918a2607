"""The language of messages: whole sentences, looked up in catalogues of GNU gettext.

`say` translates a sentence and fills in its values. Catalogues are `archcalc/locale/LANGUAGE/LC_MESSAGES/archcalc.po`;
what a catalogue lacks stays English. Mathematics and the names of layers are values, and stay as they are.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any
from unicodedata import bidirectional

if TYPE_CHECKING:
    from archcalc.core.translations import Translations

ENGLISH = "en"
#: The languages that messages are translated into, each as it calls itself.
LANGUAGES = {
    ENGLISH: "English", "ru": "русский", "he": "עברית", "hy": "հայերեն",
    "es": "español", "fr": "français", "de": "Deutsch", "zh": "中文",
}  # fmt: skip
#: Those whose catalogues hold the texts that are seen most; the others stay English.
PARTIAL = ("es", "fr", "de", "zh")
#: The others: in these nothing is in English. The page of the playground has texts of its own in them.
COMPLETE = tuple([name for name in LANGUAGES if name not in PARTIAL])
#: Those whose characters are in no shipped font.
WITHOUT_FONT = ("zh",)
#: Those that are written from right to left.
RIGHT_TO_LEFT = ("he",)
#: Around a text from left to right in one from right to left: Unicode's isolates (UAX #9, section 2.4).
_OPEN, _RIGHT, _CLOSE = "\u2066", "\u2067", "\u2069"

#: A part that is set apart.
_PART = re.compile(f"{_OPEN}[^{_OPEN}-{_CLOSE}]*{_CLOSE}")

#: What stands for an isolate: marks are letters without a width that are written from left to right, or the other way.
#: After a value the second one lets a number that follows take its place in the line.
_MARKS = {_OPEN: "\u200e", _RIGHT: "\u200f", _CLOSE: "\u200e\u200f"}
#: Between two layers that run one after the other.
THEN, THEN_TURNED = " → ", " ← "
ISOLATES = _OPEN + _RIGHT + _CLOSE

_chosen: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language() -> str:
    """The language that messages are in."""
    return _chosen.get()


def use(name: str) -> None:
    """Take a language of `LANGUAGES` for all messages that follow. Raises `KeyError` for another one."""
    LANGUAGES[name]
    _chosen.set(name)


def of_environment() -> str:
    """The language that LC_ALL asks for; English where it is not known."""
    wanted = os.environ.get("LC_ALL", "").partition("_")[0].partition(".")[0].lower()
    return wanted if wanted in LANGUAGES else ENGLISH


def direction() -> str:
    """The direction of the language for a page: ltr or rtl."""
    return "rtl" if language() in RIGHT_TO_LEFT else "ltr"


def say(message: str, /, **values: Any) -> str:
    """A message in the chosen language, with its values.

    >>> say("the padding is missing. {layer} pads {pads}.", layer="conv2", pads="by 2 on each side")
    'the padding is missing. conv2 pads by 2 on each side.'
    """
    name = _chosen.get()
    if name != ENGLISH:
        message = _catalogue(name).one(message)
    return _filled(message, values, name)


def say_many(one: str, many: str, count: int, /, **values: Any) -> str:
    """A message with a number in it, in the form that the language has for that number; `{count}` is the number."""
    name = _chosen.get()
    message = (one if count == 1 else many) if name == ENGLISH else _catalogue(name).many(one, many, count)
    return _filled(message, {"count": count, **values}, name)


def apart(text: object) -> str:
    """A formula, size or name as text from left to right, where the language runs from right to left."""
    return _ISOLATING.format_field(text, "") if language() in RIGHT_TO_LEFT else str(text)


def formula(text: str) -> str:
    """Mathematics from left to right whatever words stand in it, where the language runs from right to left."""
    return f"{_OPEN}{text}{_CLOSE}" if language() in RIGHT_TO_LEFT else text


def with_value(name: str, value: object) -> str:
    """A name in the chosen language and the value next to it: conv 11×11; the name alone where there is no value."""
    return f"{say(name)} {apart(value)}".rstrip()


def sets_apart(text: str) -> bool:
    """Whether isolates in a text are those of its language, and each is closed; others come from names."""
    if language() not in RIGHT_TO_LEFT:
        return False
    open_ones = 0
    for sign in text:
        open_ones += (sign in (_OPEN, _RIGHT)) - (sign == _CLOSE)
        if open_ones < 0:
            return False
    return open_ones == 0


def turned(text: str) -> str:
    """A line that runs from right to left, set apart as such where it stands in a picture from left to right."""
    return f"{_RIGHT}{text}{_CLOSE}" if language() in RIGHT_TO_LEFT and is_turned(text) else text


def balanced(parts: Sequence[str]) -> list[str]:
    """Parts of one text, each of which closes what it sets apart, and goes on with what the one before it had open."""
    found, before = [], ""
    for part in parts:
        whole, opened = before + part, []
        for sign in whole:
            if sign in (_OPEN, _RIGHT):
                opened.append(sign)
            elif sign == _CLOSE and opened:
                opened.pop()
        found.append(whole + _CLOSE * len(opened))
        before = "".join(opened)
    return found


def with_marks(text: str) -> str:
    """A text for slides: marks of direction (UAX #9, section 2.6), which are older than isolates, in their place.

    Not every program orders parts within parts, so there should be none.
    """
    if language() not in RIGHT_TO_LEFT:
        return text
    found: list[str] = []
    opened: list[str] = []
    for sign in text:
        if sign in (_OPEN, _RIGHT):
            opened.append(sign)
        from_right = sign == _CLOSE and not (opened and opened.pop() == _OPEN)
        found.append(_MARKS[_RIGHT] if from_right else _MARKS.get(sign, sign))
    return "".join(found)


def without_isolates(text: str) -> str:
    """A text for programs, without the signs that set parts apart."""
    return text.replace(_OPEN, "").replace(_RIGHT, "").replace(_CLOSE, "")


def cells_apart(cells: Sequence[str]) -> list[str]:
    """The cells of a line, each set apart where the language runs from right to left, so that none joins the next."""
    if language() not in RIGHT_TO_LEFT:
        return list(cells)
    return [f"{_RIGHT if is_turned(cell) else _OPEN}{cell}{_CLOSE}" if cell else cell for cell in cells]


def chain(parts: Sequence[str]) -> str:
    """Layers that run one after the other, in the direction of the language: conv 3×3 → ReLU.

    An empty first part stands for a line before: → ReLU.
    """
    if not parts[1:]:
        return parts[0]
    if language() not in RIGHT_TO_LEFT:
        return THEN.join(parts).lstrip()
    return f"{_RIGHT}{THEN_TURNED.join(cells_apart(parts)).lstrip()}{_CLOSE}"


def is_chain(text: str) -> bool:
    """Whether a line is, or has, a chain."""
    return (THEN_TURNED if language() in RIGHT_TO_LEFT else THEN).strip() in text


def all_of(parts: Sequence[str]) -> str:
    """The parts, with `and` before the last: a, b and c."""
    return _joined(parts, say(" and "))


def one_of(parts: Sequence[str]) -> str:
    """The parts, with `or` before the last: a, b or c."""
    return _joined(parts, say(" or "))


def _joined(parts: Sequence[str], last: str) -> str:
    parts = [part if is_turned(part) else apart(part) for part in parts]
    if len(parts) > 1 and is_turned(parts[-1][:1]):
        last = last.removesuffix("־")  # in Hebrew a hyphen stands only before other letters
    return last.join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def mark(message: str) -> str:
    """A message that is translated later, by `say`: in a table that is made when the module is read."""
    return message


def _filled(message: str, values: dict[str, Any], name: str) -> str:
    if not values:
        return message
    return _ISOLATING.vformat(message, (), values) if name in RIGHT_TO_LEFT else message.format_map(values)


def is_turned(text: str) -> bool:
    """Whether a text has letters that are written from right to left, or a part that is set apart as such."""
    return any(bidirectional(sign) in ("R", "RLI") for sign in text)


class _Isolating(Formatter):
    """Fills in values so that formulas and names keep their order between words that run from right to left."""

    def format_field(self, value: Any, format_spec: str) -> str:
        text: str = super().format_field(value, format_spec)
        if is_turned(text):
            # A phrase of its own, with its own signs; a name that leaves one open would turn what follows.
            return text if sets_apart(text) else without_isolates(text)
        if _OPEN in text and not any(sign.isalnum() for sign in _PART.sub("", text)):
            return text  # parts that are set apart already, in the order of the language
        text = text.replace(_OPEN, "").replace(_CLOSE, "")
        return f"{_OPEN}{text}{_CLOSE}" if text else text


_ISOLATING = _Isolating()


@cache
def _catalogue(name: str) -> Translations:
    from archcalc.core.translations import Translations

    return Translations(Path(__file__).parents[1] / "locale" / name / "LC_MESSAGES" / "archcalc.po")
