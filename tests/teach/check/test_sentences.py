"""Answers in sentences: what they say of a whole layer is judged, and nothing else."""

from __future__ import annotations

import pytest

from archcalc.core.errors import SpecError
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.teach.check.tables import analysis_of

FIRST = "The first convolutional layer has 96 kernels of size 11x11x3 with stride 4, giving 55x55x96 and {} parameters."
#: Sentences about AlexNet, and the quantities that are right and wrong in them.
SENTENCES = [
    (FIRST.format("34,944"), 2, 0),
    (FIRST.format("34,848"), 1, 1),
    ("conv2 has 614,656 parameters. The third convolutional layer outputs a 13×13×384 volume.", 2, 0),
    ("- The fc6 layer has 37,752,832 parameters\n- conv4 has 1,327,104 weights and 384 biases", 3, 0),
    ("Finally, the network has 62,378,344\nparameters.", 1, 0),
    ("The second convolutional layer, which has 5x5 windows, has 614,000 parameters. It is large.", 0, 1),
    ("The fc8 layer has 4,097,001 parameters; fc7 has 16,781,312 parameters.", 1, 1),
    ("conv1 has 34,944 parameters. Each filter of conv5 has 3456 weights. conv5 has 3456 weights per filter.", 1, 0),
    ("conv1 has 34,944 parameters. conv2 has 300,000 parameters more.", 1, 0),
    ("conv1 has 34,944 parameters. conv2 reads the output of conv1, 55x55x96.", 1, 0),
]


@pytest.mark.parametrize("ending", ["txt", "md"])
@pytest.mark.parametrize(("text", "right", "wrong"), SENTENCES)
def test_what_sentences_say_of_layers_is_judged(text: str, right: int, wrong: int, ending: str) -> None:
    check = check_answers(analysis_of("alexnet"), parse_answers(text.encode(), f"a.{ending}").answers)
    assert (check.count(Verdict.RIGHT), check.count(Verdict.WRONG), len(check.cells)) == (right, wrong, right + wrong)


def test_sentences_without_an_answer_are_no_table() -> None:
    with pytest.raises(SpecError, match="no table of answers"):
        parse_answers(b"AlexNet has five convolutions. They are large.", "a.md")


CONFIGURATIONS = """| A | D |
|---|---|
| conv3-64 | conv3-64 |
| | conv3-64 |
| maxpool | |
| conv3-128 | conv3-128 |
| | conv3-128 |
| FC-4096 | |
"""


@pytest.mark.parametrize("ending", ["txt", "md"])
def test_lists_of_layers_have_nothing_to_check(ending: str) -> None:
    """Simonyan & Zisserman 2014, table 1."""
    with pytest.raises(SpecError, match="each column lists the layers of a network"):
        parse_answers(CONFIGURATIONS.encode(), f"a.{ending}")


def test_a_configuration_may_be_the_heading_of_its_layers() -> None:
    rows = ("D | params", "---|---", "conv3-64 | 1792", "conv3-64 | 36928", "maxpool | 0", "conv3-128 | 73857")
    table = "".join(f"| {row} |\n" for row in rows).encode()
    check = check_answers(analysis_of("vgg16"), parse_answers(table, "a.md").answers)
    assert (check.count(Verdict.RIGHT), check.count(Verdict.WRONG)) == (3, 1)
