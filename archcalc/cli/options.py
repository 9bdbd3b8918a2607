"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

import click

from archcalc.core.conventions import BYTES
from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape, parse_image_shape


def complete_network(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of the catalogue for the shell."""
    from archcalc.spec.catalogue import entries

    return [entry.name for entry in entries().values() if entry.name.startswith(incomplete.lower())]


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--input` and `--set`: what changes a network."""
    command = click.option(
        "--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set a parameter of the network; repeatable."
    )(command)
    return click.option(
        "--input", "input_size", metavar="HxWxC", help="Another input: height×width×channels, as in 384x384x3."
    )(command)


def counting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--batch`, `--dtype` and the conventions."""
    for option in reversed(
        (
            click.option("--batch", type=click.IntRange(1, 1 << 20), default=1, help="Images at a time."),
            click.option("--dtype", type=click.Choice(list(BYTES)), default="float32", show_default=True,
                         help="Type of a stored value."),
            click.option("--strict", is_flag=True, help="A window that does not tile its input is an error."),
            click.option("--count-in-place", is_flag=True, help="Activation functions store their output too."),
            click.option("--running-statistics", is_flag=True,
                         help="Count batch normalisation's running statistics as parameters, as Keras does."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


class Finite(click.FloatRange):
    """A range of numbers, without NaN, which lies in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not isfinite(found):
            self.fail(f"{value} is not a finite number", param, ctx)
        return found


def parse_settings(settings: Iterable[str]) -> dict[str, Any]:
    """NAME=VALUE texts as a mapping; values are read as YAML scalars."""
    from archcalc.spec.source import scalar

    result = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise UsageError(f"--set takes NAME=VALUE, not {setting[:60]!r}")
        result[name.strip()] = scalar(value.strip())
    return result


def share_settings(networks: Sequence[str], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings of each of several networks: those that it has. Raises `UsageError` for one that none has."""
    from archcalc.spec.catalogue import parameters

    if len(networks) == 1 or not settings:
        return [dict(settings) for _ in networks]
    known = [parameters(network) for network in networks]
    for name in settings:
        if not any(name in declared for declared in known):
            from archcalc.core.suggest import did_you_mean

            hint = did_you_mean(name, {key for declared in known for key in declared})
            raise UsageError(f"none of these networks has a parameter {name[:60]!r}{hint}")
    return [{name: value for name, value in settings.items() if name in declared} for declared in known]


def parse_input(text: str | None) -> Shape | None:
    """The shape of `--input`."""
    return None if text is None else parse_image_shape(text)
