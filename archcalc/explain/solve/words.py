"""Solutions of a layer in words, with the formula of every answer; and what would be nearest where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from archcalc.explain.derive.lift import lift
from archcalc.explain.derive.notation import TEXT, Notation
from archcalc.explain.derive.steps import intermediate, substituted
from archcalc.explain.derive.trace import Node, number_node, traced
from archcalc.explain.solve.layer import MOST_ANSWERS, USUAL, LayerSettings, Rule, Solution, input_range
from archcalc.ops import OPS, rules

SHOWN = 20
LETTERS = {
    "input": "W", "output": "output", "kernel_size": "F", "stride": "S", "padding": "P", "dilation": "d",
    "output_padding": "A",
}  # fmt: skip


class _Unfloored(Notation):
    """Text without ⌊ ⌋: an equation that is to hold exactly."""

    def _division(self, node: Node) -> tuple[str, int]:
        return self.fraction(node)


def formula(solution: Solution, answer: LayerSettings) -> Node:
    """The op's rule with symbols, for the settings of an answer."""
    cls = OPS[solution.kind]
    values: dict[str, Any] = {name: getattr(answer, name) for name in cls.model_fields if name in LayerSettings._fields}
    values.update({name: 1 for name in ("out_channels",) if name in cls.model_fields})
    if solution.ceil_mode:
        values["ceil_mode"] = True
    op = cls.model_validate(values)
    shape = (1, *(answer.input,) * getattr(cls, "rank", 2))
    lifted = lift(op, [shape], op.output_shape([shape]))
    return traced(lifted.op.output_shape(lifted.inputs)[1]).node


def chain(solution: Solution, answer: LayerSettings) -> str:
    """(227 − 11 + 2·0)/4 + 1 = 216/4 + 1 = 55"""
    numbers = substituted(formula(solution, answer))
    nodes = [numbers, *intermediate(numbers), number_node(answer.output)]
    return " = ".join(dict.fromkeys(TEXT.write(node) for node in nodes))


def tell(solution: Solution) -> list[str]:
    """What a person wants to read."""
    return [*_told(solution), *_of_pools(solution)]


def _of_pools(solution: Solution) -> list[str]:
    """What PyTorch refuses of the answers."""
    is_far = OPS[solution.kind].family == "pooling" and any(
        2 * answer.padding > _window(answer._asdict()) for answer in solution.answers
    )
    return ["PyTorch's pools take at most half the window as padding."] if is_far else []


def _told(solution: Solution) -> list[str]:
    unknown = solution.unknown
    if unknown in ((), ("output",)):
        return _forward(solution)
    if unknown == ("input",):
        return _inputs(solution)
    beyond = not solution.complete and len(solution.answers) < MOST_ANSWERS
    is_table = len(unknown) - ("output" in unknown) > 1 or "output" in unknown
    lines = _table(solution) if is_table else _one(solution, unknown[0])
    return [*lines, "Larger strides solve it too."] if beyond else lines


def _forward(solution: Solution) -> list[str]:
    if not solution.answers:
        if "output" in solution.known and (answer := _answer(solution, solution.known)):
            return [f"No: {chain(solution, answer)}, not {solution.known['output']}."]
        return ["No output: the window is larger than the padded input."]
    answer = solution.answers[0]
    return [f"output = {chain(solution, answer)}{_unread(answer)}"]


def _one(solution: Solution, name: str) -> list[str]:
    lines = [
        f"{_words(name)} = {getattr(answer, name)}: {chain(solution, answer)}" for answer in solution.exact[:SHOWN]
    ]
    if lines:
        lines += _more(solution.exact)
        if rest := solution.floored:
            values = [str(getattr(answer, name)) for answer in rest[:SHOWN]]
            some = ", …" if len(rest) > SHOWN else ""
            lines.append(f"With rows that no window reads also {_words(name)} = {', '.join(values)}{some}.")
        return lines
    return [_none(solution, name), *near(solution)]


def _none(solution: Solution, name: str) -> str:
    wanted = solution.known["output"]
    if name == "padding":
        total = _needed(solution)
        template = LayerSettings(**{**dict.fromkeys(LayerSettings._fields, 0), **USUAL, **solution.known, "padding": 1})
        if total is not None and not solution.ceil_mode and (made := _answer(solution, template._asdict())):
            equation = _Unfloored().write(_but(formula(solution, made), "P"))
            needed = Fraction(total, 2)
            value = f"{float(needed):g}".replace("-", "−")
            more = ", but then some windows hold nothing but padding" if needed >= _window(solution.known) else ""
            return f"No symmetric padding gives {wanted}: {equation} = {wanted} needs P = {value}{more}."
        return f"No symmetric padding gives {wanted}."
    if solution.floored:
        return f"No {_words(name)} gives {wanted} without rows that no window reads."
    return f"No {_words(name)} gives {wanted}."


def near(solution: Solution) -> list[str]:
    """What would nearly do, as sentences."""
    name = solution.unknown[0]
    known, lines = solution.known, []
    if name == "padding" and (total := _needed(solution)) is not None and not solution.ceil_mode:
        if total < 0:
            lines.append(f"The input is too large even without padding, by {_pixels(-total)}.")
        elif total % 2:
            half = total // 2
            lines.append(
                f"{_pixels(total)} in all {_does(total)} it ({half} on one side, {total - half} on the other)."
            )
    for answer in solution.floored[:3]:
        value = getattr(answer, name)
        steps = chain(solution, answer).split(" = ", 1)[-1]
        lines.append(f"{LETTERS[name]} = {value} gives {steps} with {_pixels(answer.unread)} never read.")
    if not solution.answers and name != "padding":
        lines += _neighbours(solution, name)
    if not Rule(solution.kind).transposed and {"output", "kernel_size", "stride"} <= set(known) and name == "padding":
        size = rules.transposed_output_size(known["output"], _window(known), known["stride"], 0, 0)
        lines.append(f"{size} as input needs none.")
    return lines


