"""The static page: what it is made of, and that nothing that a registry does not vouch for gets in."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Never

import pytest

import archcalc
from archcalc import __version__
from archcalc.cli.serve import build as builder
from archcalc.cli.serve.build import POLICY, build, manifest, static_page
from archcalc.cli.serve.bytecode import compiled
from archcalc.cli.serve.functions import call, call_text
from archcalc.cli.serve.wheels import (
    PYODIDE,
    RUNTIME,
    STDLIB,
    archive,
    check_integrity,
    files_of,
    is_needed,
    own_wheel,
    repacked,
    runtime,
    unpacked,
    zipped,
)
from archcalc.core.errors import UsageError
from tests.cli.runner import Run

PAGE = '<head>\n<meta charset="utf-8">\n<meta name="archcalc-backend" content="http">\n</head>\n'


def test_the_page_gets_its_policy_and_its_back_end() -> None:
    made = static_page(PAGE)
    assert made.startswith(
        f'<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    )
    assert 'name="archcalc-backend" content="worker"' in made
    assert "'unsafe-eval'" not in POLICY
    assert "script-src 'self' 'wasm-unsafe-eval';" in POLICY
    for wrong in ("", PAGE.replace("archcalc-backend", "x"), PAGE.replace("charset", "x"), PAGE + PAGE):
        with pytest.raises(UsageError, match="build it again"):
            static_page(wrong)


def registry(data: bytes, integrity: str | None = None, tarball: str = "") -> dict[str, bytes]:
    address = "https://registry.npmjs.org/pyodide"
    known = integrity or f"sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}"
    facts = {"dist": {"tarball": tarball or f"{address}/-/p.tgz", "integrity": known}}
    return {f"{address}/{PYODIDE}": json.dumps(facts).encode(), f"{address}/-/p.tgz": data}


def package(*names: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as made:
        for name in names:
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(name)
            made.addfile(member, io.BytesIO(name.encode()))
    return out.getvalue()


def test_the_runtime_is_what_the_registry_says() -> None:
    data = package(*RUNTIME, "console.html")
    assert runtime(registry(data).__getitem__) == {name: name.encode() for name in RUNTIME}
    for wrong in (registry(data, "sha512-AAAA"), registry(data, f"sha1-{hashlib.sha1(data).hexdigest()}")):
        with pytest.raises(UsageError, match="its hash differs"):
            runtime(wrong.__getitem__)
    with pytest.raises(UsageError, match="which is not its own"):
        runtime(registry(data, tarball="https://evil.example/p.tgz").__getitem__)
    check_integrity(b"a", f"sha512-{base64.b64encode(hashlib.sha512(b'a').digest()).decode()}", "a")


@pytest.mark.slow
def test_archcalc_packs_itself_and_the_pack_analyses(tmp_path: Path) -> None:
    name, data = own_wheel()
    assert name == f"archcalc-{__version__}-py3-none-any.whl"
    assert own_wheel()[1] == data
    with zipfile.ZipFile(io.BytesIO(data)) as files:
        names = set(files.namelist())
    assert {"archcalc/specs/alexnet.yaml", "archcalc/core/headings.json", "archcalc/cli/serve/functions.py"} <= names
    assert not [one for one in names if "/page/dist/" in one or "__pycache__" in one]
    assert "archcalc/locale/ru/LC_MESSAGES/archcalc.po" in names
    (tmp_path / name).write_bytes(data)
    with zipfile.ZipFile(tmp_path / name) as files:
        files.extractall(tmp_path)
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('numpy', 'pygraphviz', 'vl_convert', 'PIL', 'click', 'sympy')))\n"
        "import archcalc, json; from archcalc.cli.serve.functions import call_text\n"
        "assert archcalc.__file__.startswith(sys.argv[1]), archcalc.__file__\n"
        "for name, more in (('analyse', {}), ('draw', {}), ('explain', {'layer': 'conv1'}), ('lint', {})):\n"
        "    print(call_text(name, json.dumps({'source': {'text': 'alexnet'}, **more})))\n"
        "for name in ('chart', 'memory'):\n"
        "    print(call_text(name, json.dumps({'source': {'text': 'alexnet'}, 'theme': 'dark'})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(tmp_path)}, timeout=600,
    )  # fmt: skip
    *answers, chart, memory = map(json.loads, done.stdout.splitlines())
    assert [answer["ok"] for answer in answers] == [True] * 4
    assert {one["key"]: one["exact"] for one in answers[0]["totals"]}["params"] == "62378344"
    assert chart["spec"] == archcalc.plot("profile", "alexnet", theme="dark").spec
    assert memory["spec"]["usermeta"]["archcalc"]["theme"] == "dark"


def test_a_wheel_is_packed_again_without_what_does_not_run() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in ("yaml/a.py", "yaml/_yaml.so", "yaml-1.dist-info/WHEEL"):
            made.writestr(name, name)
    new = repacked(out.getvalue(), lambda name: not name.endswith(".so"), {"WHEEL": b"pure"})
    with zipfile.ZipFile(io.BytesIO(new)) as files:
        assert {name: files.read(name) for name in files.namelist()} == {
            "yaml/a.py": b"yaml/a.py", "yaml-1.dist-info/WHEEL": b"pure",
        }  # fmt: skip


def wheel(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(zipfile.ZipInfo(name), name)
    return out.getvalue()


def archived(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as files:
        return {member.name: (files.extractfile(member) or io.BytesIO()).read() for member in files}


def test_the_packages_are_one_archive_with_the_same_bytes_each_time() -> None:
    files = unpacked(
        {"a.whl": wheel("a.py", "a-1.dist-info/METADATA", "a-1.dist-info/RECORD"), "b.whl": wheel("b/c.so")}
    )
    assert list(files) == ["a.py", "a-1.dist-info/METADATA", "b/c.so"]
    assert archive(files) == archive(files)
    assert archived(archive(files)) == files
    assert files_of(zipped(files)) == files
    assert zipped(files) == zipped(files)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that was built, and registries that have little."""
    page = tmp_path / "dist"
    page.mkdir()
    (page / "index.html").write_text(PAGE, encoding="utf-8")
    (page / "page.js").write_text("1", encoding="utf-8")
    python = {"pyodide.mjs": b"runtime", STDLIB: wheel("abc.py", "zoneinfo/a.txt")}
    monkeypatch.setattr(builder, "runtime", python.copy)
    packages = {"b.whl": wheel("b.py", "b-1.dist-info/RECORD"), "a.whl": wheel("a/__init__.py")}
    monkeypatch.setattr(builder, "wheels", lambda _: packages)
    parts = {"onnx": {"onnx.whl": wheel("onnx/__init__.py")}, "openpyxl": {"openpyxl.whl": wheel("openpyxl.py")}}
    monkeypatch.setattr(builder, "part_wheels", lambda _: parts)
    monkeypatch.setattr(builder, "graphviz", lambda: b"graphviz")
    monkeypatch.setattr(
        builder, "catalogue_of", lambda **_: {"networks": [{"name": "alexnet@grouped", "landmark": True}]}
    )
    return page


