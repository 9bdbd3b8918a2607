"""Decks as PDF and as a page of HTML."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from io import BytesIO

import pytest
from pypdf import PdfReader

from archcalc.render.decks.deck import render, usual_plan
from archcalc.render.decks.lecture import Plan, Points, Section, Wanted
from tests.render.decks.test_deck import analysis_of, deck_of
from tests.render.decks.test_powerpoint import HOSTILE


@cache
def made(form: str, steps: bool = False, theme: str = "light") -> bytes:
    return render(usual_plan([analysis_of("lenet5")]), form, theme, steps)[0]


@pytest.mark.slow
def test_a_page_of_pdf_for_each_slide_and_then_the_notes() -> None:
    pages = PdfReader(BytesIO(made("pdf"))).pages
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in pages} == {(960, 540)}
    texts = [page.extract_text() for page in pages]
    for slide, text in zip(deck_of("lenet5").slides, texts, strict=False):
        assert slide.title in text
    assert "61,706" in texts[2]
    assert texts[9].startswith("Notes")
    assert "Answer 1: " in "".join(texts[9:])


@pytest.mark.slow
def test_steps_are_pages_of_pdf() -> None:
    count = len(PdfReader(BytesIO(made("pdf"))).pages)
    # 7 boxes besides the input, 6 lines besides the first, 4 of the dense layer, 3 questions and no more sources.
    assert len(PdfReader(BytesIO(made("pdf", True))).pages) == count + 7 + 6 + 4 + 3


def test_a_page_holds_everything_and_loads_nothing() -> None:
    text = made("html").decode()
    assert text.count('<section class="slide"') == 9
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert "default-src 'none'" in unescape(text)
    assert "<td>61,706</td>" in text
    assert "prefers-color-scheme:dark" in text
    names = re.findall(r' id="([^"]+)"', text)
    assert len(names) == len(set(names))
    assert "data-step" in made("html", True).decode()


@pytest.mark.slow
def test_the_same_deck_gives_the_same_page() -> None:
    assert render(usual_plan([analysis_of("lenet5")]), "html")[0] == made("html")


def test_hostile_words_stay_words() -> None:
    points = Points(title=HOSTILE, points=[HOSTILE + "<script>alert(1)</script>"], notes=HOSTILE)
    slides = (Wanted("section", Section(title=HOSTILE)), Wanted("points", points))
    text = render(Plan(HOSTILE, "", "", "", (), slides), "html")[0].decode()
    assert text.count("<script>") == 1
    assert "<b>" not in text
    assert "&lt;script&gt;" in text
    assert "\u202e" not in text
