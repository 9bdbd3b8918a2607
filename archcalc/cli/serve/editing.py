"""Functions for the editor: faults as one types, completion, help and format, all read off the spec's own schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from archcalc.cli.problems import problems_in
from archcalc.cli.serve.faults import as_error
from archcalc.cli.serve.requests import MOST_LAYERS, TEXT, Request, Source
from archcalc.core.errors import ArchcalcError, Problem, SpecError, UsageError
from archcalc.design.lint.lint import lint
from archcalc.spec.build import network_names
from archcalc.spec.load import prelude
from archcalc.spec.schema import json_schema
from archcalc.spec.source import LARGEST_FILE, parse_source
from archcalc.spec.spec import Spec
from archcalc.spec.tidy import tidied

#: The text of a flow mapping or of a list around the cursor is looked for in so many lines above it.
_LINES_ABOVE = 200
_MOST_LINES = 200_000
_KEY = re.compile(r"(?P<indent>[ ]*)(?P<dashes>(?:- +)*)(?P<key>[\w\"'-]+)\s*:(?:\s|$)")
_SIZE = re.compile(r"^input:[ \t]*[\"']?(\d+(?:x\d+)*)", re.MULTILINE)
_WORD = re.compile(r"[\w@.-]*$")
#: The keys of a step that are no settings of an op.
_FORMS = ("Repeat", "ForEach", "Branches", "Output")


def validate(request: Request) -> dict[str, Any]:
    """What is wrong with every network of a text (an error), and what its sizing rules say (warnings)."""
    source = request.source()
    spec, _, _ = source.spec()
    problems = problems_in(spec, TEXT, MOST_LAYERS) if source.is_yaml and not _is_good(source, spec) else []
    if problems:
        raise SpecError(problems)
    analysis = source.analyse()
    warnings = []
    for one in lint(analysis):
        # A layer of a shipped block is in no text that can be changed here.
        if one.location is not None and one.location.file == spec.source.file:
            place = one.location if source.is_yaml or source.is_pattern else None
            problem = Problem(f"{one.finding.message} [{one.rule.id}]", place, one.layer, (one.finding.change,))
            warnings.append(as_error(problem, source.text, "warning"))
    return {"warnings": warnings}


def _is_good(source: Source, spec: Spec) -> bool:
    """Whether the only network of a spec is analysed as it stands, which shows all that `problems_in` would find."""
    if source.size or source.parameters != "{}" or len(network_names(spec)) > 1:
        return False
    try:
        source.analyse()
    except ArchcalcError:
        return False
    return True


# --- where the cursor is


class Place(NamedTuple):
    """The keys around the cursor, outermost first, the word before it, and whether a value is written there."""

    path: tuple[str, ...]
    word: str
    start: int
    is_value: bool
    key: str = ""


def place(text: str, line: int, column: int) -> Place:
    """What the cursor stands in, read line by line: a text that is being typed is seldom valid YAML."""
    lines = text.splitlines() or [""]
    if not 1 <= line <= len(lines) + 1:
        raise UsageError(f"'line' is a line of the text, from 1 to {len(lines):,}")
    before = (lines[line - 1] if line <= len(lines) else "")[: column - 1]
    found = _WORD.search(before)
    word = found[0] if found else ""
    start = len(before) - len(word)
    head = before[:start]
    above = lines[max(0, line - 1 - _LINES_ABOVE) : line - 1]
    path = list(_outer(above, before))
    open_text = _open_braces(head)
    for owner, _ in open_text:
        path.append(owner)
    rest = open_text[-1][1] if open_text else re.sub(r"^\s*(?:- +)*", "", head)
    rest = rest.rpartition(",")[2] if open_text else rest
    own = re.match(r"\s*[\"']?([\w-]+)[\"']?\s*:\s*(.*)$", rest)
    if own is not None and not open_text and own[2].strip().startswith("["):
        return Place((*path, own[1]), word, start + 1, False)
    return Place(tuple(path), word, start + 1, own is not None, own[1] if own else "")


def _outer(above: list[str], current: str) -> Iterator[str]:
    """The keys of the mappings that a line stands in, by its indentation, outermost first."""
    indent = len(current) - len(current.lstrip(" "))
    keys: list[str] = []
    for line in reversed(above):
        match = _KEY.match(line)
        if match is None:
            continue
        own = len(match["indent"]) + len(match["dashes"])
        # The item of a list stands under its key, at the same column too.
        at = len(match["indent"])
        is_item_of = current.lstrip().startswith("-") and own == indent and not match["dashes"]
        if own < indent or is_item_of:
            keys.append(match["key"].strip("\"'"))
            indent = at if match["dashes"] else own
            current = line
        if not indent and not line.lstrip().startswith("-"):
            break
    return reversed(keys)


def _open_braces(head: str) -> list[tuple[str, str]]:
    """Every brace of a line that is still open: the key before it, and what follows it."""
    found: list[tuple[str, str]] = []
    starts: list[int] = []
    for position, sign in enumerate(head):
        if sign == "{":
            starts.append(position)
        elif sign == "}" and starts:
            starts.pop()
    for position in starts:
        owner = re.search(r"([\w-]+)\s*:\s*$", head[:position])
        found.append((owner[1] if owner else "", head[position + 1 :]))
    return found


# --- what may stand there


@cache
def _schema() -> Mapping[str, Any]:
    return json_schema()


@cache
def _steps() -> Mapping[str, Any]:
    """Ops and shipped blocks by name, each with the schema of its settings."""
    steps: Mapping[str, Any] = _schema()["$defs"]["Step"]["properties"]
    return steps


def _keys_at(where: Place, own_blocks: Mapping[str, list[str]]) -> dict[str, Any]:
    """The keys that a mapping may have, each with its schema."""
    path = where.path
    if not path:
        return dict(_schema()["properties"])
    last = path[-1]
    if last in own_blocks and path[0] != "blocks":
        shared = {key: one for key, one in _steps()["relu"]["properties"].items() if key in _step_keys()}
        return {**{name: {} for name in own_blocks[last]}, **shared}
    if last in _steps() and path[0] != "parameters":
        return dict(_steps()[last]["properties"])
    definitions = _schema()["$defs"]
    named = {"paper": "Paper", "parameters": "", "networks": "", "variants": "", "blocks": ""}
    parents = {"blocks": "Block", "networks": "Variant", "variants": "Variant", "outputs": "LayerOutput",
               "parameters": "Parameter"}  # fmt: skip
    if len(path) >= 2 and path[-2] in parents:
        return dict(definitions[parents[path[-2]]]["properties"])
    if last in named:
        return dict(definitions[named[last]]["properties"]) if named[last] else {}
    return {}


def _step_keys() -> set[str]:
    """The keys that every step may have."""
    return set(_steps()["relu"]["properties"]) & set(_steps()["flatten"]["properties"])


def _is_list_of_layers(path: tuple[str, ...], own_blocks: Mapping[str, Any]) -> bool:
    return bool(path) and path[-1] not in _steps() and path[-1] not in own_blocks and (
        path[-1] in ("layers", "branches") or (len(path) > 1 and path[-2] == "branches")
    )  # fmt: skip


def _own_blocks(text: str) -> dict[str, list[str]]:
    """The blocks of the text and the names of their parameters; none where it cannot be read yet."""
    try:
        value = parse_source(text, "text").value
        blocks = value.get("blocks") if isinstance(value, dict) else None
    except SpecError:
        # While it is typed, the names are found by their indentation.
        section = re.search(r"^blocks:[^\n]*\n((?:[ \t#][^\n]*\n|\n)*)", text, re.MULTILINE)
        return {name: [] for name in re.findall(r"^  ([\w.-]+):", section[1], re.MULTILINE)} if section else {}
    if not isinstance(blocks, dict):
        return {}
    return {
        name: list(map(str, block.get("parameters") or ())) if isinstance(block, dict) else []
        for name, block in blocks.items()
    }


def complete(request: Request) -> dict[str, Any]:
    """What may be written at the cursor."""
    where, text = _where(request)
    blocks = _own_blocks(text)
    if where.is_value:
        items = list(_values(where, blocks))
    elif _is_list_of_layers(where.path, blocks):
        items = list(_layers(blocks, _axes(text)))
    else:
        items = [_key_item(name, schema) for name, schema in _keys_at(where, blocks).items()]
    wanted = where.word.lower()
    return {
        "from": where.start,
        "items": [item for item in items if wanted in item["label"].lower() and item["label"] != where.word],
    }


def _where(request: Request) -> tuple[Place, str]:
    text = request.text("text", LARGEST_FILE)
    line, column = request.number("line", 1, _MOST_LINES), request.number("column", 1, LARGEST_FILE)
    return place(text, line, column), text


def _key_item(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    default = f"default {_shown(schema['default'])}" if schema.get("default") is not None else ""
    return {
        "label": name, "kind": "property", "detail": default or _types(schema), "info": schema.get("description") or "",
        "apply": f"{name}: ",
    }  # fmt: skip


def _axes(text: str) -> int:
    """How many position axes the input of a text has: 2 for 32x32x3; 0 where it does not say so."""
    written = _SIZE.search(text)
    return written[1].count("x") if written else 0


def _layers(own_blocks: Mapping[str, list[str]], axes: int) -> Iterator[dict[str, Any]]:
    """Blocks, ops and forms; `boost` is larger for what is to stand first among equally good words."""
    for name, parameters in own_blocks.items():
        yield {
            "label": name, "kind": "class", "detail": f"block of this file: {', '.join(parameters)}".rstrip(": "),
            "info": "", "apply": f"{name}: {{}}" if parameters else name,
        }  # fmt: skip
    for name, schema in _steps().items():
        required = list(schema.get("required", ()))
        settings = ", ".join(f"{one}: " for one in required)
        kind = "class" if name in prelude() else "function"
        fits = name.endswith(f"{axes}d")
        yield {
            "label": name, "kind": kind, "detail": ", ".join(required), "info": _summary(schema),
            "apply": f"{name}: {{{settings.rstrip()}}}" if required else name,
            "boost": 2 * fits + (kind == "function"),
        }  # fmt: skip
    for form in _FORMS:
        schema = _schema()["$defs"][form]
        yield {
            "label": schema["required"][0] if form != "Repeat" else "repeat", "kind": "keyword",
            "detail": ", ".join(schema["properties"]), "info": "", "apply": f"{next(iter(schema['properties']))}: ",
        }  # fmt: skip


def _values(where: Place, own_blocks: Mapping[str, list[str]]) -> Iterator[dict[str, Any]]:
    """The words that a value may be."""
    if where.key == "block":
        names = [*own_blocks, *prelude()]
    elif where.key == "merge":
        names = _schema()["$defs"]["Branches"]["properties"]["merge"]["enum"]
    else:
        names = list(dict.fromkeys(_words(_keys_at(where, own_blocks).get(where.key, {}))))
    for name in names:
        yield {"label": str(name), "kind": "enum", "detail": "", "info": "", "apply": str(name)}


def _words(schema: Any) -> Iterator[str]:
    """The words of a schema: those of `enum`, true and false."""
    if isinstance(schema, Mapping):
        yield from (_shown(one) for one in schema.get("enum", ()))
        if schema.get("type") == "boolean":
            yield from ("true", "false")
        for inner in schema.get("anyOf", ()):
            yield from _words(inner)


def _types(schema: Mapping[str, Any]) -> str:
    words = list(dict.fromkeys(_words(schema)))
    return " | ".join(words[:8])


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _summary(schema: Mapping[str, Any]) -> str:
    """The description as plain text: a line for each paragraph, without the marks of Markdown."""
    paragraphs = re.split(r"\n\s*\n", str(schema.get("description", "")).replace("`", ""))
    return "\n".join(" ".join(one.split()) for one in paragraphs).strip()


def hover(request: Request) -> dict[str, Any]:
    """Help on the word under the cursor, or null."""
    text = request.text("text", LARGEST_FILE)
    line, column = request.number("line", 1, _MOST_LINES), request.number("column", 1, LARGEST_FILE)
    lines = text.splitlines()
    current = lines[line - 1] if line <= len(lines) else ""
    word = next((one for one in re.finditer(r"[\w-]+", current) if one.start() < column <= one.end() + 1), None)
    if word is None:
        return {"text": None}
    where = place(text, line, word.start() + 1)
    name, blocks = word[0], _own_blocks(text)
    settings = _keys_at(where, blocks)
    if not where.is_value and name in settings:
        schema = settings[name]
        parts = [_summary(schema), _types(schema)]
        if schema.get("default") is not None:
            parts.append(f"default: {_shown(schema['default'])}")
        of = f"{where.path[-1]}.{name}" if where.path else name
        return {"text": "\n".join([of, *filter(None, parts)])}
    if name in blocks:
        return {"text": f"{name}: a block of this file\n{', '.join(blocks[name])}".rstrip()}
    if name in _steps():
        required = ", ".join(_steps()[name].get("required", ()))
        return {
            "text": "\n".join(filter(None, [name, _summary(_steps()[name]), f"needs {required}" if required else ""]))
        }
    return {"text": None}


def format_text(request: Request) -> dict[str, Any]:
    """The text with its spaces and its indentation in order."""
    text = request.text("text", LARGEST_FILE)
    source = Source(text)
    if source.is_yaml:
        return {"text": tidied(text)}
    return {"text": re.sub(r"\s*(?:->|→)\s*", " -> ", text.strip()) if source.is_pattern else text.strip()}
