"""What tools that count print of each module, pasted as it is: the tables and trees of fvcore, ptflops and others.

DeepSpeed and calflops print totals before the tree. thop gives a pair of totals, and of the modules a dictionary.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from archcalc.core.language import say
from archcalc.teach.check.answers.table import MOST_ROWS, Answers, fault
from archcalc.teach.check.model import OF_TOOL, TOTAL, Answer, Place

_TABLE = re.compile(r"\W*(?:module\W+#parameters or shape\W+#flops|name\W+#elements or shape)\W*")
#: | layer1.0.conv1 | 36.864K | 0.116G |, or without operations; arrays have their shape in the place of a number.
_ROW = re.compile(
    r"\s*\|\s*(?P<name>[\w.]+)\s*\|\s*(?P<params>[\d.]+[KMGTP]?)?\s*\|\s*(?:(?P<operations>[\d.]+[KMGTP]?)?\s*\|\s*)?"
)
#: What fvcore calls the network itself.
_ROOT = "model"
#: (conv1): Conv2d( begins a module, and ) or a line with ) at its end closes it.
_MODULE = re.compile(r"\s*(?:\((?P<name>[\w.]+)\): )?(?P<kind>\w+)\((?P<rest>.*)")
#: DeepSpeed and calflops, which has FLOPs in the place of a latency; older ones have a comma before the share.
_PROFILE = (
    r"(?P<params>[\d.]+ ?[kKMGT]?)(?: = |, )[\d.]+% Params, "
    r"(?P<operations>[\d.]+ ?[KMGT]?)MACs(?: = |, )[\d.]+% MACs, "
)
_COUNTS = {
    "ptflops": re.compile(
        r"(?P<params>[\d.]+ ?[kKMG]?), [\d.]+% Params, (?P<operations>[\d.]+ ?[KMGT]?)Macs?, (?P<share>[\d.]+)% MACs"
    ),
    "fvcore": re.compile(r"#params: (?P<params>[\d.]+[KMGTP]?), #flops: (?P<operations>[\d.]+[KMGTP]?|N/A)"),
    "calflops": re.compile(_PROFILE + r"[\d.]+ ?[KMGT]?FLOPS(?: = |, )[\d.]+% FLOPs"),
    "deepspeed": re.compile(_PROFILE + r"[\d.]+ ?[munµ]?s(?: = |, )[\d.]+% latency"),
}
#: Totals without a tree: parameters, and multiplications.
_TOTALS = {
    "deepspeed": (r"params per (?:GPU|device)", r"fwd MACs per (?:GPU|device)"),
    "calflops": (r"Total Training Params", r"fwd MACs"),
    "ptflops": (r"Number of parameters", r"Computational complexity"),
}
_AMOUNT = r"\s*:\s*(?P<number>\d[\d.]* ?[kKMGT]?)(?:MACs|Macs?)?\s*"
#: Tools that leave out zeros after two decimals: 3.6 M is 3.60 M.
_TWO_DECIMALS = ("calflops", "deepspeed")
#: What thop says of the rules that it uses, and the pair that it returns, as it is and by clever_format.
_OF_THOP = re.compile(r"\[(?:INFO|WARN)\] (?:Register|Cannot find rule|Customize rule) ")
_NUMBER = r"\d+(?:\.\d+)?"
_PAIR = re.compile(rf"\(?\s*'?(?P<operations>{_NUMBER}[KMGT]?)'?,?\s+'?(?P<params>{_NUMBER}[KMGT]?)'?\s*\)?")
_CLEVER = re.compile(rf"\('{_NUMBER}[KMGT]?', '{_NUMBER}[KMGT]?'\)|\({_NUMBER}, {_NUMBER}\)")
_SAID = {
    "operations": re.compile(rf"\b(?:MACs|FLOPs)\W{{1,4}}({_NUMBER} ?[KMGT]?)", re.IGNORECASE),
    "params": re.compile(rf"\bparam(?:eter)?s\W{{1,4}}({_NUMBER} ?[KMGT]?)", re.IGNORECASE),
}
_MACS_AND_PARAMS = re.compile(
    rf"MACs\W{{1,4}}{_NUMBER} ?[KMGT]?\W{{1,4}}params\W{{1,4}}{_NUMBER} ?[KMGT]?", re.IGNORECASE
)
_MODULES_OF_THOP = re.compile(rf"\({_NUMBER}, {_NUMBER}, \{{.*\}}\)")
_LONGEST_LINE, _LONGEST_START, _LONGEST_MODULES = 400, 20_000, 500_000


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
    if any(map(_OF_THOP.match, lines)) or _are_totals(lines) or _modules_of_thop(text) is not None:
        return "thop"
    of_tree = ""
    if any(match and not match["name"] for match in map(_MODULE.fullmatch, lines)):
        of_tree = next((tool for tool, counts in _COUNTS.items() if any(map(counts.search, lines))), "")
    return of_tree or next((tool for tool in _TOTALS if len(list(_of_summary(lines, tool))) == len(_TOTALS[tool])), "")


def _are_totals(lines: list[str]) -> bool:
    """Whether there is nothing but the pair that thop returns, or a line that says what its numbers are."""
    filled = [line.strip() for line in lines if line.strip()]
    return bool(filled) and all(_MACS_AND_PARAMS.fullmatch(line) or _CLEVER.fullmatch(line) for line in filled)


def read_counted(text: str, file: str) -> Answers:
    """The answers of counts by modules: parameters, and multiplications as the tool counts them."""
    lines = [line[:_LONGEST_LINE] for line in text.splitlines()]
    if len(lines) > MOST_ROWS:
        raise fault(say("holds more than {count:,} lines", count=MOST_ROWS), Place(file, MOST_ROWS, 1))
    tool = counted_by(text)
    if tool == "thop":
        rows = list(_of_thop(text, lines))
    elif any(map(_TABLE.fullmatch, lines)):
        rows = list(_of_table(lines))
    else:
        rows = list(_of_tree(lines, _COUNTS[tool])) or list(_of_summary(lines, tool))
    answers = [
        Answer(row.name, quantity, _as_rounded(written, tool), Place(file, row.line, 1), OF_TOOL + tool)
        for row in rows
        for quantity, written in (("params", row.params), ("multiplications", row.operations))
        if written
    ]
    if not answers:
        raise fault(say("holds no table of answers"), Place(file, 1, 1))
    note = say("not checked: MACs of modules that hold others or have no weights, which ptflops counts in several ways")
    return Answers(tuple(answers), (note,) if tool == "ptflops" else ())


def _as_rounded(written: str, tool: str) -> str:
    """A number with its letter, and with the zeros that show how it was rounded."""
    plain = written.replace(" ", "")
    if tool not in _TWO_DECIMALS or not plain[-1].isalpha():
        return plain
    whole, _, decimals = plain[:-1].partition(".")
    return f"{whole}.{decimals:0<2}{plain[-1]}"


def _of_table(lines: list[str]) -> Iterator[_Counts]:
    for number, line in enumerate(lines, 1):
        if match := _ROW.fullmatch(line):
            name = TOTAL if match["name"] == _ROOT else match["name"]
            yield _Counts(name, number, match["params"] or "", match["operations"] or "")


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


def _of_summary(lines: list[str], tool: str) -> Iterator[_Counts]:
    """The totals that a tool prints before the modules, or without them."""
    params, operations = (re.compile(f"(?:- )?{name}{_AMOUNT}") for name in _TOTALS[tool])
    for number, line in enumerate(lines, 1):
        if match := params.fullmatch(line.strip()):
            yield _Counts(TOTAL, number, match["number"], "")
        elif match := operations.fullmatch(line.strip()):
            yield _Counts(TOTAL, number, "", match["number"])


# --- thop


def _of_thop(text: str, lines: list[str]) -> Iterator[_Counts]:
    """The totals that are printed first, and the modules of a dictionary."""
    found: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines, 1):
        pair = _PAIR.fullmatch(line.strip())
        for key, said in _SAID.items():
            match = said.search(line)
            if pair or match:
                found.setdefault(key, (number, pair[key] if pair else match[1] if match else ""))
    modules = _modules_of_thop(text)
    if modules is not None:
        number, (operations, params, inside) = modules
        found.setdefault("operations", (number, _written(operations)))
        found.setdefault("params", (number, _written(params)))
    for key, (number, written) in found.items():
        yield _Counts(TOTAL, number, **({"params": "", "operations": ""} | {key: written}))
    if modules is not None:
        yield from _inside(inside, "", number)


def _modules_of_thop(text: str) -> tuple[int, tuple[Any, Any, Any]] | None:
    """The counts of thop with those of each module, and their line; the text is parsed and never run."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) <= _LONGEST_MODULES and _MODULES_OF_THOP.fullmatch(line.strip()):
            try:
                found = ast.literal_eval(line.strip())
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
            return (number, found) if isinstance(found, tuple) and len(found) == 3 else None
    return None


def _inside(modules: Any, outer: str, line: int) -> Iterator[_Counts]:
    if not isinstance(modules, dict):
        return
    for name, counts in modules.items():
        if isinstance(counts, tuple) and len(counts) == 3:
            yield _Counts(f"{outer}{name}", line, _written(counts[1]), _written(counts[0]))
            yield from _inside(counts[2], f"{outer}{name}.", line)


def _written(count: Any) -> str:
    return f"{count:.0f}" if isinstance(count, (int, float)) else ""
