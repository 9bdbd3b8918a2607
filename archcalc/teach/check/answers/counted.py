"""What tools that count print of each module, pasted as it is: fvcore's table and tree, ptflops's tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.teach.check.answers.table import MOST_ROWS, Answers, fault
from archcalc.teach.check.model import OF_TOOL, TOTAL, Answer, Place

_TABLE = re.compile(r"\W*module\W+#parameters or shape\W+#flops\W*")
#: | layer1.0.conv1 | 36.864K | 0.116G |; arrays have their shape in the place of a number.
_ROW = re.compile(
    r"\s*\|\s*(?P<name>[\w.]+)\s*\|\s*(?P<params>[\d.]+[KMGTP]?)?\s*\|\s*(?P<operations>[\d.]+[KMGTP]?)?\s*\|\s*"
)
#: (conv1): Conv2d( begins a module, and ) or a line with ) at its end closes it.
_MODULE = re.compile(r"\s*(?:\((?P<name>[\w.]+)\): )?(?P<kind>\w+)\((?P<rest>.*)")
_COUNTS = {
    "ptflops": re.compile(
        r"(?P<params>[\d.]+ ?[kKMG]?), [\d.]+% Params, (?P<operations>[\d.]+ ?[KMGT]?)Macs?, (?P<share>[\d.]+)% MACs"
    ),
    "fvcore": re.compile(r"#params: (?P<params>[\d.]+[KMGTP]?), #flops: (?P<operations>[\d.]+[KMGTP]?|N/A)"),
}
_LONGEST_LINE, _LONGEST_START = 400, 20_000


class _Counts(NamedTuple):
    """A module, and its counts as they were printed; empty where there are none."""

    name: str
    line: int
    params: str
    operations: str


def counted_by(text: str) -> str:
    """The tool that printed the counts of modules; empty where none did."""
    lines = [line[:_LONGEST_LINE] for line in text[:_LONGEST_START].splitlines()]
    if any(map(_TABLE.fullmatch, lines)):
        return "fvcore"
    if not any(match and not match["name"] for match in map(_MODULE.fullmatch, lines)):
        return ""
    return next((tool for tool, counts in _COUNTS.items() if any(map(counts.search, lines))), "")


def read_counted(text: str, file: str) -> Answers:
    """The answers of counts by modules: parameters, and multiplications as the tool counts them."""
    lines = [line[:_LONGEST_LINE] for line in text.splitlines()]
    if len(lines) > MOST_ROWS:
        raise fault(say("holds more than {count:,} lines", count=MOST_ROWS), Place(file, MOST_ROWS, 1))
    tool = counted_by(text)
    rows = _of_table(lines) if any(map(_TABLE.fullmatch, lines)) else _of_tree(lines, _COUNTS[tool])
    answers = [
        Answer(row.name, quantity, written.replace(" ", ""), Place(file, row.line, 1), OF_TOOL + tool)
        for row in rows
        for quantity, written in (("params", row.params), ("multiplications", row.operations))
        if written
    ]
    note = say("not checked: MACs of modules that hold others or have no weights, which ptflops counts in several ways")
    return Answers(tuple(answers), (note,) if tool == "ptflops" else ())


def _of_table(lines: list[str]) -> Iterator[_Counts]:
    is_first = True
    for number, line in enumerate(lines, 1):
        if match := _ROW.fullmatch(line):
            yield _Counts(
                TOTAL if is_first else match["name"], number, match["params"] or "", match["operations"] or ""
            )
            is_first = False


def _of_tree(lines: list[str], counts: re.Pattern[str]) -> Iterator[_Counts]:
    """The modules by their whole names: features.0."""
    names: list[str] = []
    for number, line in enumerate(lines, 1):
        module = _MODULE.fullmatch(line)
        if module is not None and (module["name"] or not names):
            names.append(module["name"] or "")
        found = counts.search(line)
        if found is not None and names:
            # ptflops counts modules without weights twice, but prints some of them once.
            is_counted = "share" not in counts.groupindex or (module is not None and found["params"] != "0")
            operations = found["operations"] if is_counted and found["operations"] != "N/A" else ""
            yield _Counts(".".join(names[1:]) or TOTAL, number, found["params"], operations)
        closing = line.count(")") - line.count("(")
        if module is not None:
            closing += 1
        if names and closing > 0:
            names.pop()
