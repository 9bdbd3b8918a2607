"""Functions for files: a model that is read, and the network in other forms."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archcalc.cli.serve.functions import failure
from archcalc.cli.serve.pictures import drawn
from archcalc.cli.serve.requests import LARGEST_MODEL, MOST_LAYERS, Request, Source
from archcalc.cli.serve.tables import has_converter, table
from archcalc.core.errors import ArchcalcError, MissingPackageError, Problem, SpecError, UsageError
from archcalc.graph.inputs import parse_inputs
from archcalc.interop.models import load
from archcalc.interop.structured import write_noted, write_structured
from archcalc.interop.suffixes import FORMATS, suffix_of
from archcalc.objects import Analysis
from archcalc.render.tables.formats import render
from archcalc.spec.catalogue import SPECS, default_member
from archcalc.spec.patterns import parse_pattern
from archcalc.spec.write import write_document
from archcalc.tools import exported

#: What the network can be written as, with its title, ending and media type.
EXPORTS = {
    "yaml": ("YAML spec", "yaml", "application/yaml"),
    "torch": ("PyTorch code", "py", "text/x-python"),
    "keras": ("Keras code", "py", "text/x-python"),
    "caffe": ("Caffe prototxt", "prototxt", "text/plain"),
    "csv": ("table as CSV", "csv", "text/csv"),
    "markdown": ("table as Markdown", "md", "text/markdown"),
    "json": ("report as JSON", "json", "application/json"),
    "svg": ("picture as SVG", "svg", "image/svg+xml"),
    "png": ("picture as PNG", "png", "image/png"),
    "pdf": ("picture as PDF", "pdf", "application/pdf"),
    "mermaid": ("Mermaid source", "mmd", "text/plain"),
}
#: A value in one line.
_SCALAR = re.compile(r"""\"[^"\\\n]*\"|'[^'\n]*'|[^\s,\[\]{}#"']+""")
#: How readers ask for the size of an input.
_ASKS = re.compile(r"[;,]?\s+give (?:it|one|each) with --input\b.*|, as in --input\b.*")
_NEED_CONVERTER = ("png", "pdf")


def exports(can_convert: bool) -> dict[str, str]:
    """What Python can write, with its title; no browser runs the package that makes pixels and pages."""
    return {to: title for to, (title, _, _) in EXPORTS.items() if can_convert or to not in _NEED_CONVERTER}


def spec(request: Request) -> dict[str, Any]:
    """The YAML of a network of the catalogue: its file, or what it is of a family as a person would write it."""
    name = request.text("name")
    source = Source(name)
    if source.is_yaml or source.is_pattern:
        raise UsageError(f"'name' is a network of the catalogue, not {name[:80]!r}")
    return {"text": text_of(source)}


def text_of(source: Source) -> str:
    """A network as YAML."""
    if source.is_yaml and not source.size and source.parameters == "{}":
        return source.text
    if source.is_yaml and (changed := _with_values(source)):
        return changed
    if source.is_pattern and not source.size:
        return write_document(parse_pattern(source.text).value)
    graph = source.graph()
    found, member, variant = source.spec()
    if not source.is_yaml and not source.size and source.parameters == "{}" and variant is None:
        path = Path(found.source.file)
        if member in (None, default_member(found)) and graph.name in (found.document.name, default_member(found)):
            return _shipped(path)
    return write_structured(graph)


def _with_values(source: Source) -> str | None:
    """The spec with its input and its parameters at their new values, as it was written; None where that is not all."""
    wanted = json.loads(source.parameters)
    top = source.spec()[0].source.value
    places: list[tuple[Any, str, str]] = [(top, "input", source.size)] if source.size else []
    for name, value in wanted.items():
        declared = top.get("parameters") or {}
        inner = declared.get(name)
        owner, key = (inner, "default") if isinstance(inner, dict) else (declared, name)
        places.append((owner, key, json.dumps(value, ensure_ascii=False)))
    lines = source.text.splitlines(keepends=True)
    edits = []
    for owner, key, new in places:
        if key not in owner:
            return None
        line, column = owner.values_at[key]
        found = _SCALAR.match(lines[line - 1], column - 1)
        if found is None:
            return None
        edits.append((line - 1, *found.span(), new))
    for line, start, end, new in sorted(edits, reverse=True):
        lines[line] = lines[line][:start] + new + lines[line][end:]
    text = "".join(lines)
    try:
        same = Source(text).graph().layers == source.graph().layers
    except ArchcalcError:
        return None
    return text if same else None


