"""Tables in plain text and HTML are the same tables."""

from __future__ import annotations

import pytest

from archcalc.core.errors import SpecError
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.teach.check.layouts import LAYOUTS
from tests.teach.check.tables import analysis_of

#: LeNet-5 by hand: (5·5·1 + 1)·6 = 156, (5·5·6 + 1)·16 = 2416, (400 + 1)·120 = 48,120.
ROWS = [
    ["Layer name", "Output size", "No. of params"],
    ["Conv 1", "28 x 28 x 6", "156"],
    ["Pool 1", "14 x 14 x 6", "0"],
    ["Conv 2", "10 x 10 x 16", "2,416"],
    ["FC 1", "120", "(400 + 1) * 120 = 48,120"],
]

#: The listing of CS231n's notes.
VGG = """
INPUT: [224x224x3]        memory:  224*224*3=150K   weights: 0
CONV3-64: [224x224x64]  memory:  224*224*64=3.2M   weights: (3*3*3)*64 = 1,728
CONV3-64: [224x224x64]  memory:  224*224*64=3.2M   weights: (3*3*64)*64 = 36,864
POOL2: [112x112x64]  memory:  112*112*64=800K   weights: 0
CONV3-128: [112x112x128]  memory:  112*112*128=1.6M   weights: (3*3*64)*128 = 73,728
"""


def verdicts(network: str, text: str, file: str = "table.txt") -> list[tuple[str, str, str]]:
    check = check_answers(analysis_of(network), parse_answers(text.encode(), file).answers)
    return [(cell.answer.layer, cell.quantity, str(cell.verdict)) for cell in check.cells]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_table_is_the_same_in_each_layout(layout: str) -> None:
    right = [(row[0], quantity, "right") for row in ROWS[1:] for quantity in ("output_shape", "params")]
    assert verdicts("lenet5", LAYOUTS[layout](ROWS)) == right


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wrong_cell_is_found_in_each_layout(layout: str) -> None:
    rows = [list(row) for row in ROWS]
    rows[3][2] = "2,400"
    wrong = [(one[0], one[1]) for one in verdicts("lenet5", LAYOUTS[layout](rows)) if one[2] == Verdict.WRONG]
    assert wrong == [("Conv 2", "params")]


def test_lines_that_describe_layers() -> None:
    found = verdicts("vgg16", VGG)
    assert [one[2] for one in found] == ["right"] * 15
    assert [one[0] for one in found][::3] == ["INPUT", "CONV3-64", "CONV3-64", "POOL2", "CONV3-128"]
    spoiled = verdicts("vgg16", VGG.replace("36,864", "36,684"))
    assert [one for one in spoiled if one[2] != "right"] == [("CONV3-64", "weights", "wrong")]


@pytest.mark.parametrize(
    "text",
    [
        # An empty cell in the middle, and a row of sums.
        "Layer    Output      Params\nC1       28x28x6     156\nS2                   0\nTotal                61706\n",
        # Names of two words under a heading of two.
        "Layer name  #Params\nC1 conv     156\nS2 pool     0\nF6 dense    10164\ntotal       61706\n",
        # A total over two columns.
        "<table><tr><th>Layer<th>Output<th>Params<tr><td>C1<td>28x28x6<td>156<tr><td colspan=2>Total<td>61706</table>",
        # Narrow spaces in numbers, and those of a page between columns.
        "Layer\u00a0\u00a0 Params\u00a0\u00a0 Output\nC1\u00a0 \u00a0  156\u00a0 \u00a0  28x28x6\n"
        "F6      10\u202f164   84\n"
        "Total   61\u2009706\n",
        # Single spaces, where all lines are blank at the same places.
        "Layer Output  Params\nC1    28x28x6 156\nS2    14x14x6 0\n",
        # Headings of two words over blanks that go through all lines, and those of Keras over shapes of another form.
        "Name      Output size      weights     Memory\nC1        (None, 28, 28, 6)  **150**   **4704**\n"
        "S2        (None, 14, 14, 6)  **0**     **1176**\n",
        "Couche    Taille de sortie    Nombre de paramètres\nC1    (6, 28, 28)    156\n"
        "S2    (6, 14, 14)    0\n",
        "Layer (type)    Output Shape    Param #\nC1    H=28, W=28, C=6    156\nS2    H=14, W=14, C=6    0\n",
        # Cells over several rows and columns, a raised digit, and what is struck out.
        "<TABLE><TR><TH>Layer<TH>Output<TH>Params<TR><TD>C1<TD>28<sup>2</sup>&times;6<TD><del>150</del> 156"
        "<TR><TD>S2<TD>14&times;14&times;6<TD>0</TABLE>",
        "<table><tr><th>Layer</th><th>Output</th><th>Params</th></tr><tr><td>C1</td><td>28x28x6</td><td>156</td></tr>"
        "<tr><td>S2</td><td rowspan='1'>14x14x6</td><td colspan='1'>0</td></tr></table>",
        # A cell on two lines of a grid.
        "+-------+---------+--------+\n| Layer | Output  | Params |\n+=======+=========+========+\n"
        "| C1    | 28x28x6 | (25+1) |\n|       |         | * 6    |\n+-------+---------+--------+\n"
        "| S2    | 14x14x6 | 0      |\n+-------+---------+--------+\n",
        "conv1 - output: 28x28x6; params: 156\npool1 - output: 14x14x6; params: 0\n",
        "conv1: output 28x28x6, params 156\npool1: output 14x14x6, params 0\n",
        "1. C1 (28x28x6) params = (25 + 1)*6 = 156\n2. S2 (14x14x6) params = 0\n",
    ],
)  # fmt: skip
def test_right_tables_in_less_usual_layouts(text: str) -> None:
    found = verdicts("lenet5", text)
    assert len(found) >= 4
    assert {one[2] for one in found} <= {"right", "empty"}


@pytest.mark.parametrize("text", ["", "\n\n", "a b c\n", "-----\n", "| |\n---\n", "Layer:\n", "<table></table>",
                                  "<table><tr><td colspan=99999>x</table>", "Layer\nOutput\n28\n"])  # fmt: skip
def test_what_is_no_table_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        parse_answers(text.encode(), "table.txt")


def test_the_row_of_the_input_is_no_column() -> None:
    """One cell a line: what stands after the headings is the name of the first row."""
    text = "layer\noutput\nparams\ninput\n32x32x1\n0\nConv 1\n28x28x6\n156\n"
    assert {one[2] for one in verdicts("lenet5", text)} == {"right"}
