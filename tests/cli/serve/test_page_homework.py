"""Exercises and checks of hand calculations as the page shows them, in Chromium."""

from __future__ import annotations

import pytest

from tests.cli.serve.playground import Playground

#: Fills in blanks of an exercise, {"LAYER KEY": text}, in the first sheet that has them all; then asks for the marks.
FILL = """
const [cells, done] = arguments;
const input = (cell) => {
  const [layer, key] = cell.split(' ');
  return document.querySelector(`.exercise tr[data-layer="${layer}"] td.${key} input`);
};
const names = Object.keys(cells);
let tries = 0;
const look = () => {
  if (names.every(input)) {
    for (const name of names) input(name).value = cells[name];
    document.querySelector('.exercise form').requestSubmit();
    done(true);
  } else if (++tries > 60) done(false);
  else {
    document.querySelector('.exercise > .tools button').click();
    const wait = () => (document.querySelector('main').dataset.state === 'ready' ? look() : setTimeout(wait, 20));
    setTimeout(wait, 20);
  }
};
look();
"""


def fill(page: Playground, cells: dict[str, str]) -> None:
    assert page.browser.driver.execute_async_script(FILL, cells)
    page.wait(".exercise .summary", lambda found: found != [""])


@pytest.mark.parametrize("width", [1440, 390])
def test_a_mistake_that_is_carried_is_marked_as_in_a_check(page: Playground, width: int) -> None:
    page.open("alexnet&view=exercise", width)
    fill(page, {"pool2 output_shape": "14x14x256", "conv3 output_shape": "14x14x384"})
    assert page.browser.texts(".exercise .mark") == ["✗ wrong", "✓ carried forward"]
    wrong, carried = page.browser.texts(".exercise .hintline")
    assert wrong.count("padded by 1") == 1
    assert carried == "output right, given your output of pool2. Show the answer"
    assert page.browser.texts(".exercise .summary")[0].startswith("1 of")
    page.browser.click(".exercise .answer")
    lines = page.wait(".exercise .hintline div", bool)
    assert lines == ["H₂ = (H₁ − F + 2P)/S + 1 = (27 − 3 + 2·0)/2 + 1 = 24/2 + 1 = 13", "13×13×256"]
    assert page.violations() == []


@pytest.mark.parametrize(("fragment", "width"), [("", 1440), ("&embed=1", 1440), ("", 390)])
def test_an_exercise_says_what_each_layer_does_and_gives_no_answer(page: Playground, fragment: str, width: int) -> None:
    page.open(f"alexnet&layer=conv2&view=exercise{fragment}", width)
    cell = page.browser.find(".exercise tr[data-layer=conv1] .operation")
    assert cell.text == "conv 11×11, 96 filters, stride 4, no padding"
    assert cell.is_displayed()
    assert cell.rect["x"] + cell.rect["width"] <= width
    for part in (".totals", ".layer"):
        assert not page.browser.find(part).is_displayed(), part
    if not fragment:
        page.view("table")
        page.browser.until(lambda: page.browser.find(".layer").is_displayed())
        assert page.browser.find(".totals").is_displayed()


def test_the_answer_of_an_exercise_comes_on_request(page: Playground) -> None:
    page.open("lenet5&view=exercise")
    cell = page.browser.find(".exercise input[data-key=multiplications]")
    cell.send_keys("7")
    page.browser.click(".exercise .primary")
    hint = page.wait(".exercise .hintline", bool)[0]
    assert "Show the answer" in hint
    assert "117,600" not in hint
    page.browser.click(".exercise .answer")
    assert page.wait(".exercise .hintline div", bool) == ["H₂·W₂·K·F·F·D₁ = 28·28·6·5·5·1 = 4704·25 = 117,600"]


def test_the_score_of_an_exercise_is_in_the_language_of_the_page(page: Playground) -> None:
    page.open("lenet5&lang=he&view=exercise")
    page.browser.click(".exercise .primary")
    score = page.wait(".exercise .summary", lambda found: found != [""])
    assert "מתוך" in score[0]


def test_a_check_gives_the_reasons_of_the_command_line(page: Playground) -> None:
    page.open("alexnet&view=check")
    page.browser.find("#check-text").send_keys(
        "layer,params,output\nconv1,34848,\nconv4,885120,13x13x384\ntotal,61935880,\n"
    )
    page.browser.click(".check .primary")
    *_, before, last = page.wait(".check .result tbody tr", bool)
    assert "13x13x384" in before  # the total has no output, so nothing is asked there
    assert last == "total params 61935880 ✓ carried forward right, given your column."


def test_a_check_is_of_what_was_given_last(page: Playground) -> None:
    page.open("alexnet&view=check")
    text = page.browser.find("#check-text")
    text.send_keys("layer,params\nconv1,34848\n")
    page.drop("hand.csv", b"layer,params\nconv1,34944\nconv2,614656\n")
    page.wait(".check .summary", lambda texts: texts == ["2 of 2 right"])
    assert text.get_attribute("value") == ""
    page.browser.click(".check .primary")
    page.wait(".check .summary", lambda texts: texts == ["2 of 2 right"])
    text.send_keys("layer,params\nconv1,34848\n")
    assert page.browser.run("return document.querySelector('#check-file').files.length") == 0
    page.browser.click(".check .primary")
    page.wait(".check .summary", lambda texts: texts == ["0 of 1 right, 1 wrong"])
