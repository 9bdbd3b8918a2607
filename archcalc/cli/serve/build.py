"""`archcalc serve --build`: the page as static files, whose Python runs in the visitor's browser."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from archcalc import __version__
from archcalc.cli.serve.catalogue import catalogue_of
from archcalc.cli.serve.functions import call
from archcalc.cli.serve.wheels import runtime, wheels
from archcalc.core.errors import UsageError
from archcalc.core.files import check_empty, whole_folder

PAGE = Path(__file__).with_name("page") / "dist"
#: What the page may do. It needs WebAssembly; who may hold it in a frame only a header can say.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)
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
    engine = {f"pyodide/{name}": data for name, data in runtime().items()}
    packages = {f"wheels/{name}": data for name, data in wheels(note).items()}
    files |= engine | packages
    files["manifest.json"] = _json(manifest(engine | packages, list(packages)))
    with whole_folder(folder) as whole:
        for name, data in files.items():
            _write(whole / name, data)
        for name, value in catalogue_files(note):
            _write(whole / name, _json(value))
    note(f"{folder}: serve it with any web server, such as python -m http.server -d {folder}")


def static_page(text: str) -> str:
    """The page with its other back end and with its policy. Raises `UsageError` where it has no place for them."""
    start = text.find(_CHARSET)
    if text.count(_BACKEND) != 1 or start < 0:
        raise UsageError("the page that was built does not say where its back end is; build it again")
    end = text.index(">", start) + 1
    policy = f'\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return (text[:end] + policy + text[end:]).replace(_BACKEND, _BACKEND.replace("http", "worker"))


def manifest(engine: dict[str, bytes], packages: list[str]) -> dict[str, Any]:
    """What the worker loads, in this order, with sizes and hashes."""
    return {
        "schema": "archcalc.playground/1",
        "archcalc": __version__,
        "pyodide": "./pyodide/",
        "packages": [],
        "wheels": [f"./{name}" for name in packages],
        "bytes": sum(map(len, engine.values())),
        "files": {
            f"./{name}": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in engine.items()
        },
    }


def catalogue_files(note: Callable[[str], None]) -> Iterator[tuple[str, Any]]:
    """The catalogue, and table and picture of its landmarks, which can be read before the engine is there."""
    answer = {"ok": True, **catalogue_of(counts=True, can_convert=False)}
    for entry in answer["networks"]:
        if entry["landmark"]:
            entry["file"] = entry["name"].replace("@", "-").replace("/", "-")
            source = {"source": {"text": entry["name"]}}
            parts = {
                "spec": call("spec", {"name": entry["name"]}),
                "analyse": call("analyse", source),
                "draw": call("draw", {**source, "theme": "light"}),
            }
            note(f"network: {entry['name']}")
            yield f"networks/{entry['file']}.json", parts
    yield "catalogue.json", answer


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
