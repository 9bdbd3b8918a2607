"""The readers of `tables`: they must see a number that is wrong, in every format."""

from __future__ import annotations

import pytest

from tests.cli.runner import DATA, Run
from tests.render.tables.tables import READERS, Page, check_output, read_text
from tests.tiers import slow_but

MODULES = str(DATA / "modules.yaml")
FORMATS = [*READERS, "json"]


@pytest.mark.parametrize("form", slow_but([form for form in FORMATS if form != "html"], FORMATS))
@pytest.mark.parametrize(
    "wrong", [("1,152", "1,153"), ("36,864", "36,854"), ("4,165", "4,166"), ("130,780", "130,870")]
)
def test_a_wrong_number_is_seen(archcalc: Run, form: str, wrong: tuple[str, str]) -> None:
    text = archcalc("report", MODULES, "-f", form).out
    check_output(form, text)
    right, other = wrong if form not in ("csv", "json") else (number.replace(",", "") for number in wrong)
    # The first place is in the table, reported figures and notes come after it; in a page totals stand before it.
    at = (
        text.index(right, max(text.find('<table class="layers">'), 0))
        if form != "json" or right != "4165"
        else text.rindex(f'"params": {right}') + len('"params": ')
    )
    changed = text[:at] + other + text[at + len(right) :]
    assert changed != text
    with pytest.raises(AssertionError):
        check_output(form, changed)


@pytest.mark.parametrize(
    "wrong", [("56.4 %", "66.4 %"), ("27.7 %", "–"), ("4.00 KiB", "14.0 KiB"), ("35.2 KiB", "35.2 MiB")]
)
def test_a_wrong_share_or_size_is_seen(archcalc: Run, wrong: tuple[str, str]) -> None:
    text = archcalc("report", MODULES).out
    right, other = wrong
    width = max(len(right), len(other))
    changed = text.replace(right.rjust(width), other.rjust(width), 1)
    assert changed != text
    with pytest.raises(AssertionError):
        check_output("table", changed)


@pytest.mark.parametrize("form", slow_but([form for form in READERS if form != "html"], READERS))
def test_a_lost_row_is_seen(archcalc: Run, form: str) -> None:
    lines = archcalc("report", MODULES, "-f", form).out.splitlines(keepends=True)
    kept = [line for line in lines if "classifier" not in line]
    assert len(kept) < len(lines)
    with pytest.raises(AssertionError):
        check_output(form, "".join(kept))


def test_columns_are_separated_by_gaps() -> None:
    lines = ["layer  a b  total", "input           1", "c d    e f     22", "─" * 17, "total          23"]
    text = "\n".join(["T", "", *lines, "", "note", ""])
    (table,) = read_text(text)
    assert table.heads == ["layer", "a b", "total"]
    assert table.rows == [["input", "", "1"], ["c d", "e f", "22"]]
    assert table.total == ["total", "", "23"]


@pytest.mark.parametrize("text", ["<p>", "<p></b></p>", "</p>", "<p>a</p>b", "<p><b></p></b>"])
def test_pages_that_are_not_well_formed(text: str) -> None:
    with pytest.raises(AssertionError):
        Page(text)


def test_a_page_is_read() -> None:
    page = Page('<!doctype html>\n<p class="a">1 &lt; 2<br>3</p>\n')
    assert (page.texts, page.tables) == ({"p": ["1 < 23"]}, [])
    page = Page('<!doctype html>\n<table class="layers"><tr><td><i></i>a<b>c</b></td></tr></table><table></table>')
    assert page.tables == [[["ac"]]]
