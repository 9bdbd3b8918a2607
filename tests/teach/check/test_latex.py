"""Tables of answers in LaTeX."""

from __future__ import annotations

import pytest

from archcalc.core.errors import SpecError
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.answers.latex import plain_text
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.cli.runner import Run
from tests.teach.check.tables import analysis_of

TABLE = r"""\documentclass{article}
\begin{table}[h]\centering
\begin{tabular}{|l|c|r|} % columns
\hline
Layer & Output & Params \\ \hline
\texttt{conv1} & $55\times55\times96$ & 34{,}944 \\ \hline
pool1 & $27 \times 27 \times 96$ & 0 \\[2pt]
\multicolumn{3}{|c|}{\textbf{second part}} \\
conv2 & \makecell{$27\times27$ \\ $\times256$} & $614\,656$ \\ \cmidrule(lr){1-2}
fc6 & 4096 & \num{37752832} \\
\textbf{Total} & & \textbf{62{,}378{,}344} \\ \hline
\end{tabular}
\caption{AlexNet} \end{table}
"""


@pytest.mark.parametrize("name", ["a.tex", "a.txt", "a.csv", "stdin"])
def test_a_table_in_latex_is_read(name: str) -> None:
    found = check_answers(analysis_of("alexnet"), parse_answers(TABLE.encode(), name).answers)
    answered = [cell for cell in found.cells if cell.verdict is not Verdict.EMPTY]
    assert [(cell.layer, cell.quantity) for cell in answered] == [
        ("conv1", "output_shape"), ("conv1", "params"), ("pool1", "output_shape"), ("pool1", "params"),
        ("conv2", "output_shape"), ("conv2", "params"), ("fc6", "output_shape"), ("fc6", "params"), ("total", "params"),
    ]  # fmt: skip
    assert {cell.verdict for cell in answered} == {Verdict.RIGHT}
    assert found.cells[0].answer.place is not None
    assert found.cells[0].answer.place.row == 6


@pytest.mark.parametrize(
    "environment",
    [
        r"tabular*}{\textwidth}{@{\extracolsep{\fill}}lr",
        r"tabularx}{8cm}{l|X",
        "longtable}[c]{ll",
        "array}{cc",
        "tblr}{ll",
    ],
)
def test_other_environments(environment: str) -> None:
    text = rf"\begin{{{environment}}} layer & params \\ \hline conv1 & 34944 \\ \end{{tabular}}"
    (answer,) = parse_answers(text.encode(), "a.tex").answers
    assert (answer.layer, answer.quantity, answer.text) == ("conv1", "params", "34944")


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        (r"\hline \textbf{$55\times55\times96$}", "55×55×96"),
        (r"$(227-11)/4+1 = 55$", "(227-11)/4+1 = 55"),
        (r"$\left\lfloor\frac{55-3}{2}\right\rfloor+1$", "⌊(55-3)/(2)⌋+1"),
        (r"\multirow{2}{*}{\emph{conv1\_1}}", "conv1_1"),
        (r"34~944 & ", "34 944 &"),
        (r"\rowcolor{gray!10}$11^{2}\cdot3$", "11^2·3"),
        (r"{\bf 35K}", "35K"),
    ],
)
def test_plain_text(source: str, plain: str) -> None:
    assert plain_text(source) == plain


def test_a_report_in_latex_is_right(archcalc: Run) -> None:
    text = archcalc("report", "lenet5", "-f", "latex").out
    assert check_answers(analysis_of("lenet5"), parse_answers(text.encode(), "a.tex").answers).is_right


def test_a_table_without_columns_to_check_is_an_error() -> None:
    for text in (r"\begin{tabular}{|l|c|r|} name & colour \\ conv1 & red \\ \end{tabular}", r"\begin{tabular}{ll}"):
        with pytest.raises(SpecError, match="holds no table of answers"):
            parse_answers(text.encode(), "a.tex")


@pytest.mark.parametrize(
    "text", ["\\begin{tabular}" * 500, "\\begin{tabular}{" * 300, "\\begin{tabular}{l}" + "{&\\\\" * 5000]
)
def test_hostile_tables_end(text: str) -> None:
    with pytest.raises(SpecError):
        parse_answers(text.encode(), "a.tex")
