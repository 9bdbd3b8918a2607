"""Closed forms as text, LaTeX and JSON."""

from __future__ import annotations

import json
from typing import Any

import sympy

from archcalc.core.quantities import QUANTITIES
from archcalc.explain.symbolic.closed import GREEK, ClosedForm


def render(form: ClosedForm, kind: str) -> str:
    """A closed form as `text`, `latex` or `json`."""
    return {"text": _text, "latex": _latex, "json": _json}[kind](form)


def _text(form: ClosedForm) -> str:
    lines = [f"{QUANTITIES[form.quantity].title} = {form.expression}"]
    if form.where:
        lines += ["where", *(f"  {name} = {definition}" for name, definition in form.where)]
    for name, reason in form.fixed:
        lines.append(f"{name} stays a number: it {reason}.")
    if not form.symbols:
        lines.append("It depends on none of the numbers that can be set.")
    return "\n".join([*lines, ""])


def _latex(form: ClosedForm) -> str:
    names = {symbol: _latex_name(symbol.name) for symbol in form.free_symbols()}

    def write_(expression: Any) -> str:
        return str(sympy.latex(expression, symbol_names=names))

    rows = [rf"  \text{{{QUANTITIES[form.quantity].title}}} &= {write_(form.expression)}"]
    rows += [rf"  {_latex_name(name)} &= {write_(definition)}" for name, definition in form.where]
    body = " \\\\\n".join(rows)
    return f"% needs \\usepackage{{amsmath}}\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"


def _latex_name(name: str) -> str:
    if name in GREEK:
        return f"\\{name}"
    letter = name.rstrip("0123456789")
    if len(letter) == 1:
        return f"{letter}_{{{name[1:]}}}" if name[1:] else letter
    escaped = name.replace("_", r"\_")
    return rf"\mathit{{{escaped}}}"


def _json(form: ClosedForm) -> str:
    data = {
        "schema": "archcalc.formula/1",
        "network": form.network,
        "quantity": form.quantity,
        "expression": str(form.expression),
        "where": {name: str(definition) for name, definition in form.where},
        "symbols": list(form.symbols),
        "fixed": dict(form.fixed),
    }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"
