"""The parts of the static page: Pyodide and Graphviz from npm, wheels from PyPI, archcalc itself; all have hashes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from archcalc import __version__
from archcalc.core.errors import UsageError
from archcalc.spec.catalogue import SPECS

#: CPython 3.14 for browsers. Its wheels have this platform.
PYODIDE, PYTHON, PLATFORM = "314.0.7", "314", "pyemscripten_2026_0_wasm32"
#: The modules of Python itself, which it reads from this file.
STDLIB = "python_stdlib.zip"
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", STDLIB, "pyodide-lock.json")
#: The Graphviz of pygraphviz's wheels, 14.1.5, so that pictures are the same; and the file that is all of it.
GRAPHVIZ, GRAPHVIZ_FILE = "3.27.0", "dist/viz.js"
#: What ONNX files need; numpy, which has no wheel for browsers, they do without.
ONNX = ("onnx>=1.23", "protobuf")
#: What the functions import, and what these need is found by pip.
PACKAGES = ("pydantic", "networkx")
#: What spreadsheets need.
SPREADSHEETS = ("openpyxl",)
#: Has a wheel for every platform but this one; its pure part works anywhere.
IMPURE = "PyYAML"
_REGISTRY = "https://registry.npmjs.org"
_LARGEST = 64 << 20
_PACKAGE = Path(__file__).parents[2]
#: A fixed time, so that the same sources give the same bytes.
_TIME = (2020, 1, 1, 0, 0, 0)


def fetch(address: str) -> bytes:
    """What is at an address. Raises `UsageError` where it cannot be had."""
    try:
        with urlopen(address, timeout=120) as answer:  # noqa: S310  # the addresses are those of the registry
            data: bytes = answer.read(_LARGEST + 1)
    except (URLError, OSError, ValueError) as error:
        raise UsageError(f"cannot fetch {address}: {getattr(error, 'reason', error)}") from None
    if len(data) > _LARGEST:
        raise UsageError(f"{address} is larger than {_LARGEST >> 20} MiB")
    return data


def check_integrity(data: bytes, integrity: str, what: str) -> None:
    """Raise `UsageError` unless the data has the registry's hash: sha512-BASE64 (Subresource Integrity)."""
    kind, _, wanted = integrity.partition("-")
    if kind != "sha512" or base64.b64encode(hashlib.sha512(data).digest()).decode() != wanted:
        raise UsageError(f"{what} is not what the registry says: its hash differs")


def runtime(get: Callable[[str], bytes] = fetch) -> dict[str, bytes]:
    """The files of Pyodide."""
    return from_npm("pyodide", PYODIDE, RUNTIME, get)


def graphviz(get: Callable[[str], bytes] = fetch) -> bytes:
    """Graphviz, as a module of JavaScript."""
    return from_npm("@viz-js/viz", GRAPHVIZ, [GRAPHVIZ_FILE], get)[GRAPHVIZ_FILE]


def from_npm(package: str, version: str, names: Iterable[str], get: Callable[[str], bytes] = fetch) -> dict[str, bytes]:
    """Files of an npm package."""
    facts = json.loads(get(f"{_REGISTRY}/{package}/{version}"))["dist"]
    tarball = str(facts["tarball"])
    if not tarball.startswith(f"{_REGISTRY}/"):
        raise UsageError(f"the registry names {tarball[:80]}, which is not its own")
    data = get(tarball)
    check_integrity(data, str(facts["integrity"]), f"{package} {version}")
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as files:
        for name in names:
            member = files.extractfile(f"package/{name}")
            if member is None:
                raise UsageError(f"{package} {version} has no file {name}")
            found[name] = member.read()
    return found


