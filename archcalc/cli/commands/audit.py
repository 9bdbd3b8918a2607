"""`archcalc audit`."""

from __future__ import annotations

from pathlib import Path

import click

from archcalc.cli.output import Target, output_options
from archcalc.teach.audit.checker import audit
from archcalc.teach.audit.formats import ENDINGS, FORMATS, render
from archcalc.teach.audit.verdicts import Verdict


@click.command("audit")
@click.argument("claims", metavar="CLAIMS")
@output_options(FORMATS, ENDINGS)
@click.option(
    "--only", type=click.Choice([str(verdict) for verdict in Verdict]), help="Show only the claims with this verdict."
)
def command(claims: str, target: Target, only: str | None) -> int:
    """Check the claims of a text: each is calculated again, and a wrong one is explained.

    CLAIMS is a YAML file; the documentation shows its language. Exit code 1 when a claim is wrong, or none could
    be calculated.
    """
    found = audit(Path(claims))
    target.write(render(found, target.form, only, target.width))
    return 0 if found.is_right else 1
