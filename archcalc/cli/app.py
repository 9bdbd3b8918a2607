"""The commands by name; a command's module is imported when the command is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from archcalc import __version__

#: Name, first line of the help. The module is archcalc.cli.commands.NAME, the command its `command`.
COMMANDS = {
    "list": "Every network of the catalogue: year, input, params, multiplications.",
    "report": "The table of a network: shapes, params, multiplications, memory, receptive fields.",
    "run": "Run a network in numpy; every shape and count is compared with the analysis.",
    "gradients": "The gradients of a network, layer by layer: whether they vanish or explode.",
    "deconv": "What the strongest activations of a layer respond to in an image, as pixels.",
    "sliding": "A network over a larger image in one pass, compared with its crops one by one.",
    "explain": "How each number of a layer is calculated: formula, numbers put in, result.",
    "solve": "The unknown of a layer, an equation or a network.",
    "formula": "A total of a network as a closed form in its parameters and its input size.",
    "check": "Compare a hand calculation with a network: what is right, what is wrong, and why.",
    "spec": "A network or an inline pattern as YAML that can be loaded again.",
    "audit": "The claims of a text, each calculated again: right, wrong and why.",
    "exercise": "A worksheet of a network with blanks, its answer key, a variant for each student.",
    "grade": "Grade a folder of submissions: points, feedback for each student, an overview.",
    "draw": "A picture of a network: its layers, its blocks or its volumes.",
    "plot": "A chart: networks compared, or one along its depth; SVG, PNG, PDF, HTML.",
    "validate": "Check a spec file; every problem with file, line and column.",
    "schema": "The JSON Schema of the spec language, for editors.",
    "completion": "The script that completes commands and networks in your shell.",
}


class Commands(click.Group):
    """A group that imports a command only when it is called; the overview is made from `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"archcalc.cli.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from archcalc.core.suggest import did_you_mean

            hint = did_you_mean(args[0], COMMANDS) or f"; there are {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  archcalc report alexnet
  archcalc report resnet50 --depth 1
  archcalc report vgg16 --input 384x384x3 -f csv -o vgg16.csv
  archcalc explain alexnet conv1
  archcalc solve conv2d --input 224 --output 55 --kernel-size 11 --stride 4
  archcalc check alexnet answers.csv
  archcalc report "32x32x3 -> [conv3-64 -> relu]*2 -> pool2 -> fc10"
  archcalc validate mynet.yaml
""",
)
@click.version_option(__version__, message="archcalc %(version)s")
def app() -> None:
    """Shapes, parameters, multiplications, memory and receptive fields of convolutional networks.

    A network is a name of the catalogue (alexnet), a variant (alexnet@grouped), a spec file (mynet.yaml) or a
    pattern ("32x32x3 -> conv3-64 -> fc10").
    """