def _shipped(shown: Path) -> str:
    """The text of a file of the catalogue."""
    return (SPECS / shown.relative_to("specs")).read_text(encoding="utf-8")


def import_file(request: Request) -> dict[str, Any]:
    """A model file or a spec as YAML; it is read from a folder of its own, under a name made of its own.

    With `"needs": "input"` the file does not say the size of its input, which the request can give.
    """
    given = request.text("filename", 300)
    data = request.data("data", LARGEST_MODEL)
    suffix = suffix_of(given)
    if suffix in (".yaml", ".yml", ".txt"):
        return {"text": _as_text(data, given), "notes": []}
    if suffix not in FORMATS:
        raise UsageError(f"{given[:80]!r} is no model file; there are {', '.join(FORMATS)}, and .yaml")
    stem = re.sub(r"[^\w-]+", "_", Path(given.replace("\\", "/")).stem)[:60].strip("_-") or "model"
    with TemporaryDirectory() as folder:
        path = Path(folder, f"{stem}{suffix}")
        path.write_bytes(data)
        try:
            graph = load(path, None, parse_inputs(request.text("input")) if request.has("input") else None)
            if len(graph) > MOST_LAYERS:
                raise UsageError(f"{given[:80]} has {len(graph):,} layers; the playground takes {MOST_LAYERS:,}")
            text, notes = write_noted(graph)
            return {
                "text": text,
                "notes": [note.replace("--input", "input") for note in (*graph.notes, *notes)],
            }
        except MissingPackageError as error:
            raise MissingPackageError(error.package, str(error).replace(f"{folder}/", "")) from None
        except ArchcalcError as error:
            found = error.problems if isinstance(error, SpecError) else [error]
            texts = [str(one).replace(f"{folder}/", "") for one in found]
            plain = [_ASKS.sub("", text) for text in texts]
            if plain != texts:
                return {**failure("\n".join(plain)), "needs": "input"}
            raise SpecError([Problem(text) for text in texts]) from None


def _as_text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name[:80]} is no text in UTF-8: byte {error.start}") from None


def export(request: Request) -> dict[str, Any]:
    """The network in another form, as a file."""
    source = request.source()
    to = request.choice("to", tuple(EXPORTS), "yaml")
    if to not in exports(has_converter()):
        raise UsageError(
            f"{to} is made by vl-convert, which does not run in a browser; save the SVG, or use archcalc serve"
        )
    _, ending, mime = EXPORTS[to]
    if to == "yaml":
        name, data = source.graph().name, text_of(source).encode("utf-8", "backslashreplace")
    else:
        analysis = source.analyse()
        name, data = analysis.graph.name, _exported(analysis, to, request)
    stem = re.sub(r"[^\w@.-]+", "_", name)[:80].strip(".") or "network"
    # Code for PyTorch and for Keras may be saved next to one another.
    stem += f"_{to}" if ending == "py" else ""
    return {"filename": f"{stem}.{ending}", "mime": mime, "data": base64.b64encode(data).decode()}


def _exported(analysis: Analysis, to: str, request: Request) -> bytes:
    if to in ("csv", "markdown", "json"):
        return render([table(request, analysis)], to).encode("utf-8", "backslashreplace")
    if to in ("svg", "png", "pdf"):
        drawing = drawn(analysis, request)
        if to == "svg":
            return drawing.svg.encode("utf-8", "backslashreplace")
        with TemporaryDirectory() as folder:
            path = Path(folder, f"picture.{to}")
            drawing.save(path)
            return path.read_bytes()
    return exported(analysis.network, to)
