"""`archcalc serve --build`: the page as static files, whose Python runs in the visitor's browser."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from archcalc import __version__
from archcalc.cli.progress import Progress
from archcalc.cli.serve.bytecode import can_compile, compiled
from archcalc.cli.serve.catalogue import catalogue_of
from archcalc.cli.serve.functions import FIRST, FUNCTIONS, call
from archcalc.cli.serve.wheels import (
    STDLIB,
    archive,
    files_of,
    graphviz,
    part_wheels,
    runtime,
    unpacked,
    wheels,
    zipped,
)
from archcalc.core.errors import UsageError
from archcalc.core.files import check_empty, whole_folder
from archcalc.render.charts.render import bundle
from archcalc.spec.catalogue import names

PAGE = Path(__file__).with_name("page") / "dist"
#: What the page may do. It needs WebAssembly; who may hold it in a frame only a header can say.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
#: The packages, in one file.
ARCHIVE = "packages.bin"
#: What draws charts in the page, from vl-convert. It is loaded with the first chart.
VEGA = "vega.js"
#: What is loaded when it is first needed, by the package that Python does not find.
PARTS = {"onnx": "onnx.bin", "openpyxl": "openpyxl.bin", "pygraphviz": "graphviz.js"}
_BACKEND, _CHARSET = 'name="archcalc-backend" content="http"', '<meta charset="utf-8"'


def build(folder: str, note: Callable[[str], None], page: Path = PAGE) -> None:
    """Write a new folder with everything. Raises `UsageError` where the page is not built or a registry not there."""
    check_empty(folder, "--build")
    index = page / "index.html"
    if not index.is_file():
        raise UsageError(
            "the page is not built here: run npm ci and npm run build in docs/playground, or install a release"
        )
    files = {path.relative_to(page).as_posix(): path.read_bytes() for path in sorted(page.rglob("*")) if path.is_file()}
    files["index.html"] = static_page(index.read_text(encoding="utf-8")).encode()
    note("the packages are fetched")
    python, packages, parts = runtime(), wheels(note), part_wheels(note)
    code = {ARCHIVE: unpacked(packages)} | {PARTS[name]: unpacked(found) for name, found in parts.items()}
    code[STDLIB] = files_of(python[STDLIB])
    if can_compile():
        note("the packages are compiled")
        code = _compiled(code, python)
    else:
        note("Node is not installed: the packages stay sources, with which the engine takes twice as long to start")
    python[STDLIB] = zipped(code.pop(STDLIB))
    engine = {f"pyodide/{name}": data for name, data in python.items()}
    engine |= {name: archive(found) for name, found in code.items()}
    engine[VEGA] = bundle().encode()
    engine[PARTS["pygraphviz"]] = graphviz()
    files |= engine
    all_wheels = {name: data for found in (packages, *parts.values()) for name, data in found.items()}
    files["manifest.json"] = _json(manifest(engine, all_wheels))
    with whole_folder(folder) as whole:
        for name, data in files.items():
            _write(whole / name, data)
        for name, value in catalogue_files(note):
            _write(whole / name, _json(value))
    note(f"{folder}: serve it with any web server, such as python -m http.server -d {folder}")


def _compiled(code: Mapping[str, Mapping[str, bytes]], python: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """Archives with bytecode in place of sources, all compiled by one start of Python."""
    found: dict[str, dict[str, bytes]] = {name: {} for name in code}
    sources = {f"{name}/{path}": data for name, files in code.items() for path, data in files.items()}
    for whole, data in sorted(compiled(sources, python).items()):
        name, _, path = whole.partition("/")
        found[name][path] = data
    return found


def static_page(text: str) -> str:
    """The page with its other back end and with its policy. Raises `UsageError` where it has no place for them."""
    start = text.find(_CHARSET)
    if text.count(_BACKEND) != 1 or start < 0:
        raise UsageError("the page that was built does not say where its back end is; build it again")
    end = text.index(">", start) + 1
    policy = f'\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return (text[:end] + policy + text[end:]).replace(_BACKEND, _BACKEND.replace("http", "worker"))


def manifest(engine: Mapping[str, bytes], packages: Mapping[str, bytes]) -> dict[str, Any]:
    """What the worker loads, with sizes and hashes, and the wheels of which the archive is made."""
    return {
        "schema": "archcalc.playground/1",
        "archcalc": __version__,
        "pyodide": "./pyodide/",
        "archive": f"./{ARCHIVE}",
        "parts": {package: f"./{name}" for package, name in PARTS.items()},
        "first": list(FIRST),
        "functions": list(FUNCTIONS),
        "bytes": sum(map(len, engine.values())),
        "files": {f"./{name}": _facts(data) for name, data in engine.items()},
        "wheels": {name: _facts(data) for name, data in packages.items()},
    }


def _facts(data: bytes) -> dict[str, Any]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def catalogue_files(note: Callable[[str], None]) -> Iterator[tuple[str, Any]]:
    """The catalogue, and table and pictures of its landmarks, which can be read before the engine is there."""
    note("the networks of the catalogue are analysed")
    with Progress(len(list(names()))) as progress:
        answer = {"ok": True, **catalogue_of(counts=True, can_convert=False, progress=progress)}
    for entry in answer["networks"]:
        if entry["landmark"]:
            spec = call("spec", {"name": entry["name"]})
            source = {"source": {"text": spec["text"]}}
            entry["file"] = file = entry["name"].replace("@", "-")
            note(f"network: {entry['name']}")
            yield (
                f"networks/{file}.json",
                {
                    "spec": spec,
                    "analyse": call("analyse", source),
                    "draw": call("draw", {**source, "theme": "light"}),
                },
            )
            yield f"networks/{file}-dark.json", call("draw", {**source, "theme": "dark"})
    yield "catalogue.json", answer


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
