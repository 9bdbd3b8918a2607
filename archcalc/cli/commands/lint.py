"""`archcalc lint`."""

from __future__ import annotations

import click

from archcalc.cli.options import (
    NetworkChoice,
    batch_option,
    comma_separated,
    complete_network,
    dtype_option,
    network_options,
)
from archcalc.cli.output import Target, output_options
from archcalc.design.lint.lint import RULES, lint, rule_of
from archcalc.render.tables.lint import ENDINGS, FORMATS, explain, render

#: So many findings of one rule are shown where no rule is selected.
_MOST = 4


@click.command("lint")
@click.argument("network", metavar="NET", required=False, default="", shell_complete=complete_network)
@click.option("--select", metavar="RULE,…", help="Only these rules.")
@click.option("--ignore", metavar="RULE,…", help="All rules but these.")
@click.option("--object", "seen", metavar="HxW", help="The size of an object in the input, which a value should see.")
@click.option("--explain", "explained", metavar="RULE", help="A rule with its reason and source; all for every one.")
@output_options(FORMATS, ENDINGS)
@network_options
@batch_option
@dtype_option
def command(
    network: NetworkChoice,
    select: str | None,
    ignore: str | None,
    seen: str | None,
    explained: str | None,
    target: Target,
    batch: int,
    dtype: str,
) -> int:
    """Sizing rules: what works, but is usually built in another way, with its cost and a change that fixes it.

    Exit 1 where something is found. A network can have its reasons; --ignore leaves rules out.
    """
    if explained is not None:
        rules = RULES.values() if explained == "all" else [rule_of(explained)]
        target.write("\n".join(explain(rule) for rule in rules))
        return 0
    if not network.name:
        raise click.UsageError("which network? For example: archcalc lint vgg16; --explain all shows the rules")
    if select is not None and not comma_separated(select):
        raise click.UsageError("--select names no rule; --explain all shows them")
    analysis = network.analyse(batch, dtype)
    found = lint(analysis, comma_separated(select), comma_separated(ignore), seen)
    target.write(render(analysis, found, target.form, target.colour, None if select else _MOST))
    return 1 if found else 0
