"""Hand calculations as people write them: what is right is never called wrong, and a mistake is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.runner import ROOT, Run

CASES: list[dict[str, Any]] = yaml.safe_load((ROOT / "tests/teach/check/homework.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_homework(case: dict[str, Any], archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [case["net"], *case.get("args", [])]
    if "table" in case:
        Path("table.txt").write_text(case["table"], encoding="utf-8")
        words += ["table.txt", "--from", case.get("from", "csv")]
    shown, data = archcalc("check", *words), archcalc("check", *words, "-f", "json")
    assert shown.code == data.code == case["exit"], shown
    summary = json.loads(data.out)["summary"]
    counted = {name: summary[name] for name in ("right", "wrong", "unreadable") if name in case}
    assert counted == {name: case[name] for name in counted}, shown.out
    text = (shown.out + shown.err).lower()
    assert [word for word in case.get("says", []) if word.lower() not in text] == []
    assert [word for word in case.get("not", []) if word.lower() in text] == []
