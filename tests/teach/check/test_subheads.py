"""Tables whose headings stand in two rows, and cells that reach over several rows or columns."""

from __future__ import annotations

import io

import openpyxl
import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.answers.subheads import one_heading
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.teach.check.tables import analysis_of

#: The text of a table of AlexNet, the ending of its file, and how many cells it has; all are right.
TABLES = [
    ("layer,output,,params\n,L,C,\nconv1,55,96,34944\npool1,27,96,0\n", "csv", 4),
    ("layer,output,,,params\n,H,W,C,\nconv1,55,55,96,34944\npool1,27,27,96,0\n", "csv", 4),
    ("layer,output,output,output,params\n,H,W,C,\nconv1,55,55,96,34944\n", "csv", 2),
    ("layer,output,params,,\n,,weights,biases,total\nconv1,55x55x96,34848,96,34944\n", "csv", 4),
    ("layer,Parameters,,\n,weights,biases,total\nconv1,34848,96,34944\n", "csv", 3),
    (",Input,,,Output,,,Params\nLayer,H,W,C,H,W,C,\npool1,55,55,96,27,27,96,0\n", "csv", 2),
    ("Layer,Input size,,Output size,,Params\n,C,H/W,C,H/W,\nconv1,3,227,96,55,34944\n", "csv", 2),
    ("Layer,Feature map,,Params (K),MACs (M)\n,size,depth,,\nconv1,55x55,96,34.9,105.4\n", "csv", 3),
    ("layer;output;;params;\n;size;depth;weights;biases\nconv1;55x55;96;34848;96\n", "csv", 3),
    ("Layer\tOutput\t\t\tParams\n\tW\tH\tD\t\nconv1\t55\t55\t96\t34944\n", "tsv", 2),
    ("layer,output,params\n,(HxWxC),(weights+biases)\nconv1,55x55x96,34944\n", "csv", 2),
    ("layer,output,params,memory\n,,,(KB)\nconv1,55x55x96,34944,1134.4\n", "csv", 3),
    ("layer,output,params\n[-],[px],[#]\nconv1,55x55x96,34944\n", "csv", 2),
    ("| Layer | Output | | Params |\n|---|---|---|---|\n| | side | channels | |\n| conv1 | 55 | 96 | 34944 |\n",
     "md", 2),
    ("<table><tr><th rowspan=2>Layer</th><th colspan=3>Output</th><th rowspan=2>Params</th></tr>"
     "<tr><th>H</th><th>W</th><th>C</th></tr>"
     "<tr><td>conv1</td><td>55</td><td>55</td><td>96</td><td>34944</td></tr></table>", "html", 2),
    ("<table><tr><th>Layer</th><th>Output</th><th>Params</th></tr><tr><td>conv3</td><td rowspan=2>13x13x384</td>"
     "<td>885120</td></tr><tr><td>conv4</td><td>1327488</td></tr></table>", "html", 4),
    ("\\begin{tabular}{l|cc|r}\n\\multirow{2}{*}{Layer} & \\multicolumn{2}{c|}{Output} &"
     "\\multirow{2}{*}{Params} \\\\\n & size & channels & \\\\ \\hline\n"
     "conv1 & 55 & 96 & 34944 \\\\\n\\end{tabular}\n", "tex", 2),
    ("Block,Layer,Output,Params\n1,conv1,55x55x96,34944\n,pool1,27x27x96,0\n2,conv2,27x27x256,614656\n", "csv", 6),
]  # fmt: skip


def verdicts(data: bytes, name: str) -> list[Verdict]:
    return [cell.verdict for cell in check_answers(analysis_of("alexnet"), parse_answers(data, name).answers).cells]


@pytest.mark.parametrize(("text", "ending", "count"), TABLES)
def test_a_heading_in_two_rows(text: str, ending: str, count: int) -> None:
    assert verdicts(text.encode(), f"a.{ending}") == [Verdict.RIGHT] * count


def test_merged_cells_of_a_spreadsheet() -> None:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("answers", 0)
    for row in (
        ["Layer", "Output", None, None, "Params", None],
        [None, "H", "W", "C", "weights", "biases"],
        ["conv1", 55, 55, 96, 34848, 96],
        ["pool1", 27, 27, 96, 0, 0],
    ):
        sheet.append(row)
    for cells in ("A1:A2", "B1:D1", "E1:F1"):
        sheet.merge_cells(cells)
    file = io.BytesIO()
    book.save(file)
    assert verdicts(file.getvalue(), "a.xlsx") == [Verdict.RIGHT] * 6


@pytest.mark.parametrize(
    "below",
    [["conv1", "55", "96"], ["", "", ""], ["", "55", "96"], ["conv1", "", ""], ["", "〃", "〃"], ["total", "", ""]],
)
def test_a_row_of_the_table_is_no_heading(below: list[str]) -> None:
    assert one_heading(["layer", "output", "params"], below) is None