def test_a_site_has_the_page_the_engine_and_the_catalogue(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "can_compile", lambda: False)
    site = tmp_path / "site"
    notes: list[str] = []
    build(str(site), notes.append, page)
    assert any("Node is not installed" in note for note in notes)
    assert "the networks of the catalogue are analysed" in notes
    found = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert found == {
        "index.html", "page.js", "manifest.json", "catalogue.json", "networks/alexnet-grouped.json",
        "networks/alexnet-grouped-dark.json", "packages.bin", "pyodide/pyodide.mjs", "pyodide/python_stdlib.zip",
        "vega.js", "onnx.bin", "openpyxl.bin", "graphviz.js",
    }  # fmt: skip
    listed = json.loads((site / "manifest.json").read_text(encoding="utf-8"))
    assert set(listed["wheels"]) == {"a.whl", "b.whl", "onnx.whl", "openpyxl.whl"}
    data = wheel("a/__init__.py")
    assert listed["wheels"]["a.whl"] == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert set(listed["first"]) < set(listed["functions"])
    parts = {"onnx": "./onnx.bin", "openpyxl": "./openpyxl.bin", "pygraphviz": "./graphviz.js"}
    assert listed["parts"] == parts
    assert set(listed["files"]) == {
        "./packages.bin", "./pyodide/pyodide.mjs", f"./pyodide/{STDLIB}", "./vega.js", *parts.values(),
    }  # fmt: skip
    assert archived((site / "packages.bin").read_bytes()) == {"b.py": b"b.py", "a/__init__.py": b"a/__init__.py"}
    assert archived((site / "onnx.bin").read_bytes()) == {"onnx/__init__.py": b"onnx/__init__.py"}
    for name, facts in listed["files"].items():
        data = (site / name).read_bytes()
        assert facts == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert listed["bytes"] == sum(facts["bytes"] for facts in listed["files"].values())
    network = json.loads((site / "networks" / "alexnet-grouped.json").read_text(encoding="utf-8"))
    assert {one["key"]: one["exact"] for one in network["analyse"]["totals"]}["params"] == "60965224"
    dark = json.loads((site / "networks" / "alexnet-grouped-dark.json").read_text(encoding="utf-8"))
    assert network["draw"]["svg"].startswith("<svg")
    assert dark["svg"].startswith("<svg")
    assert dark["svg"] != network["draw"]["svg"]
    assert [row["name"] for row in network["analyse"]["rows"] if row["line"]]
    with pytest.raises(UsageError, match="new or empty"):
        build(str(site), lambda _: None, page)
    assert manifest({}, {})["bytes"] == 0


