"""Errors as the page shows them: a message, its place in the text, and an edit that mends it where one is known."""

from __future__ import annotations

import re
from typing import Any

from archcalc.cli.serve.requests import MOST_LAYERS, TEXT
from archcalc.core.errors import Inline, Problem, SpecError
from archcalc.spec import values

#: `… 'kernal_size'; did you mean kernel_size or kernel?`: what stands there, and what may be meant.
_MEANT = re.compile(r"'(?P<wrong>[^'\n]{1,80})'.*?; did you mean (?P<right>[^\n]+?)\?", re.DOTALL)
#: The hint of an input that fits.
_INPUTS = re.compile(
    r"(?:network inputs near \S+ that work|smallest (?:square |cubic )?network input that works): (.+)"
)
#: A setting with which a layer would fit, and where it stands in a flow mapping.
_SETTING = re.compile(r"it fits with (?P<key>\w+): (?P<value>[\w.×x-]+)")
#: A number out of its range, and its nearest end.
_LIMIT = re.compile(
    r"should be at (?:least|most) (?P<right>-?\d+(?:\.\d+)?), not (?P<wrong>-?\d+(?:\.\d+)?)$", re.MULTILINE
)
#: `maxpool: 2`, and how it is written.
_EXAMPLE = re.compile(r"must be a mapping\nfor example (?P<right>\w+: \{[^}\n]+\})")
#: A spec that lacks one of the two names of its network.
_NEEDS = re.compile(r"needs '(name|title)'")
_WORDS = r"""[ \t]*("[^"\\\n]+"|'[^'\n]+'|[^\W\d_](?:[\w .+@-]{0,98}[\w.+@-])?)[ \t]*(?:#.*)?$"""
_OTHER = {
    "name": re.compile(rf"^title:{_WORDS}", re.MULTILINE),
    "title": re.compile(rf"^name:{_WORDS}", re.MULTILINE),
}
_INPUT = re.compile(r"^(input:[ \t]*)([^\s#]+)", re.MULTILINE)
_MOST = 50
#: The layers that a network may have at all, and those that it may have here.
_LIMITS = f"{values.MOST_LAYERS:,} layers that a network may have", f"{MOST_LAYERS:,} layers that the playground takes"


def as_errors(error: Exception, text: str = "", severity: str = "error") -> list[dict[str, Any]]:
    """The faults of an exception; `text` is what the places are in."""
    problems = error.problems if isinstance(error, SpecError) else (Problem(str(error)),)
    return [as_error(problem, text, severity) for problem in problems[:_MOST]]


def as_error(problem: Problem, text: str = "", severity: str = "error") -> dict[str, Any]:
    """One fault. A place in another file than the text is a part of the message."""
    place = problem.location
    is_own = place is not None and place.line > 0 and (place.file == TEXT or isinstance(place.file, Inline))
    head = f"{place}: " if place and not is_own else ""
    found: dict[str, Any] = {
        "message": "\n".join([f"{head}{problem.message.replace(*_LIMITS)}", *problem.details]),
        "severity": severity,
    }
    if problem.layer is not None:
        found["layer"] = problem.layer.partition('" (')[0].strip('"')
    if place is not None and is_own:
        line, column = place.line, place.column
        found |= {"line": line, "column": column, "end_line": line, "end_column": column + _width(text, line, column)}
    fix = _fix(found, text)
    return found | ({"fix": fix} if fix else {})


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _width(text: str, line: int, column: int) -> int:
    """How many characters the word has that stands there; at least 1."""
    word = re.match(r"[\"']?[\w.@/-]+[\"']?", _line(text, line)[column - 1 :])
    return len(word[0]) if word else 1


