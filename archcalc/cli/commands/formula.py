"""`archcalc formula`."""

from __future__ import annotations

import json
from typing import Any

import click

from archcalc.cli.options import complete_network, network_options, parse_input, parse_settings
from archcalc.cli.output import write
from archcalc.core.conventions import Conventions
from archcalc.core.files import check_target
from archcalc.core.quantities import QUANTITIES


@click.command(
    name="formula",
    epilog="""\b
Examples:
  archcalc formula resnet50 --params
  archcalc formula mobilenet --multiplications
  archcalc formula alexnet --params --in input --in classes -f latex
""",
)
@click.argument("network", metavar="NET", shell_complete=complete_network)
@click.option("--params", "quantity", flag_value="params", help="The parameters (default).")
@click.option("--multiplications", "quantity", flag_value="multiplications", help="The multiplications.")
@click.option("--activations", "quantity", flag_value="activations", help="The values that are stored.")
@click.option(
    "--in",
    "names",
    metavar="NAME",
    multiple=True,
    help="A parameter, or input, to be a symbol; repeatable. Default: all.",
)
@click.option("-f", "--format", "form", type=click.Choice(["text", "latex", "json"]), default="text", show_default=True)
@click.option("-o", "--output", metavar="FILE", help="Write to a file; - is stdout.")
@network_options
@click.option("--count-in-place", is_flag=True, help="Activation functions store their output too.")
@click.option("--running-statistics", is_flag=True, help="Count batch normalisation's running statistics too.")
def command(
    network: str,
    quantity: str | None,
    names: tuple[str, ...],
    form: str,
    output: str | None,
    input_size: str | None,
    settings: tuple[str, ...],
    count_in_place: bool,
    running_statistics: bool,
) -> None:
    """A total of a network as a closed form in its parameters and its input size (s, the side of a square image).

    Parameters that decide which layers there are stay numbers, and so does what --set and --input give.
    """
    check_target(output)
    from archcalc.explain.symbolic.closed import closed_form

    conventions = Conventions(running_statistics=running_statistics, in_place=not count_in_place)
    shape = parse_input(input_size)
    form_ = closed_form(network, quantity or "params", parse_settings(settings), shape, names or None, conventions)
    write({"text": _text, "latex": _latex, "json": _json}[form](form_), output)


def _text(form: Any) -> str:
    lines = [f"{QUANTITIES[form.quantity].title} = {form.expression}"]
    if form.where:
        lines += ["where", *(f"  {name} = {definition}" for name, definition in form.where)]
    for name, reason in form.fixed:
        lines.append(f"{name} stays a number: it {reason}.")
    if not form.symbols:
        lines.append("It depends on none of the numbers that can be set.")
    return "\n".join([*lines, ""])


def _latex(form: Any) -> str:
    import sympy

    names = {symbol: _latex_name(symbol.name) for symbol in form.free_symbols()}

    def write_(expression: Any) -> str:
        return str(sympy.latex(expression, symbol_names=names))

    rows = [rf"  \text{{{QUANTITIES[form.quantity].title}}} &= {write_(form.expression)}"]
    rows += [rf"  {_latex_name(name)} &= {write_(definition)}" for name, definition in form.where]
    body = " \\\\\n".join(rows)
    return f"% needs \\usepackage{{amsmath}}\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"


def _latex_name(name: str) -> str:
    from archcalc.explain.symbolic.closed import GREEK

    if name in GREEK:
        return f"\\{name}"
    letter = name.rstrip("0123456789")
    if len(letter) == 1:
        return f"{letter}_{{{name[1:]}}}" if name[1:] else letter
    escaped = name.replace("_", r"\_")
    return rf"\mathit{{{escaped}}}"


def _json(form: Any) -> str:
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
