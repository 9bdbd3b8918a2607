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

import pytest

from archcalc import __version__
from archcalc.cli.serve import build as builder
from archcalc.cli.serve.build import POLICY, build, manifest, static_page
from archcalc.cli.serve.wheels import PYODIDE, RUNTIME, check_integrity, own_wheel, repacked, runtime
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
    assert not [one for one in names if "/page/dist/" in one or "__pycache__" in one or one.endswith(".po")]
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
        "print(call_text('chart', json.dumps({'source': {'text': 'alexnet'}})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(tmp_path)}, timeout=600,
    )  # fmt: skip
    *answers, chart = map(json.loads, done.stdout.splitlines())
    assert [answer["ok"] for answer in answers] == [True] * 4
    assert answers[0]["report"]["totals"]["params"] == 62_378_344
    assert "does not run in a browser" in chart["errors"][0]["message"]


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


def test_a_site_has_the_page_the_engine_and_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "dist"
    page.mkdir()
    (page / "index.html").write_text(PAGE, encoding="utf-8")
    (page / "page.js").write_text("1", encoding="utf-8")
    monkeypatch.setattr(builder, "runtime", lambda: {"pyodide.mjs": b"runtime"})
    monkeypatch.setattr(builder, "wheels", lambda _: {"b.whl": b"second", "a.whl": b"first"})
    monkeypatch.setattr(
        builder, "catalogue_of", lambda **_: {"networks": [{"name": "alexnet@grouped", "landmark": True}]}
    )
    site = tmp_path / "site"
    build(str(site), lambda _: None, page)
    found = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert found == {
        "index.html", "page.js", "manifest.json", "catalogue.json", "networks/alexnet-grouped.json",
        "pyodide/pyodide.mjs", "wheels/a.whl", "wheels/b.whl",
    }  # fmt: skip
    listed = json.loads((site / "manifest.json").read_text(encoding="utf-8"))
    assert listed["wheels"] == ["./wheels/b.whl", "./wheels/a.whl"]
    for name, facts in listed["files"].items():
        data = (site / name).read_bytes()
        assert facts == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert listed["bytes"] == len(b"runtime" + b"second" + b"first")
    network = json.loads((site / "networks" / "alexnet-grouped.json").read_text(encoding="utf-8"))
    assert network["analyse"]["report"]["totals"]["params"] == 60_965_224
    assert network["draw"]["svg"].startswith("<svg")
    with pytest.raises(UsageError, match="new or empty"):
        build(str(site), lambda _: None, page)
    assert manifest({}, [])["bytes"] == 0


def test_without_the_page_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="npm run build"):
        build(str(tmp_path / "site"), lambda _: None, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_a_folder_that_is_full(refuses: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    assert re.search("new or empty", refuses("serve", "--build", str(tmp_path)).err)