def _neighbours(solution: Solution, name: str) -> list[str]:
    """The values whose outputs come nearest, from below and from above."""
    wanted = solution.known["output"]
    rule = Rule(solution.kind, solution.ceil_mode)
    best: dict[bool, LayerSettings] = {}
    for value in range(0 if name in ("padding", "output_padding") else 1, 2 * solution.known["input"] + 1):
        answer = rule.answer({**USUAL, **solution.known, name: value})
        if answer is None or answer.output == wanted:
            continue
        above = answer.output > wanted
        if above not in best or abs(answer.output - wanted) < abs(best[above].output - wanted):
            best[above] = answer
    return [
        f"Nearest: {_words(name)} = {getattr(answer, name)} gives {chain(solution, answer)}."
        for answer in best.values()
    ]


def _inputs(solution: Solution) -> list[str]:
    span = input_range(solution)
    wanted = solution.known["output"]
    if span is None:
        return [f"No input gives {wanted}."]
    if span.first == span.last:
        return [f"input = {span.first}: {chain(solution, solution.answers[0])}"]
    lines = [f"Inputs from {span.first} to {span.last} give {wanted}."]
    exact = next((answer for answer in solution.answers if answer.input in span.exact), None)
    if exact is not None and len(span.exact) == 1:
        lines.append(
            f"input = {exact.input} exactly: {chain(solution, exact)}; the others leave rows that no window reads."
        )
    return lines


def _table(solution: Solution) -> list[str]:
    names = [name for name in solution.unknown if name != "output" or "output" not in solution.known]
    if not solution.answers:
        return ["There is no answer."]
    exact, floored = solution.exact, solution.floored
    shown = (exact or floored)[:SHOWN]
    rows = [[_words(name) for name in names], *[[str(getattr(answer, name)) for name in names] for answer in shown]]
    widths = [max(len(row[index]) for row in rows) for index in range(len(names))]
    aligned = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    texts = ["", *(f"   {chain(solution, answer)}" for answer in shown)]
    lines = [f"{cells}{text}" for cells, text in zip(aligned, texts, strict=True)]
    lines += _more(exact or floored)
    if exact and floored:
        lines.append(f"{_many(solution, floored)} more leave rows that no window reads.")
    elif floored:
        lines.append("All of them leave rows that no window reads.")
    return lines


def _more(answers: Sequence[LayerSettings]) -> list[str]:
    return [f"… and {len(answers) - SHOWN:,} more; -f json shows them."] if len(answers) > SHOWN else []


def _many(solution: Solution, answers: Sequence[LayerSettings]) -> str:
    return f"{len(answers):,}" if solution.complete else f"At least {len(answers):,}"


def _needed(solution: Solution) -> int | None:
    """Padding of both sides together with which the windows tile the input."""
    known = solution.known
    if Rule(solution.kind).transposed or not {"input", "output", "kernel_size", "stride"} <= set(known):
        return None
    needed: int = rules.padding_for(known["output"], known["input"], _window(known), known["stride"])
    return needed


def _window(known: dict[str, int]) -> int:
    window: int = rules.dilated_window(known["kernel_size"], known.get("dilation", 1))
    return window


def _answer(solution: Solution, values: Any) -> LayerSettings | None:
    settings = {
        **USUAL,
        "padding": 0,
        **{key: value for key, value in dict(values).items() if key in LayerSettings._fields},
    }
    rule = Rule(solution.kind, solution.ceil_mode)
    answer = rule.answer(settings)
    return answer or rule.answer({**settings, "padding": max(settings["kernel_size"], settings["padding"]) - 1})


def _but(node: Node, letter: str) -> Node:
    """The expression with numbers for all symbols but one."""
    if node.symbol is not None:
        return node if node.symbol.text == letter else number_node(node.value)
    return node._replace(parts=tuple([_but(part, letter) for part in node.parts]))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _pixels(count: int) -> str:
    return f"{count} pixel" if count == 1 else f"{count} pixels"


def _does(count: int) -> str:
    return "does" if count == 1 else "do"


def _unread(answer: LayerSettings) -> str:
    return f", with {_pixels(answer.unread)} at the end never read" if answer.unread else ""


def as_dict(solution: Solution) -> dict[str, Any]:
    """The solution as plain data."""
    nearly = solution.unknown == ("padding",) and not solution.exact
    return {
        "schema": "archcalc.solution/1",
        "op": solution.kind,
        "known": solution.known,
        "unknown": list(solution.unknown),
        "complete": solution.complete,
        "solutions": [_answer_as_dict(solution, answer) for answer in solution.exact],
        "with_unread_rows": [_answer_as_dict(solution, answer) for answer in solution.floored],
        "near": near(solution) if nearly else [],
    }


def _answer_as_dict(solution: Solution, answer: LayerSettings) -> dict[str, Any]:
    fields = OPS[solution.kind].model_fields
    kept = {
        key: value for key, value in answer._asdict().items() if key in fields or key in ("input", "output", "unread")
    }
    return {**kept, "formula": chain(solution, answer)}