def wheels(note: Callable[[str], None]) -> dict[str, bytes]:
    """The wheels by file name, in the order in which they are loaded; pip compares each with the hash of its index."""
    found = _for_browsers([*PACKAGES], note)
    with TemporaryDirectory() as folder:
        _download(folder, ["--no-deps", IMPURE], "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
        (path,) = Path(folder).glob("*.whl")
        name = "-".join([*path.name.split("-")[:2], "py3-none-any.whl"])
        note(f"wheel: {name}")
        found[name] = _pure(path.read_bytes())
    name, data = own_wheel()
    return {**found, name: data}


def part_wheels(note: Callable[[str], None]) -> dict[str, dict[str, bytes]]:
    """Those that most visitors do not need, by the package that Python then misses."""
    return {
        "onnx": _for_browsers(["--no-deps", *ONNX], note),
        "openpyxl": _for_browsers([*SPREADSHEETS], note),
    }


def _for_browsers(what: list[str], note: Callable[[str], None]) -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        _download(folder, what, PLATFORM)
        paths = sorted(Path(folder).glob("*.whl"))
        for path in paths:
            note(f"wheel: {path.name}")
        return {path.name: repacked(path.read_bytes(), is_needed) for path in paths}


def is_needed(name: str) -> bool:
    """Whether a browser can use a file of a wheel: code, what is compiled, and what the package says of itself."""
    if ".dist-info/" in name:
        return name.endswith(("/METADATA", "/WHEEL", "/RECORD")) or "/licenses/" in name
    is_code = name.endswith((".py", ".so", ".json", ".xml", ".txt", "/py.typed"))
    return is_code and not re.search(r"/tests?/|^onnx/(backend|reference|tools|bin)/|^pydantic/v1/", name)


def _download(folder: str, what: list[str], *platforms: str) -> None:
    chosen = [part for platform in platforms for part in ("--platform", platform)]
    done = subprocess.run(  # noqa: S603  # pip, with names that stand above
        [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", folder,
            "--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON, "--abi", f"cp{PYTHON}",
            "--abi", "abi3", "--abi", "none", *chosen, *what,
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr[-200:]]
        raise UsageError(f"pip cannot download {', '.join(what)}: {lines[-1]}")


def _pure(data: bytes) -> bytes:
    """A wheel without its compiled part, said to fit everywhere."""
    return repacked(data, lambda name: not name.endswith((".so", ".pyd")), {"WHEEL": _PURE_TAG})


_PURE_TAG = b"Wheel-Version: 1.0\nGenerator: archcalc\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def repacked(data: bytes, keep: Callable[[str], bool], changed: Mapping[str, bytes] | None = None) -> bytes:
    """A wheel with only the files that are kept; files of the metadata by their last name may be changed."""
    files = {name: content for name, content in files_of(data).items() if keep(name)}
    for name in files:
        if ".dist-info/" in name and name.rpartition("/")[2] in (changed or {}):
            files[name] = (changed or {})[name.rpartition("/")[2]]
    return zipped(files)


def unpacked(found: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of wheels, without their lists of files."""
    files: dict[str, bytes] = {}
    for data in found.values():
        files |= {name: content for name, content in files_of(data).items() if not name.endswith("/RECORD")}
    return files


def archive(files: Mapping[str, bytes]) -> bytes:
    """Files as one, which a browser unpacks by itself: a tar file, compressed by gzip. The same bytes each time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as made:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


def own_wheel() -> tuple[str, bytes]:
    """Archcalc as it is installed here, without what only a computer needs: tests of the page, and the page itself."""
    files = {}
    for path in sorted(_PACKAGE.rglob("*")):
        inner = path.relative_to(_PACKAGE)
        if path.is_file() and "__pycache__" not in inner.parts and not _is_left_out(inner.as_posix()):
            files[f"archcalc/{inner.as_posix()}"] = path.read_bytes()
    for path in sorted(SPECS.rglob("*.yaml")):
        files[f"archcalc/specs/{path.relative_to(SPECS).as_posix()}"] = path.read_bytes()
    about = f"archcalc-{__version__}.dist-info"
    files[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: archcalc\nVersion: {__version__}\n".encode()
    files[f"{about}/WHEEL"] = _PURE_TAG
    files[f"{about}/RECORD"] = b""
    return f"archcalc-{__version__}-py3-none-any.whl", zipped(files)


def _is_left_out(name: str) -> bool:
    """The page, which the visitor has, and the commands."""
    return name.startswith(("cli/serve/page/", "cli/commands/"))


def files_of(data: bytes) -> dict[str, bytes]:
    """The files of a zip file."""
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        return {name: found.read(name) for name in found.namelist() if not name.endswith("/")}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Files as a zip file, the same bytes each time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(zipfile.ZipInfo(name, _TIME), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
