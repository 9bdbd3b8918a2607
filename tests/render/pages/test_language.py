"""Pages in other languages: no sentence stays English, and Hebrew runs from right to left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest

from archcalc.core.language import use
from archcalc.render.pages.report import render
from archcalc.render.tables.report import make_report
from tests.core.messages import TRANSLATED
from tests.render.pages.made import analysis_of

#: Two words of English next to each other, which names of layers and abbreviations are not.
ENGLISH = re.compile(r"\b[a-z]{3,} [a-z]{3,}\b")
#: What stays as it is quoted: titles of papers, and where figures are printed.
QUOTED = re.compile(r'(?s)<a href="https?:.*?</a>|<td class="text">.*?</td>')


@pytest.fixture(params=TRANSLATED)
def chosen(request: pytest.FixtureRequest) -> Iterator[str]:
    use(request.param)
    yield request.param
    use("en")


def visible(page: str) -> str:
    """What a reader sees or hears: texts, labels and what the script says."""
    body = re.sub(r"(?s)<(style|script)\b.*?</\1>", " ", page[page.index("<body") :])
    body = QUOTED.sub(" ", body)
    labels = " ".join(re.findall(r' (?:aria-label|placeholder|data-says)="([^"]*)"', body))
    return unescape(re.sub("<[^>]*>", "\n", body) + labels)


@pytest.mark.parametrize("names", [["alexnet"], ["lenet5", "alexnet"]], ids="-".join)
def test_no_sentence_is_english(names: list[str], chosen: str) -> None:
    page = render([make_report(analysis_of(name)) for name in names]).text
    assert f'<html lang="{chosen}" dir="{"rtl" if chosen == "he" else "ltr"}">' in page
    assert ENGLISH.findall(visible(page)) == []
    # The derivations, which the script shows: each label, unit and note.
    data = "".join(re.findall(r'(?s)<script type="application/json"[^>]*>(.*?)</script>', page))
    assert ENGLISH.findall(data) == []