def test_with_node_a_site_has_bytecode_in_place_of_sources(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def stand_in(files: dict[str, bytes], python: dict[str, bytes]) -> dict[str, bytes]:
        assert python["pyodide.mjs"] == b"runtime"
        asked.extend(files)
        return {re.sub(r"\.py$", ".pyc", name): b"code" for name in files}

    monkeypatch.setattr(builder, "can_compile", lambda: True)
    monkeypatch.setattr(builder, "compiled", stand_in)
    build(str(tmp_path / "site"), lambda _: None, page)
    assert sorted(asked) == [
        "onnx.bin/onnx/__init__.py", "openpyxl.bin/openpyxl.py", "packages.bin/a/__init__.py", "packages.bin/b.py",
        f"{STDLIB}/abc.py", f"{STDLIB}/zoneinfo/a.txt",
    ]  # fmt: skip
    packages = archived((tmp_path / "site" / "packages.bin").read_bytes())
    assert packages == {"a/__init__.pyc": b"code", "b.pyc": b"code"}
    assert set(files_of((tmp_path / "site" / "pyodide" / STDLIB).read_bytes())) == {"abc.pyc", "zoneinfo/a.txt"}


def test_what_node_cannot_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="not installed"):
        compiled({"a.py": b"1"}, {})
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho 'SyntaxError: no modules' >&2\nexit 1\n", encoding="utf-8")
    node.chmod(0o755)
    with pytest.raises(UsageError, match=r"version 20 or later: SyntaxError: no modules"):
        compiled({"a.py": b"1"}, {})


def test_without_the_page_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="npm run build"):
        build(str(tmp_path / "site"), lambda _: None, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_a_folder_that_is_full(refuses: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    assert re.search("new or empty", refuses("serve", "--build", str(tmp_path)).err)


def test_a_package_that_is_missing_is_named_for_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module, name, request in (
        ("onnx", "import_file", {"filename": "a.onnx", "data": base64.b64encode(b"\x08\x07").decode()}),
        ("pygraphviz", "draw", {"source": {"text": "fcn8s"}}),
        ("openpyxl", "check", {"source": {"text": "lenet5"}, "filename": "a.xlsx", "file": "UEsDBA=="}),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        answer = call(name, request)
        assert not answer["ok"]
        assert answer["missing"] == module
        assert module in answer["errors"][0]["message"]
        assert "/tmp" not in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    "error",
    [ModuleNotFoundError("No module named 'archcalc.lost'", name="archcalc.lost"),
     ImportError("cannot import name 'lost' from 'archcalc.passes'", name="archcalc.passes"),
     ImportError("cannot import name 'lost' from 'numpy'", name="numpy")],
    ids=str,
)  # fmt: skip
def test_a_module_that_is_broken_is_no_missing_package(error: ImportError, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> Never:
        raise error

    monkeypatch.setattr("archcalc.cli.serve.functions._function", lambda _: broken)
    answer = json.loads(call_text("lint", "{}"))
    assert answer["errors"][0]["message"] == f"internal error: {type(error).__name__}"
    assert "missing" not in answer


def test_what_a_browser_needs_of_a_wheel() -> None:
    needed = ("onnx/defs/__init__.py", "onnx/onnx_cpp2py_export.abi3.so", "a-1.dist-info/METADATA",
              "a-1.dist-info/licenses/LICENSE")  # fmt: skip
    others = ("onnx/defs/schema.cc", "onnx/backend/test/case/node/add.py", "networkx/algorithms/tests/a.py", "onnx/a.h")
    assert [is_needed(name) for name in (*needed, *others)] == [True] * 4 + [False] * 4
