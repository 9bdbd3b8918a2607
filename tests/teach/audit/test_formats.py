"""An audit as text, Markdown, HTML and JSON."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from archcalc.spec.source import parse_source
from archcalc.teach.audit.checker import check_claims
from archcalc.teach.audit.formats import FORMATS, as_dict, render
from archcalc.teach.audit.language import read_claims
from archcalc.teach.audit.verdicts import Audit, Verdict
from tests.conftest import Snapshot

CLAIMS = """\
title: Notes on AlexNet
documents: {n: Notes}
claims:
  - document: n
    topic: AlexNet
    network: alexnet
    claims:
      - {id: size, line: 3, layer: conv1, quantity: output_shape, value: 55x55x96, text: conv1 gives 55×55×96}
      - {id: params, line: 4, layer: conv4, quantity: params, value: "1,327,488"}
      - {id: stride, line: 5, layer: conv2, quantity: stride, value: 2, text: conv2 has stride 2}
      - {id: sum, line: 6, layer: conv1, quantity: weights, expression: 11*11*3*69, value: "34,848", text: its weights}
      - {id: won, line: 7, text: it won, not_calculated: history}
  - {document: n, topic: Formulas, id: size-rule, formula: (W F)/S + 1, equals: "output_size(W, F, S, 0)",
     for: {W: [7, 9], F: [3], S: [1, 2]}, text: the size of a pool}
"""
HOSTILE = "<script>alert(1)</script> | `x` [a](b) \\u001b[31m & \\\\textbf"


def audited(text: str) -> Audit:
    return check_claims(read_claims(parse_source(text, "c.yaml")))


@pytest.mark.parametrize("form", FORMATS)
def test_snapshots(form: str, snapshot: Snapshot) -> None:
    endings = {"text": "txt", "markdown": "md", "html": "html", "json": "json"}
    snapshot(f"audit/notes.{endings[form]}", render(audited(CLAIMS), form))


def test_only_one_verdict_is_shown() -> None:
    found = audited(CLAIMS)
    for form in FORMATS:
        text = render(found, form, "wrong")
        assert "conv2 has stride 2" in text
        assert "conv1 gives" not in text
        assert "it won" not in text
    assert [one["id"] for one in as_dict(found, Verdict.WRONG)["claims"]] == ["stride", "sum", "size-rule"]


def test_counts_add_up() -> None:
    data = json.loads(render(audited(CLAIMS), "json"))
    assert data["counts"] == {"right": 2, "wrong": 3, "depends": 0, "not_calculated": 1}
    assert sum(data["counts"].values()) == len(data["claims"])
    assert render(audited(CLAIMS), "text").endswith("6 claims: 2 right, 3 wrong, 1 not calculated\n")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_texts_are_escaped() -> None:
    keys = ("id", "document", "topic", "text", "not_calculated")
    claim = ", ".join(f'{key}: "{HOSTILE}"' for key in keys)
    found = audited(f'title: "{HOSTILE}"\nclaims:\n  - {{{claim}}}\n  - {{expression: 1+1, value: "{HOSTILE}"}}\n')
    page = render(found, "html")
    assert "<script" not in page
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    for form in ("text", "markdown", "html"):
        assert "\x1b" not in render(found, form)
    table = [line for line in render(found, "markdown").splitlines() if line.startswith("|")]
    assert (
        len({len(re.findall(r"(?<!\\)\|", line)) for line in table if "document" not in line and "claims" not in line})
        <= 2
    )
    assert "\n<script" not in render(found, "markdown")
    assert r"\<script\>" in render(found, "markdown")


def test_lines_of_a_text_fit() -> None:
    for width in (60, 80, 120):
        text = render(audited(CLAIMS), "text", width=width)
        assert max(map(len, text.splitlines())) <= max(width, 75)
