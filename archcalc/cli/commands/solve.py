"""`archcalc solve`."""

from __future__ import annotations

import re
from typing import Any

import click

from archcalc import tools
from archcalc.cli.options import (
    NetworkChoice,
    call_option,
    complete_network,
    parse_input,
    parse_settings,
    settings_option,
)
from archcalc.cli.output import Target
from archcalc.core.amounts import parse_amount
from archcalc.core.conventions import BYTES
from archcalc.core.errors import UsageError
from archcalc.core.shapes import parse_shape
from archcalc.displays import Result
from archcalc.explain.solve.equation import is_equation
from archcalc.explain.solve.layer import NAMES

#: Bytes of a parameter or a stored value, where a size in bytes is wanted.
_BYTES = BYTES["float32"]
_LARGEST = 1 << 40


@click.command("solve")
@click.argument("what", metavar="OP|EQUATION|NET", shell_complete=complete_network)
@click.option("--input", "size", metavar="N", help="For a layer, its input along one axis; for a network, its size.")
@click.option("--output", metavar="N", help="The output along one axis.")
@click.option("--kernel-size", metavar="N", help="The kernel size, or ? for unknown, as is what is not given.")
@click.option("--stride", metavar="N", help="The stride, or ?.")
@click.option("--padding", metavar="N", help="The padding on one side, or ?.")
@click.option("--dilation", metavar="N", help="The dilation, or ?. Default: 1.")
@click.option("--output-padding", metavar="N", help="The extra rows of a transposed convolution, or ?. Default: 0.")
@click.option("--same", is_flag=True, help="Output size: input size divided by the stride, rounded up.")
@click.option("--ceil-mode", is_flag=True, help="Round the output size up (pools only).")
@click.option("--for", "name", metavar="NAME", help="The parameter of a network to solve for, or input.")
@click.option("--params", metavar="N", help="The wanted number of parameters: 2,000,000, 2M or 8 MB.")
@click.option("--multiplications", metavar="N", help="The wanted number of multiplications.")
@click.option("--activations", metavar="N", help="The wanted number of stored values.")
@click.option("--smallest", is_flag=True, help="The smallest square input.")
@settings_option
@call_option
@click.option("-f", "--format", "form", type=click.Choice(["text", "json"]), help="Default: by the ending of -o.")
@click.option("-o", "file", metavar="FILE", help="Write to a file; - is stdout.")  # --output is that of a layer
def command(what: str, **options: Any) -> None:
    """The unknown of a layer, of an equation or of a network: every value that solves it.

    A layer is an op with a window (conv2d, max_pool2d, conv_transpose2d, …) along one axis; what is not given, or is
    given as ?, is unknown. If there is no solution, the nearest values are shown.
    """
    from archcalc.ops import OPS

    target = Target.of(options["file"], options["form"], {".json": "json"})
    target.check()
    kind = op_of(what)
    notes: list[str] = []
    if is_equation(what) and "->" not in what:
        _none_of(options, (*_OF_LAYER, *_OF_NETWORK, "size"), "equations")
        result = tools.solve(what)
    elif kind in OPS:
        result, notes = _layer(kind, options)
    else:
        result = _network(what, options)
    text = result.render(target.form)
    target.write("\n".join([text, *(notes if target.form == "text" else ())]) + "\n")


def op_of(word: str) -> str:
    """The op with a window that people call by this word: conv2d of conv; the word itself where there is none."""
    from archcalc.ops import OPS, called

    if word in OPS:
        return word
    return next((op.kind for op in called(word) if "kernel_size" in op.model_fields), word)


_OF_LAYER = (*NAMES[1:], "same", "ceil_mode")
_OF_NETWORK = ("name", "params", "multiplications", "activations", "smallest", "settings", "call")
_OPTIONS = {"name": "--for", "settings": "--set", "size": "--input"}


def _none_of(options: dict[str, Any], names: tuple[str, ...], what: str) -> None:
    for name in names:
        if options[name] not in (None, False, ()):
            raise UsageError(f"{_OPTIONS.get(name, '--' + name.replace('_', '-'))} is not for {what}")


def number(text: str | None, option: str, largest: int = _LARGEST) -> int | None:
    """A count: 55, 2,000,000, 2_000_000; None for nothing and for ?."""
    if text is None or text.strip() == "?":
        return None
    digits = text.strip().replace(",", "").replace("_", "")
    if not digits.isdecimal() or len(digits) > 15 or int(digits) > largest:
        raise UsageError(f"--{option} takes a whole number or ?, not {text[:40]!r}")
    return int(digits)


