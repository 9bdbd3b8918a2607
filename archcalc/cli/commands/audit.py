"""`archcalc audit`."""

from __future__ import annotations

from pathlib import Path

import click

from archcalc.cli.output import width, write
from archcalc.core.files import check_target
from archcalc.teach.audit.checker import audit
from archcalc.teach.audit.formats import ENDINGS, FORMATS, render
from archcalc.teach.audit.verdicts import Verdict


@click.command(
    name="audit",
    epilog="""\b
Examples:
  archcalc audit claims.yaml
  archcalc audit claims.yaml --only wrong
  archcalc audit claims.yaml -o audit.md
  archcalc audit reports/lecture_claims.yaml -f json
""",
)
@click.argument("claims", metavar="CLAIMS")
@click.option("-f", "--format", "form", type=click.Choice(FORMATS), help="Default: by the ending of -o, or text.")
@click.option("-o", "--output", metavar="FILE", help="Write to a file; - is stdout.")
@click.option(
    "--only", type=click.Choice([str(verdict) for verdict in Verdict]), help="Show only the claims with this verdict."
)
@click.pass_context
def command(ctx: click.Context, claims: str, form: str | None, output: str | None, only: str | None) -> None:
    """Check the claims of a text: each is calculated again, and a wrong one is explained.

    CLAIMS is a YAML file; the documentation shows its language. Exit code 1 when a claim is wrong.
    """
    check_target(output)
    form = form or ENDINGS.get(Path(output).suffix.lower() if output else "", "text")
    found = audit(Path(claims))
    write(render(found, form, only, width() if output is None else None), output)
    if not found.is_right:
        ctx.exit(1)
