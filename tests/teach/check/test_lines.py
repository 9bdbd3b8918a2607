"""Lines of plain text that describe a layer each, as people write them in forums and on slides."""

from __future__ import annotations

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.teach.check.tables import analysis_of

#: A network, lines about it, and how many answers are right; no other is there.
LINES = [
    ("lenet5", "C1: 6 feature maps of size 28x28, 156 trainable parameters\n"
               "S2: 6 feature maps of size 14x14, 0 trainable parameters\n", 4),
    ("lenet5", "Layer C1 has 6 feature maps of size 28x28 and 156 trainable parameters.\n", 1),
    ("lenet5", "- C1: 6 feature maps of size 28x28, 156 trainable parameters\n"
               "- S2: 6 feature maps of size 14x14, 0 parameters\n", 4),
    ("lenet5", "layer,output\nC1,\"6 feature maps of size 28x28, 156 trainable parameters\"\n", 2),
    ("lenet5", "layer,output\nC1,\"28x28x6, 156 params\"\nS2,14x14x6 (0 parameters)\n", 4),
    ("lenet5", "layer,output,params\nC1,6 feature maps of size 28x28,156 trainable parameters\n", 2),
    ("zfnet", "1) conv1: 7*7*3*96 + 96 = 14,208\n", 1),
    ("alexnet", "1) conv1: 11*11*3*96 + 96 = 34,944\n2) conv2: 5*5*96*256 + 256 = 614,656\n", 2),
    ("alexnet", "CONV1: 11*11*3*96 + 96 = 34944\nPOOL1: 0\nCONV2: (5*5*96 + 1)*256 = 614656\n", 3),
    ("zfnet", "Conv1 -> 110x110x96, params = (7*7*3+1)*96 = 14208\n", 2),
    ("zfnet", "Conv1 → 110x110x96 (14,208 params)\nPool1 → 55x55x96 (0 params)\n", 4),
    ("alexnet", "* conv1: 55x55x96, 34944 parameters\n* conv2: 27x27x256, 614656 parameters\n", 4),
    ("alexnet", "[227x227x3] INPUT\n[55x55x96] CONV1: 96 11x11 filters at stride 4, pad 0\n"
                "[27x27x96] MAX POOL1: 3x3 filters at stride 2\n[4096] FC6: 4096 neurons\n", 4),
]  # fmt: skip


@pytest.mark.parametrize("file", ["notes.txt", "notes.md", "stdin"])
@pytest.mark.parametrize(("network", "text", "right"), LINES)
def test_lines_about_layers(network: str, text: str, right: int, file: str) -> None:
    check = check_answers(analysis_of(network), parse_answers(text.encode(), file).answers)
    assert [cell.verdict for cell in check.cells] == [Verdict.RIGHT] * right


@pytest.mark.parametrize("text", ["conv1: (227-11)/4 + 1 = 55\n", "conv1: 55*55*96 = 290400\n"])
def test_calculations_of_what_nobody_says_are_no_parameters(text: str) -> None:
    with pytest.raises(Exception, match="should hold its answers"):
        parse_answers(text.encode(), "notes.txt")
