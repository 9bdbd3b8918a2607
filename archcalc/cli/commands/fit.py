"""`archcalc fit`."""

from __future__ import annotations

import click

from archcalc.cli.options import (
    NetworkChoice,
    data_in_english,
    dtype_option,
    lang_option,
    network_argument,
    network_options,
)
from archcalc.cli.output import Target, output_options
from archcalc.cli.policies import policy_options
from archcalc.core.errors import UsageError
from archcalc.design.devices import THIS, device, memory_of
from archcalc.design.fit import fit_into
from archcalc.design.memory import Policy
from archcalc.render.tables.memory import render_fit, too_little


@click.command("fit")
@network_argument
@click.option("--memory", "size", metavar="SIZE", help="As in 12GiB, 16 GB, 512MiB.")
@click.option("--device", "name", metavar="NAME", help="The memory of a device; `this`: what is free here now.")
@policy_options
@output_options(("text", "json"), {".txt": "text", ".json": "json"})
@network_options
@dtype_option
@lang_option
def command(
    network: NetworkChoice, size: str | None, name: str | None, policy: Policy, target: Target, dtype: str
) -> None:
    """The largest batch of NET that fits into so much memory, and what would make space for one image more.

    Counted are parameters, maps and in training gradients, what the backward pass needs and what the optimiser keeps;
    not what a framework and its kernels take for themselves.
    """
    data_in_english(target.form)
    found = fit_into(network.analyse(1, dtype), policy, _memory(size, name))
    if not found.batch:
        raise UsageError(too_little(found))
    target.write(render_fit(found, target.form))


def _memory(size: str | None, name: str | None) -> int:
    """The bytes that are given, or those of a device. Raises `UsageError` for both or neither."""
    if size is not None and name is not None:
        raise UsageError("the memory is given by --memory or by --device, not by both")
    if size is None and name is None:
        raise UsageError("how much memory? Give either --memory 12GiB or --device NAME")
    if size is not None:
        return memory_of(size)
    assert name is not None
    if name.strip().lower() == THIS:
        from archcalc.execute.runner.memory import available_bytes

        free = available_bytes()
        if free is None:
            raise UsageError("this system does not say how much memory is free; give --memory")
        return free
    found = device(name).memory
    assert found is not None, "every device of the data file has its memory"
    return found
