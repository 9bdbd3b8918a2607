"""`archcalc schema`."""

from __future__ import annotations

import json

import click

from archcalc.cli.output import Target, output_options
from archcalc.spec.schema import json_schema


@click.command("schema")
@output_options()
def command(target: Target) -> None:
    """The JSON Schema of the spec language; with it, editors complete and check specs."""
    target.write(json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n")
