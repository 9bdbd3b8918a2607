"""The messages of the code, and the catalogues that translate them: extracted and merged with Babel."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import yaml
from babel.messages import Catalog, Message
from babel.messages.pofile import read_po, write_po

import archcalc
from archcalc.core.conventions import PRODUCTS
from archcalc.core.language import COMPLETE, ENGLISH, PARTIAL
from archcalc.core.quantities import OF_NETWORKS, QUANTITIES
from archcalc.core.shapes import AXES
from archcalc.core.words import forms
from archcalc.design.conventions import TOOLS
from archcalc.explain.derive.formats import UNITS
from archcalc.explain.derive.lift import AXIS_NAMES
from archcalc.explain.derive.network import SUMS
from archcalc.ops import OPS
from archcalc.ops.base import Pointwise
from archcalc.ops.windowed import side_names
from archcalc.spec.catalogue import SPECS
from archcalc.teach.check.mistakes import MISTAKES
from archcalc.teach.check.model import CHECKED, TOTAL, Verdict
from archcalc.teach.exercise.worksheet import ASKED

PACKAGE = Path(archcalc.__file__).parent
LOCALE = PACKAGE / "locale"
#: The languages whose catalogues are complete.
TRANSLATED = tuple([name for name in COMPLETE if name != ENGLISH])
#: What `several` counts.
COUNTED = (
    "bias", "buffer value", "byte", "class token", "feature", "filter", "group", "head", "hidden unit", "image",
    "input", "code value", "length", "running mean", "running variance", "weight", "block",
    "layer", "map", "network", "configuration", "place", "neuron", "parameter", "pixel", "row", "submission", "value",
)  # fmt: skip
#: The functions whose first texts are messages, and how many there are.
KEYWORDS = {"say": 1, "mark": 1, "say_many": 2}


def words() -> Iterator[str]:
    """What `say` is called with that stands in a registry: names of quantities, axes, ops and verdicts."""
    for quantity in CHECKED:
        yield QUANTITIES[quantity].term if "_" in quantity else quantity
        yield quantity.replace("_", " ")
    for known in (*QUANTITIES.values(), *OF_NETWORKS.values()):
        yield from filter(None, (known.term, known.phrase, known.abbreviation))
        if known.unit.isalpha():
            yield known.unit
        if known.unit == "bytes" and known.key in QUANTITIES:
            yield f"{known.unit} {known.term}"
    yield from ("peak", TOTAL)
    yield from (QUANTITIES[key].headings[0] for key in ASKED)
    yield from (key.replace("_", " ") for key in SUMS if key not in QUANTITIES)
    for names in AXIS_NAMES:
        yield from (name.word for name in names)
    for axes in AXES:
        yield from axes
    for op in OPS.values():
        yield op.noun
        if op.summary is Pointwise.summary:
            yield op.kind.replace("_", " ")
        if op.counted_as:
            yield op.counted_as
        if op.unit:
            yield f"{{parts}} for each {op.unit}"
        if mode := op.model_fields.get("mode"):
            yield from get_args(mode.annotation)
    for rank in (1, 2, 3):
        yield from side_names(rank)
    yield PRODUCTS
    yield from map(str, Verdict)
    yield from MISTAKES.values()
    for file in SPECS.rglob("*.yaml"):
        spec = yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
        yield from notes_of(spec)
        described = [spec, *spec.get("networks", {}).values(), *spec.get("variants", {}).values()]
        yield from (one["description"] for one in described if "description" in (one or {}))
    for tool in TOOLS.values():
        yield from filter(None, (tool.noun, tool.added, *(note.text for note in tool.notes)))
    # What letters of formulas mean.
    yield from (letter.meaning for op in OPS.values() for letter in op.letters().values())
    for word in ("values", *(name.word for names in AXIS_NAMES for name in names if name.letter != "N")):
        yield from (f"{word} of input", f"{word} of the output")
    yield from (
        "bytes of a value",
        "pixels from one position to the next",
        "pixels from one position of the input to the next",
    )
    yield from ("positions of the input", "receptive field of the input")


def notes_of(part: Any) -> Iterator[str]:
    """The notes of reported figures in a spec, and those figures that are words: 60,000 trainable."""
    if isinstance(part, dict):
        value = part.get("value")
        if "quantity" in part and isinstance(value, str) and re.search(r"\b(?!million|billion)[a-z]{4}", value):
            yield value
        if isinstance(note := part.get("note"), str):
            yield note
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from notes_of(one)


def literals(source: str) -> Iterator[str | tuple[str, ...]]:
    """The messages that stand in a program, those in f-strings too, which Babel 2.18 passes over."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            count = KEYWORDS[node.func.id]
            given = node.args[:count]
            # One of two messages is chosen: say("a" if … else "b").
            if count == 1 and given and isinstance(given[0], ast.IfExp):
                given = [given[0].body, given[0].orelse]
            texts = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if count == 1:
                yield from texts
            elif len(texts) == count:
                yield tuple(texts)


def extracted() -> Catalog:
    """Every message of the code."""
    found = Catalog(project="archcalc", charset="utf-8")
    for file in sorted(PACKAGE.rglob("*.py")):
        if "core.language" in (source := file.read_text(encoding="utf-8")):
            for message in literals(source):
                found.add(message)
    for word in dict.fromkeys(words()):
        found.add(word)
    for noun in COUNTED:
        found.add(forms(noun))
    for unit in UNITS:
        found.add((unit.removesuffix("s"), unit))
    return found


def path(name: str) -> Path:
    """The catalogue of a language that people edit."""
    return LOCALE / name / "LC_MESSAGES" / "archcalc.po"


def catalogue(name: str) -> Catalog:
    """The translations of a language."""
    with path(name).open("rb") as file:
        return read_po(file, locale=name)


def update(name: str) -> None:
    """Merge the messages of the code into a catalogue: new ones without a translation, and none that is gone.

    A partial one holds what is translated alone.
    """
    path(name).parent.mkdir(parents=True, exist_ok=True)
    known = catalogue(name) if path(name).exists() else Catalog(locale=name, project="archcalc", charset="utf-8")
    known.update(extracted(), no_fuzzy_matching=True)
    known.obsolete.clear()
    if name in PARTIAL:
        for missing in [message.id for message in messages(known) if not any(message.string or ())]:
            known.delete(missing)
    _write(name, known)


def _write(name: str, known: Catalog) -> None:
    """Write a catalogue without dates and names: what two people change next to each other can be merged."""
    for message in known:
        message.flags.clear()  # brace formats: a test compares their values
    written = BytesIO()
    write_po(written, known, width=120, omit_header=True, no_location=True, sort_output=True)
    fields = (f"Language: {name}", f"Plural-Forms: {known.plural_forms}", "Content-Type: text/plain; charset=utf-8")
    header = "".join(f'"{field}\\n"\n' for field in fields)
    path(name).write_bytes(f'msgid ""\nmsgstr ""\n{header}\n'.encode() + written.getvalue())


def messages(translations: Catalog) -> Iterator[Message]:
    """The messages of a catalogue, without its header."""
    return (message for message in translations if message.id)
