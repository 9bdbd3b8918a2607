"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from archcalc.core.conventions import BYTES, Conventions
from archcalc.core.errors import UsageError
from archcalc.core.language import ENGLISH, LANGUAGES, of_environment, use
from archcalc.core.shapes import LARGEST_BATCH
from archcalc.graph.inputs import InputShapes, parse_inputs

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from archcalc.graph.layer_graph import LayerGraph
    from archcalc.objects import Analysis
    from archcalc.spec.spec import Spec

Command = Callable[..., Any]


class NetworkChoice(NamedTuple):
    """A network of the command line.

    Its name, the parameters that are set, its input where one is given, and the arguments of `py:…`.
    """

    name: str
    settings: Mapping[str, Any]
    shape: InputShapes | None = None
    call: Mapping[str, Any] = MappingProxyType({})

    def load(self) -> LayerGraph:
        """The network itself."""
        if self.is_model:
            from archcalc.interop.models import load as load_model

            return load_model(self.name, self.settings, self.shape, self.call)
        from archcalc.spec.catalogue import load

        return load(self.name, self.settings, self.shape)

    @property
    def is_model(self) -> bool:
        """Whether it is no name, pattern or spec but a model file or `py:…`."""
        from archcalc.interop.suffixes import is_model

        return bool(self.call) or is_model(self.name)

    def spec(self) -> str | Spec:
        """What those ask for who need a spec: the name of one, or a spec of a model, written layer by layer."""
        if not self.is_model:
            return self.name
        from archcalc.spec.load import spec_of
        from archcalc.spec.source import parse_source
        from archcalc.spec.write import write_graph

        return spec_of(parse_source(write_graph(self.load()), self.name))

    def analyse(self, batch: int = 1, dtype: str = "float32", conventions: Conventions | None = None) -> Analysis:
        """All its numbers. Raises `SpecError` that names inputs which would fit."""
        from archcalc.api import analyse

        return analyse(self.load(), batch, dtype, conventions)


class Counting(NamedTuple):
    """What bytes are for, and what is counted."""

    batch: int
    dtype: str
    conventions: Conventions


def complete_network(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the catalogue for the shell, and files where none begins so or a folder is named."""
    from click.shell_completion import CompletionItem

    from archcalc.spec.catalogue import entries

    names = [entry.name for entry in entries().values() if entry.name.startswith(incomplete.lower())]
    found = [CompletionItem(name) for name in names]
    return found if found and "/" not in incomplete else [*found, CompletionItem(incomplete, type="file")]


network_argument = click.argument("network", metavar="NET", shell_complete=complete_network)
networks_argument = click.argument("networks", metavar="NET...", nargs=-1, shell_complete=complete_network)
settings_option = click.option(
    "--set", "settings", metavar="NAME=VALUE", multiple=True, help="Set a parameter of the network; repeatable."
)
call_option = click.option(
    "--call", "call", metavar="NAME=VALUE", multiple=True,
    help="For NET as py:package.module:callable, which runs that code: an argument of the callable; repeatable.",
)  # fmt: skip
batch_option = click.option(
    "--batch", type=click.IntRange(1, LARGEST_BATCH), default=1, help="Number of images in a batch."
)
dtype_option = click.option(
    "--dtype", type=click.Choice(list(BYTES)), default="float32", show_default=True, help="Type of a stored value."
)
in_place_option = click.option("--count-in-place", is_flag=True, help="Activation functions store their output too.")
statistics_option = click.option(
    "--running-statistics",
    is_flag=True,
    help="Count batch normalisation's running statistics as parameters, as Keras does.",
)


def network_options(command: Command) -> Command:
    """`--input`, `--set` and `--call` for the argument `network` or `networks`, which become choices of networks."""

    @click.option("--input", "input_size", metavar="HxWxC", help="Input size: height×width×channels, as in 384x384x3.")
    @settings_option
    @call_option
    @wraps(command)
    def run(
        *positional: Any, settings: tuple[str, ...], input_size: str | None, call: tuple[str, ...], **rest: Any
    ) -> Any:
        values, shape, arguments = parse_settings(settings), parse_input(input_size), parse_settings(call, "--call")
        if "network" in rest:
            rest["network"] = NetworkChoice(rest["network"], values, shape, arguments)
        else:
            shared = share_settings(rest["networks"], values)
            rest["networks"] = [
                NetworkChoice(name, own, shape, arguments) for name, own in zip(rest["networks"], shared, strict=True)
            ]
        return command(*positional, **rest)

    return run


def lang_option(command: Command) -> Command:
    """`--lang`: the language of tables, sentences and pictures; whoever runs the command sets it back."""

    def choose(_ctx: click.Context, _param: click.Parameter, name: str | None) -> None:
        use(name or of_environment())

    return click.option(
        "--lang", type=click.Choice(tuple(LANGUAGES)), callback=choose, expose_value=False, is_eager=True,
        help="Language of the result; es, fr, de and zh lack rare texts, which stay English. Default: that of LC_ALL, "
        "else English.",
    )(command)  # fmt: skip


def data_in_english(form: str, *others: str) -> None:
    """What programs read, and `others` that have no translation, is in English whatever `--lang` says."""
    if form in ("csv", "json", *others):
        use(ENGLISH)


def counting_options(command: Command) -> Command:
    """`--batch`, `--dtype` and the conventions, which become `counting`."""

    @batch_option
    @dtype_option
    @click.option("--strict", is_flag=True, help="A window that does not tile its input is an error.")
    @in_place_option
    @statistics_option
    @wraps(command)
    def call(
        *positional: Any,
        batch: int,
        dtype: str,
        strict: bool,
        count_in_place: bool,
        running_statistics: bool,
        **rest: Any,
    ) -> Any:
        conventions = Conventions(running_statistics, in_place=not count_in_place, strict=strict)
        return command(*positional, counting=Counting(batch, dtype, conventions), **rest)

    return call


class Finite(click.FloatRange):
    """A range of numbers, without NaN, which lies in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not isfinite(found):
            self.fail(f"{value} is not a finite number", param, ctx)
        return found


def comma_separated(text: str | None) -> list[str]:
    """The parts of a list such as params,multiplications; empty ones are left out."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def parse_settings(settings: Iterable[str], option: str = "--set") -> dict[str, Any]:
    """NAME=VALUE texts as a mapping; values are read as YAML scalars."""
    from archcalc.spec.source import scalar

    result = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise UsageError(f"{option} takes NAME=VALUE, not {setting[:60]!r}")
        result[name.strip()] = scalar(value.strip())
    return result


def share_settings(networks: Sequence[str], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings of each of several networks: those that it has. Raises `UsageError` for one that none has."""
    from archcalc.interop.suffixes import is_model
    from archcalc.spec.catalogue import parameters

    if len(networks) <= 1 or not settings:
        return [dict(settings) for _ in networks]
    known = [{} if is_model(network) else parameters(network) for network in networks]
    for name in settings:
        if not any(name in declared for declared in known):
            from archcalc.core.suggest import did_you_mean

            hint = did_you_mean(name, {key for declared in known for key in declared})
            raise UsageError(f"none of these networks has a parameter {name[:60]!r}{hint}")
    return [{name: value for name, value in settings.items() if name in declared} for declared in known]


def parse_input(text: str | None) -> InputShapes | None:
    """The shape of `--input`, or of several inputs the shapes by name."""
    return None if text is None else parse_inputs(text)
