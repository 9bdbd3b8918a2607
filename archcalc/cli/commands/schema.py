"""`archcalc schema`."""

from __future__ import annotations

import json

import click

from archcalc.cli.output import Target, output_options
from archcalc.spec.schema import json_schema


@click.command(
    name="schema",
    epilog="""\b
Examples:
  archcalc schema -o archcalc.schema.json
  # then, as the first line of a spec, for editors with the YAML language server:
  # yaml-language-server: $schema=archcalc.schema.json
""",
)
@output_options()
def command(target: Target) -> None:
    """The JSON Schema of the spec language; with it, editors complete and check specs."""
    target.write(json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n")
