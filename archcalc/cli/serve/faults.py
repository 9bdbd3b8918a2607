"""Errors as the page shows them: a message, its place in the text, and an edit that mends it where one is known."""

from __future__ import annotations

import re
from typing import Any

from archcalc.cli.serve.requests import MOST_LAYERS, TEXT
from archcalc.core.errors import Inline, Problem, SpecError
from archcalc.spec import values
from archcalc.spec.schema import json_schema

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
#: A setting that a layer lacks.
_LACKS = re.compile(r"(?P<op>\w+) needs (?P<key>\w+)")
#: A setting that changes nothing here.
_NEEDLESS = re.compile(r"\w+ has no setting '(?P<key>\w+)'[^\n]*; leave it out$", re.MULTILINE)
#: A layer as a line of its own: its op alone, with a flow mapping, or above its settings.
_LAYER = r"^(?P<indent>\s*(?:- +)*){op}(?P<colon>\s*:)?\s*(?:#.*)?$"
#: A spec that lacks one of the two names of its network.
_NEEDS = re.compile(r"needs '(name|title)'")
_WORDS = r"""[ \t]*("[^"\\\n]+"|'[^'\n]+'|[^\W\d_](?:[\w .+@-]{0,98}[\w.+@-])?)[ \t]*(?:#.*)?$"""
_OTHER = {
    "name": re.compile(rf"^title:{_WORDS}", re.MULTILINE),
    "title": re.compile(rf"^name:{_WORDS}", re.MULTILINE),
}
#: A fault of a whole file is said of its name, which a text does not have.
_OF_THE_FILE = ("is ", "holds ")
#: A size as a list: `input: [32, 32, 3]`.
_LISTED = re.compile(r"input: should be a word or text, not \[(?P<sizes>\d+(?:, \d+)*)\]")
_LIST = re.compile(r"^(input:[ \t]*)(\[[^\]\n]*\])", re.MULTILINE)
_INPUT = re.compile(r"^(input:[ \t]*)([^\s#]+)", re.MULTILINE)
#: What mends a text that is no YAML.
_NO_YAML = re.compile(
    r"begin it in column (?P<begin>\d+)|close it with (?P<close>.)|(?P<space>a space is missing)|"
    r"(?P<comma>a comma is missing before \w)"
)
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
    if is_own and problem.message.startswith(_OF_THE_FILE):
        head = "the spec "
    found: dict[str, Any] = {
        "message": "\n".join([f"{head}{problem.message.replace(*_LIMITS)}", *problem.details]).replace(
            "--input ", "input "
        ),
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
    if "is not valid YAML" in found["message"]:
        return _as_yaml(found, text)
    needs = _NEEDS.fullmatch(found["message"])
    if needs is not None:
        return _named(text, needs[1])
    lacks = _LACKS.fullmatch(found["message"])
    if lacks is not None and "line" in found:
        return _added(found, text, lacks["op"], lacks["key"])
    needless = _NEEDLESS.search(found["message"])
    if needless is not None and "line" in found:
        return _without(found, text, needless["key"])
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
    listed = _LISTED.match(found["message"])
    if listed is not None:
        return _edit(text, _LIST.search(text), 2, listed["sizes"].replace(", ", "x"))
    setting = _SETTING.search(found["message"])
    return _set(found, text, setting["key"], setting["value"]) if setting is not None and "line" in found else None


def _as_yaml(found: dict[str, Any], text: str) -> dict[str, Any] | None:
    """The edit that makes a text YAML at this place."""
    meant = _NO_YAML.search(found["message"])
    if meant is None or "line" not in found:
        return None
    number, at = found["line"], found["column"] - 1
    line = _line(text, number)
    if at > len(line) or (meant["begin"] and (line[:at].strip() or not line.strip())):
        return None  # the place is in another text, as that of a second network
    if meant["begin"]:
        return _moved(text, number, int(meant["begin"]) - 1)
    if meant["space"]:
        return _put(number, at, at, " ", "Add a space")
    if meant["comma"]:
        at = len(line[:at].rstrip())
        return _put(number, at, at, ",", "Add a comma")
    sign = meant["close"]
    if line[at : at + 1] in ("]", "}"):
        return _put(number, at, at + 1, sign, f"Replace {line[at]} by {sign}")
    end = len(line.rstrip())
    return None if "#" in line else _put(number, end, end, sign, f"Add {sign}")


def _moved(text: str, number: int, column: int) -> dict[str, Any]:
    """The edit that gives a line its indentation, with what is deeper, and with the items of its list that follow."""
    lines = text.splitlines()
    own = len(lines[number - 1]) - len(lines[number - 1].lstrip())
    is_item = lines[number - 1][own : own + 1] == "-"
    end = number
    while end < len(lines):
        indent = len(lines[end]) - len(lines[end].lstrip())
        if lines[end].strip() and (indent < own or (indent == own and not (is_item and lines[end][own] == "-"))):
            break
        end += 1
    moved = lines[number - 1 : end]
    new = [" " * (column - own) + one if column > own else one[own - column :] for one in moved]
    new = [one if before.strip() else before for one, before in zip(new, moved, strict=True)]
    found = _put(number, 0, len(moved[-1]), "\n".join(new), f"Begin in column {column + 1}")
    return found | {"end_line": end}


def _put(line: int, start: int, end: int, text: str, title: str) -> dict[str, Any]:
    """An edit within one line; columns from 0."""
    return {
        "title": title, "text": text, "line": line, "column": start + 1, "end_line": line, "end_column": end + 1,
    }  # fmt: skip


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


def _added(found: dict[str, Any], text: str, op: str, key: str) -> dict[str, Any] | None:
    """The edit that adds a setting to a layer, with the value of the nearest layer of its kind, else 1 for a number."""
    number = found["line"]
    lines = text.splitlines()
    other = re.compile(rf"(?<![\w-]){op}:\s*\{{[^}}]*?(?<![\w-]){key}:\s*(\d[\w.]*|\[[\d, ]+\])")
    values = [(abs(place - number), match[1]) for place, line in enumerate(lines, 1) if (match := other.search(line))]
    value = min(values)[1] if values else "1" if _is_number(op, key) else None
    layer = re.match(_LAYER.format(op=op), _line(text, number))
    if value is None or layer is None:
        return None if value is None else _set(found, text, key, value, adds=True)
    inner = len(layer["indent"]) + 2
    below = re.match(rf"( {{{inner},}})\S", _line(text, number + 1)) if layer["colon"] else None
    at = layer.end("colon" if layer["colon"] else "indent") + (0 if layer["colon"] else len(op))
    head = "" if layer["colon"] else ":"
    new = f"{head}\n{below[1]}{key}: {value}" if below else f"{head} {{{key}: {value}}}"
    return {
        "title": f"Add {key}: {value}", "text": new, "line": number, "column": at + 1, "end_line": number,
        "end_column": at + 1,
    }  # fmt: skip


def _without(found: dict[str, Any], text: str, key: str) -> dict[str, Any] | None:
    """The edit that takes a setting out of a flow mapping."""
    number = found["line"]
    entry = rf"(?<![\w-]){key}:\s*(?:\[[^\]]*\]|[^\s,{{}}]+)"
    written = re.search(rf",\s*{entry}(?=\s*[,}}])|(?<={{)\s*{entry}(?:\s*,\s*|(?=\s*}}))", _line(text, number))
    if written is None:
        return None
    return {
        "title": f"Leave out {key}", "text": "", "line": number, "column": written.start() + 1, "end_line": number,
        "end_column": written.end() + 1,
    }  # fmt: skip


def _is_number(op: str, key: str) -> bool:
    """Whether a setting of an op or shipped block may be a whole number, by the schema of specs."""
    settings = json_schema()["$defs"]["Step"]["properties"].get(op, {}).get("properties", {})
    return key in settings and (not settings[key].get("anyOf") or "integer" in _types(settings[key]))


def _types(schema: Any) -> set[str]:
    """The types of a schema's alternatives."""
    inner = schema.get("anyOf", ())
    return {str(schema.get("type"))} if not inner else set().union(*map(_types, inner))


def _set(found: dict[str, Any], text: str, key: str, value: str, *, adds: bool = False) -> dict[str, Any] | None:
    """The edit that gives a setting to the only flow mapping of a line: its value, or a new entry at the end."""
    line, number = _line(text, found["line"]), found["line"]
    if line.count("{") != 1 or line.count("}") != 1:
        return None
    written = re.search(rf"(?<![\w-]){key}:\s*(\[[^\]]*\]|[^\s,}}]+)", line)
    at = written.span(1) if written else (line.index("}"), line.index("}"))
    new = value if written else f"{', ' if line[: at[0]].rstrip()[-1] != '{' else ''}{key}: {value}"
    return {
        "title": f"Add {key}: {value}" if adds else f"Set {key} to {value}", "text": new, "line": number,
        "column": at[0] + 1, "end_line": number, "end_column": at[1] + 1,
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