def _fix(found: dict[str, Any], text: str) -> dict[str, Any] | None:
    """The edit that a hint proposes, where what it replaces is found."""
    needs = _NEEDS.fullmatch(found["message"])
    if needs is not None:
        return _named(text, needs[1])
    meant = _MEANT.search(found["message"])
    if meant is not None:
        right = meant["right"].split(" or ")[0].strip()
        numbers = re.fullmatch(r"[a-zA-Z_]+(\d.*)", meant["wrong"])
        if numbers is not None and right.isalpha() and "as a layer" in found["message"]:
            right += numbers[1]  # fcc10 is fc10
        return _replaced(found, text, meant["wrong"], right)
    limit = _LIMIT.search(found["message"])
    if limit is not None and "line" in found:
        return _replaced(found, text, limit["wrong"], limit["right"])
    example = _EXAMPLE.search(found["message"])
    if example is not None and "line" in found:
        step = re.match(r"\s*- (\w+: [\w.]+|\w+: \[[\d, ]+\])\s*(?:#.*)?$", _line(text, found["line"]))
        return _replaced(found | {"column": 1}, text, step[1], example["right"]) if step else None
    inputs = _INPUTS.search(found["message"])
    written = _INPUT.findall(text)
    if inputs is not None and len(written) == 1:
        size = inputs[1].split(" and ")[0].strip().replace("×", "x")
        return _edit(text, _INPUT.search(text), 2, size)
    setting = _SETTING.search(found["message"])
    return _set(found, text, setting["key"], setting["value"]) if setting is not None and "line" in found else None


def _named(text: str, key: str) -> dict[str, Any] | None:
    """The edit that adds the name or the title of a network below the other one, and made of it."""
    written = _OTHER[key].search(text)
    if written is None:
        return None
    words = written[1].strip("\"'")
    value = written[1] if key == "title" else re.sub(r"\W+", "_", words.lower()).strip("_")
    line, column = text.count("\n", 0, written.start()) + 1, len(written[0]) + 1
    return {
        "title": f"Add {key}: {value}", "text": f"\n{key}: {value}", "line": line, "column": column,
        "end_line": line, "end_column": column,
    }  # fmt: skip


def _set(found: dict[str, Any], text: str, key: str, value: str) -> dict[str, Any] | None:
    """The edit that gives a setting to the only flow mapping of a line: its value, or a new entry at the end."""
    line, number = _line(text, found["line"]), found["line"]
    if line.count("{") != 1 or line.count("}") != 1:
        return None
    written = re.search(rf"(?<![\w-]){key}:\s*(\[[^\]]*\]|[^\s,}}]+)", line)
    at = written.span(1) if written else (line.index("}"), line.index("}"))
    new = value if written else f"{', ' if line[: at[0]].rstrip()[-1] != '{' else ''}{key}: {value}"
    return {
        "title": f"Set {key} to {value}", "text": new, "line": number, "column": at[0] + 1,
        "end_line": number, "end_column": at[1] + 1,
    }  # fmt: skip


def _replaced(found: dict[str, Any], text: str, wrong: str, right: str) -> dict[str, Any] | None:
    """The wrong word at the place of the fault, else where it stands alone in that line or text."""
    if "line" not in found:
        match = re.search(re.escape(wrong), text) if text.strip() == wrong else None
        return _edit(text, match, 0, right)
    number, line = found["line"], _line(text, found["line"])
    start = found["column"] - 1
    here = line.find(wrong, start, start + len(wrong) + 1)
    if here < 0:
        places = [match.start() for match in re.finditer(rf"(?<!\w){re.escape(wrong)}(?!\w)", line)]
        if len(places) != 1:
            return None
        here = places[0]
    return {
        "title": f"Replace {wrong} by {right}", "text": right, "line": number, "column": here + 1,
        "end_line": number, "end_column": here + 1 + len(wrong),
    }  # fmt: skip


def _edit(text: str, match: re.Match[str] | None, group: int, new: str) -> dict[str, Any] | None:
    """The edit that puts `new` in the place of a part of a match within one line."""
    if match is None:
        return None
    line = text.count("\n", 0, match.start(group)) + 1
    column = match.start(group) - (text.rfind("\n", 0, match.start(group)) + 1) + 1
    return {
        "title": f"Replace {match[group][:60]} by {new}", "text": new, "line": line, "column": column,
        "end_line": line, "end_column": column + len(match[group]),
    }  # fmt: skip
