"""What goes into PNG and PDF: a text with Armenian letters as runs of one font, each at its place."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader
from pypdf.generic import ContentStream

from archcalc.render.convert import LONGEST_SIDE, _in_runs, to_pdf
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


@pytest.mark.parametrize(
    ("width", "scale", "factor"),
    [(200, 1.0, 1.0), (200, 0.75, 0.75), (200, 2.5, 2.5), (28_800, 0.75, LONGEST_SIDE / 28_800)],
)
def test_a_page_is_scaled_with_what_is_drawn_on_it(width: int, scale: float, factor: float) -> None:
    text = '<text x="100" y="50" font-size="10" font-family="Arimo">conv1</text>'
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="100">{text}</svg>'
    page = PdfReader(io.BytesIO(to_pdf([drawn], "title", "subject", scale))).pages[0]
    places: list[float] = []

    def visit(text: str, cm: list[float], tm: list[float], *_: object) -> None:
        if text.strip():
            places.extend((cm[0] * tm[4] + cm[2] * tm[5] + cm[4], cm[1] * tm[4] + cm[3] * tm[5] + cm[5]))

    page.extract_text(visitor_text=visit)
    assert [float(side) for side in page.mediabox] == pytest.approx([0, 0, width * factor, 100 * factor])
    assert places[:2] == pytest.approx([100 * factor, 50 * factor], abs=0.01)


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_spaces_next_to_signs_of_direction_are_read_back_as_spaces(weight: str) -> None:
    words = "\u2066conv 1\u2069 \u2067a b\u2069 \u200ec\u200f"
    text = f'<text x="9" y="50" font-weight="{weight}" font-family="Arimo">{words}</text>'
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100">{text}</svg>'
    found = PdfReader(io.BytesIO(to_pdf([drawn], "title", "subject"))).pages[0].extract_text()
    assert found.split() == ["conv", "1", "a", "b", "c"]


def test_no_drawing_is_read_for_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading one takes longer than all that makes it."""

    def reads(*_: object) -> None:
        raise AssertionError("a drawing is read")

    monkeypatch.setattr(ContentStream, "_parse_content_stream", reads)
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><rect width="10" height="10"/></svg>'
    for scale in (1.0, 0.75):
        assert to_pdf([drawn, drawn], "title", "subject", scale).startswith(b"%PDF")
