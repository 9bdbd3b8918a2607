"""`archcalc audit`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.runner import Run

RIGHT = "claims:\n  - {network: alexnet, quantity: params, value: 62378344}\n"
WRONG = "claims:\n  - {network: alexnet, quantity: params, value: 61910632}\n"


@pytest.fixture
def claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "claims.yaml"
    path.write_text(RIGHT, encoding="utf-8")
    return path


def test_right_claims(archcalc: Run, claims: Path) -> None:
    result = archcalc("audit", claims)
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith("1 claim: 1 right, 0 wrong, 0 not calculated\n")


def test_wrong_claims(archcalc: Run, claims: Path) -> None:
    claims.write_text(WRONG, encoding="utf-8")
    result = archcalc("audit", claims)
    assert (result.code, result.err) == (1, "")
    assert "claimed 61,910,632, right is 62,378,344" in result.out


@pytest.mark.parametrize(
    "text", ["claims: []\n", "claims:\n  - {text: nobody knows, not_calculated: a matter of taste}\n"]
)
def test_nothing_calculated_is_no_success(archcalc: Run, claims: Path, text: str) -> None:
    claims.write_text(text, encoding="utf-8")
    result = archcalc("audit", claims)
    assert (result.code, result.err) == (1, "")


@pytest.mark.parametrize(
    ("name", "start"), [("a.md", "# Audit"), ("a.html", "<!doctype"), ("a.json", "{"), ("a", "claims")]
)
def test_files(archcalc: Run, claims: Path, name: str, start: str) -> None:
    claims.write_text(WRONG, encoding="utf-8")
    result = archcalc("audit", claims, "-o", name)
    assert (result.code, result.out, result.err) == (1, "", "")
    assert (claims.parent / name).read_text(encoding="utf-8").startswith(start)


def test_only(archcalc: Run, claims: Path) -> None:
    claims.write_text(WRONG + RIGHT.partition("\n")[2], encoding="utf-8")
    assert "claim-2" not in archcalc("audit", claims, "--only", "wrong").out
    assert "claim-1" not in archcalc("audit", claims, "--only", "right").out


def test_bad_input(refuses: Run, claims: Path) -> None:
    assert "there is no file nothing.yaml" in refuses("audit", "nothing.yaml").err
    claims.write_text("claims:\n  - {network: alexnet, quantity: parms, value: 1}\n", encoding="utf-8")
    message = refuses("audit", claims.name, "-o", "out.md").err
    assert "claims.yaml:2:34: there is no quantity 'parms'; did you mean params" in message
    assert not (claims.parent / "out.md").exists()
    assert "no directory" in refuses("audit", claims.name, "-o", "nowhere/out.md").err