def is_shape(text: str) -> bool:
    """Whether a size is given as a shape: 30x30x32."""
    return re.search(r"\d\s*[x×*]", text) is not None


def side(text: str | None, option: str) -> int | None:
    """The `--input` or `--output` along one axis: a side, or a shape with equal sides. None as for `number`."""
    if text is None or not is_shape(text):
        return number(text, option)
    shape = parse_shape(text)
    sides = shape[1:] or shape
    if len(set(sides)) > 1:
        shown = " or ".join(map(str, dict.fromkeys(sides)))
        raise UsageError(f"--{option} {text[:40]}: it is solved along one axis; give {shown}")
    return sides[0]


def target_of(text: str, measure: str) -> int:
    """The number that a network is to have. A size in bytes is one of values of float32."""
    if measure == "output" and is_shape(text):
        return side(text, measure) or 0
    amount = parse_amount(text, f"--{measure}", _LARGEST)
    if not amount.is_bytes:
        value = amount.value
    elif measure in ("params", "activations"):
        value = amount.value / _BYTES
    else:
        raise UsageError(f"--{measure} takes a number without bytes, not {text[:40]!r}")
    if value.denominator != 1:
        raise UsageError(f"--{measure} takes a whole number, {text[:40]!r} is {float(value):g}")
    return int(value)


# --- a layer


def _layer(kind: str, options: dict[str, Any]) -> tuple[Result, list[str]]:
    _none_of(options, _OF_NETWORK, "layers")
    sizes = {"input": options["size"], "output": options["output"]}
    given = {
        name: side(sizes[name], name) if name in sizes else number(options[name], name.replace("_", "-"))
        for name in NAMES
    }
    asked: dict[str, Any] = {
        name: value
        for name, value in given.items()
        if value is not None or options["size" if name == "input" else name] is not None
    }
    lines: list[str] = []
    if options["same"]:
        asked, lines = _same(asked)
    result = tools.solve(kind, ceil_mode=options["ceil_mode"], **asked)
    if not any(name in result.value.known for name in ("input", "output")):
        raise UsageError("give --input or --output, so that there is something to solve")
    return result, lines


def _same(asked: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The output that `same` padding stands for; at stride 1 the answer holds for every input."""
    from archcalc.core.numbers import ceil_div

    if asked.get("output") is not None:
        raise UsageError("--same says what the output is; leave --output out")
    stride = asked.setdefault("stride", 1)
    if stride is None:
        raise UsageError("--same needs a --stride (1 if it is not given)")
    if stride < 1 or asked.get("input") == 0:
        raise UsageError("--stride and --input are at least 1")
    lines = []
    if asked.get("input") is None:
        window = asked.get("kernel_size")
        if stride != 1 or window is None:
            raise UsageError("--same needs --input, or --kernel-size and stride 1")
        asked["input"] = 8 * window * (asked.get("dilation") or 1)
        lines = ["The same padding holds for every input."]
    asked["output"] = ceil_div(asked["input"], stride)
    return asked, lines


# --- a network


def _network(network: str, options: dict[str, Any]) -> Result:
    from archcalc.explain.solve import network as net

    _none_of(options, tuple(name for name in _OF_LAYER if name != "output"), "networks")
    arguments = parse_settings(options["call"], "--call")
    choice = NetworkChoice(network, parse_settings(options["settings"]), parse_input(options["size"]), arguments)
    graph = choice.load()
    name = options["name"]
    if name is None:
        raise UsageError("what is unknown? --for input, or --for and a parameter of the network")
    if options["smallest"]:
        if name != "input":
            raise UsageError("--smallest goes with --for input")
        side = net.smallest(graph)
        data = {"schema": "archcalc.network-solution/1", "network": graph.name, "unknown": "input", "smallest": side}
        return tools.solved(
            side, [f"The smallest square input that {graph.title or graph.name} accepts is {side}×{side}."], data
        )
    wanted = {measure: options[measure] for measure in net.MEASURES if options[measure] is not None}
    if len(wanted) != 1:
        raise UsageError("give one of --params, --multiplications, --activations, --output, or --smallest")
    ((measure, text),) = wanted.items()
    target = target_of(text, measure)
    answer = net.solve_network(choice.spec(), name, measure, target, choice.settings, choice.shape)
    return tools.solved(answer, net.tell(answer), net.as_dict(graph.name, name, measure, target, answer))
