"""The commands by name; a command's module is imported when the command is called."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from textwrap import indent
from typing import Any

import click

from archcalc import __version__

#: Name, first line of the help. The module is archcalc.cli.commands.NAME, the command its `command`.
COMMANDS = {
    "list": "Every network of the catalogue: year, input, params, multiplications.",
    "report": "The table of a network: shapes, params, multiplications, memory, receptive fields.",
    "compare": "Networks side by side: totals with ratios, or two layer by layer.",
    "reconcile": "Why another tool prints another number: the bridge between two, or what gives a number.",
    "memory": "What is alive when a network runs or is trained: the peak, where it is, what is alive there.",
    "fit": "The largest batch that fits into so much memory.",
    "transform": "A network rewritten: batch norm folded, layers cut, factorized, pruned; before and after.",
    "estimate": "The least time on a device: bytes, operations and the bound of each layer (roofline).",
    "search": "A design space: every configuration evaluated, those under a budget found.",
    "lint": "Sizing rules: what is usually built in another way, with its cost and a fix.",
    "run": "Run a network in numpy; every shape and count is compared with the analysis.",
    "gradients": "The gradients of a network, layer by layer: whether they vanish or explode.",
    "deconv": "The pixels of an image that the strongest activations of a layer respond to.",
    "sliding": "A network over a larger image in one pass, compared with a run for each crop.",
    "explain": "How each number of a layer is calculated: formula, substitution, result.",
    "solve": "The unknown of a layer, an equation or a network.",
    "formula": "A total of a network as a closed form in its parameters and its input size.",
    "check": "Compare a hand calculation with a network: what is right, what is wrong, and why.",
    "spec": "A network or an inline pattern as YAML that can be loaded again.",
    "import": "A model file (ONNX, PyTorch, Keras, Caffe, Darknet) as a spec with blocks and repeats.",
    "export": "A network as PyTorch code or as a file of another program.",
    "audit": "The claims of a text, each calculated again: right, wrong and why.",
    "exercise": "A worksheet of a network with blanks, its answer key, a variant for each student.",
    "grade": "Grade a folder of submissions: points, feedback for each student, an overview.",
    "draw": "A picture of a network: its layers, its blocks or its volumes.",
    "plot": "A chart: networks compared, or one along its depth; SVG, PNG, PDF, HTML.",
    "deck": "The slides of a lecture, from a list of them or from networks: PowerPoint, PDF, HTML.",
    "demo": "A layer at work, step by step: windows move, numbers multiply and add; HTML, SVG, GIF.",
    "serve": "The playground: a page on this machine, or as static files.",
    "validate": "Check a spec file; every problem with file, line and column.",
    "schema": "The JSON Schema of the spec language, for editors.",
    "completion": "The script that completes commands and networks in your shell.",
}


def examples(command: str) -> str:
    """What ends the help of a command: its section of examples.txt."""
    text = Path(__file__).with_name("examples.txt").read_text(encoding="utf-8")
    section = text.partition(f"[{command}]\n")[2].partition("\n[")[0]
    return f"\b\nExamples:\n{indent(section.rstrip(), '  ')}\n"


class Group(click.Group):
    """Commands in a fixed order; a name that is none of theirs gives the nearest, and each help ends with examples."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = self.commands.get(cmd_name)
        if command is not None:
            command.epilog = examples(self.full_name(cmd_name))
        return command

    def full_name(self, cmd_name: str) -> str:
        """A command as it is called after `archcalc`: `plot sweep`."""
        return f"{self.name} {cmd_name}"

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-"):
            from archcalc.core.suggest import did_you_mean

            hint = did_you_mean(args[0], names) or f"; there are {', '.join(names)}"
            raise click.UsageError(f"{ctx.command_path} has no command {args[0][:60]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)


class Commands(Group):
    """A group that imports a command only when it is called; the overview is made from `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            self.commands[cmd_name] = import_module(f"archcalc.cli.commands.{cmd_name}").command
        return super().get_command(ctx, cmd_name)

    def full_name(self, cmd_name: str) -> str:
        return cmd_name

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples("archcalc"),
)
@click.version_option(__version__, message="archcalc %(version)s")
def app() -> None:
    """Shapes, parameters, multiplications, memory and receptive fields of convolutional networks.

    A network is a name of the catalogue (alexnet), a variant (alexnet@grouped), a spec file (mynet.yaml), a
    pattern ("32x32x3 -> conv3-64 -> fc10") or a model file (net.onnx, .pt2, .keras, .prototxt, .cfg).
    """
