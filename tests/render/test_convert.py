"""What goes into PNG and PDF: a text with Armenian letters as runs of one font, each at its place."""

from __future__ import annotations

import re

import pytest

from archcalc.render.convert import _in_runs
from archcalc.render.diagrams.text import text_width


@pytest.mark.parametrize(("anchor", "share"), [("start", 0.0), ("middle", 0.5), ("end", 1.0)])
def test_runs_stand_where_the_text_stood(anchor: str, share: float) -> None:
    text = "conv շերտ &lt;3"
    drawn = _in_runs(f'<svg><text x="100" y="9" font-size="10" text-anchor="{anchor}">{text}</text></svg>')
    runs = re.findall('<tspan x="([^"]*)"( font-family="[^"]*")?>(.*?)</tspan>', drawn)
    start = 100 - share * text_width("conv շերտ <3", 10)
    places = [start, start + text_width("conv ", 10), start + text_width("conv շերտ", 10)]
    assert [run for _, _, run in runs] == ["conv ", "շերտ", " &lt;3"]
    assert [float(x) for x, _, _ in runs] == pytest.approx(places, abs=0.01)
    assert [bool(font) for _, font, _ in runs] == [False, True, False]
    assert "text-anchor" not in drawn


def test_other_texts_stay_as_they_are() -> None:
    for text in ("conv1 5×5", "свёртка", "קונבולוציה"):
        drawn = f'<svg><text x="1" y="2" font-size="10">{text}</text></svg>'
        assert _in_runs(drawn) == drawn
