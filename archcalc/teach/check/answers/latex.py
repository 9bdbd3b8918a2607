"""Tables in LaTeX: tabular, longtable, array and the like. Nothing is run; what only sets text is taken off."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archcalc.core.language import say
from archcalc.teach.check.answers.table import MOST_COLUMNS, MOST_ROWS, Answers, Item, fault, read_tables
from archcalc.teach.check.model import Place

_NAMES = r"(?:long|xl)?tab(?:ular[*xy]?|u|ulary)|longtable|longtabu|supertabular|tblr|longtblr|array"
_BEGIN = re.compile(rf"\\begin\s*\{{(?P<name>{_NAMES})\}}")
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
#: Ends of cells and of rows, braces, and tables within a cell.
_MARK = re.compile(r"\\\\\*?(?:\s*\[[^\]\n]*\])?|\\tabularnewline\b|\\(?:begin|end)\s*\{[^}\n]*\}|\\.|[{}&]", re.DOTALL)
_SPAN = re.compile(r"\\multicolumn\s*\{\s*(?P<count>\d{1,3})\s*\}")
#: Lines, colours, captions: nothing of a cell.
_OUTSIDE = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|specialrule|cmidrule|cline|hhline|addlinespace|rowcolor|cellcolor|caption"
    r"|label|endhead|endfirsthead|endfoot|endlastfoot|centering|raggedright|noalign|rule|vspace|hspace)\b\*?"
    r"(?:\s*(?:\[[^\]]*\]|\([^)]*\)|\{[^{}]*\}))*"
)
#: The last argument is what is read.
_TEXT = re.compile(
    r"\\(?:multicolumn\s*\{[^{}]*\}\s*\{[^{}]*\}|multirow\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}"
    r"|textcolor\s*\{[^{}]*\}|text\w*|math\w+|emph|underline|mbox|hbox|num|makecell|shortstack|thead|ensuremath"
    r"|operatorname)\s*(?:\[[^\]]*\])?\s*\{(?P<text>[^{}]*)\}"
)
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_SIGNS = {
    "\\times": "×", "\\cdot": "·", "\\approx": "≈", "\\sim": "~", "\\lfloor": "⌊", "\\rfloor": "⌋", "\\lceil": "⌈",
    "\\rceil": "⌉", "\\div": "÷", "\\left": "", "\\right": "", "\\%": "%", "\\_": "_", "\\&": "&", "\\#": "#",
    "\\$": "$", "\\,": " ", "\\;": " ", "\\:": " ", "\\!": "", "\\ ": " ", "~": " ", "{,}": ",", "---": "–", "--": "–",
    "\\\\": " ",
}  # fmt: skip
_SIGN = re.compile("|".join(re.escape(sign) + (r"(?![a-zA-Z])" if sign[-1].isalpha() else "") for sign in _SIGNS))
_LONGEST_CELL = 5000


def looks_like_latex(text: str) -> bool:
    """Whether a text has a table of LaTeX."""
    return _BEGIN.search(text) is not None


def read_latex(text: str, file: str) -> Answers:
    """The answers of every table of a document that has columns to check. Raises `SpecError` without one."""
    tables = [table for table in _tables(text, file) if table]
    how = say("its first row names the columns: {names}", names=r"layer & output & params \\")
    return read_tables(tables, file, how)


def _tables(text: str, file: str) -> Iterator[list[list[Item]]]:
    plain = _COMMENT.sub(lambda match: " " * len(match[0]), text)
    end = 0
    while match := _BEGIN.search(plain, end):
        start = _after_arguments(plain, match.end())
        rows, end = _rows(plain, start, file)
        yield rows


def _after_arguments(text: str, start: int) -> int:
    """Behind the width and the columns that follow the name of an environment."""
    while match := re.compile(r"\s*([\[{])").match(text, start):
        depth, at = 0, match.end() - 1
        for at in range(match.end() - 1, min(len(text), match.end() + _LONGEST_CELL)):
            depth += (text[at] in "{[") - (text[at] in "}]")
            if not depth:
                break
        if "&" in text[match.end() : at] or (match[1] == "[" and start > match.end()):
            break
        start = at + 1
    return start


def _rows(text: str, start: int, file: str) -> tuple[list[list[Item]], int]:
    """The rows of a table from its first cell on, and where it ends."""
    rows: list[list[Item]] = [[]]
    depth = inner = 0
    begin = start
    for match in _MARK.finditer(text, start):
        sign = match[0]
        depth += (sign == "{") - (sign == "}")
        if sign.startswith("\\end") and sign[4:5] in " {":
            inner -= 1
        is_row = sign.startswith(("\\\\", "\\tabularnewline"))
        if inner < 0 or (not inner and depth <= 0 and (is_row or sign == "&")):
            rows[-1] += _cells(text[begin : match.start()], text.count("\n", 0, begin) + 1, len(rows[-1]) + 1, file)
            begin = match.end()
            if is_row:
                rows.append([])
        if sign.startswith("\\begin") and sign[6:7] in " {":
            inner += 1
        if inner < 0:
            break
        if len(rows) > MOST_ROWS or len(rows[-1]) > MOST_COLUMNS:
            raise fault(say("is too large for a table of answers"), Place(file, text.count("\n", 0, begin) + 1, 1))
    return [row for row in rows if any(item.text for item in row)], max(begin, start + 1)


def _cells(source: str, line: int, column: int, file: str) -> Iterator[Item]:
    """A cell, and the empty ones that it covers."""
    text = source[:_LONGEST_CELL]
    line += len(text) - len(text.lstrip()) and text[: len(text) - len(text.lstrip())].count("\n")
    yield Item(plain_text(text), Place(file, line, column))
    if span := _SPAN.search(text):
        for more in range(1, min(int(span["count"]), MOST_COLUMNS)):
            yield Item("", Place(file, line, column + more))


def plain_text(source: str) -> str:
    r"""A cell as a person reads it.

    >>> plain_text(r"\hline \textbf{$55\times55\times96$}")
    '55×55×96'
    """
    text, before = source, ""
    while text != before:
        before = text
        text = _TEXT.sub(lambda match: match["text"], _OUTSIDE.sub(" ", text))
        text = _FRACTION.sub(r"(\1)/(\2)", text)
    text = _SIGN.sub(lambda match: _SIGNS[match[0]], text.replace("$", "") if "\\$" not in text else text)
    text = re.sub(r"\\[a-zA-Z]+\*?", " ", text)
    return re.sub(r"\s+", " ", text.replace("{", "").replace("}", "")).strip()
