"""Python sources as bytecode, compiled by the Python that runs them in the browser: Pyodide, here in Node."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from archcalc.cli.serve.wheels import files_of, zipped
from archcalc.core.errors import UsageError

#: What Node runs in a folder with Pyodide and `sources.zip`; it writes `bytecode.zip`. Without the fixed seed, sets
#: would be in another order each time.
_NODE = """
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const { loadPyodide } = await import(pathToFileURL("pyodide.mjs").href);
const python = await loadPyodide({ env: { HOME: "/", PYTHONHASHSEED: "0" } });
python.FS.writeFile("/sources.zip", readFileSync("sources.zip"));
python.runPython(process.argv[1]);
writeFileSync("bytecode.zip", python.FS.readFile("/bytecode.zip"));
"""
_PYTHON = """
import compileall, pathlib, py_compile, shutil
shutil.unpack_archive("/sources.zip", "/sources")
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
compileall.compile_dir("/sources", legacy=True, quiet=2, stripdir="/sources", invalidation_mode=mode)
for path in pathlib.Path("/sources").rglob("*.py"):
    if path.with_suffix(".pyc").exists():
        path.unlink()
shutil.make_archive("/bytecode", "zip", "/sources")
"""


def can_compile() -> bool:
    """Whether Node is installed."""
    return shutil.which("node") is not None


def compiled(files: Mapping[str, bytes], runtime: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files with a `.pyc` in place of each `.py`; what is no Python of this version stays. Raises `UsageError`."""
    node = shutil.which("node")
    if node is None:
        raise UsageError("compiling needs Node, which is not installed")
    with TemporaryDirectory() as folder:
        for name, data in {**runtime, "sources.zip": zipped(files)}.items():
            Path(folder, name).write_bytes(data)
        command = [node, "--input-type=module", "--eval", _NODE, _PYTHON]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # Pyodide
        result = Path(folder, "bytecode.zip")
        if not result.is_file():
            last = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
            raise UsageError(f"Node cannot run Pyodide, for which it must be of version 20 or later: {last[:200]}")
        return files_of(result.read_bytes())
