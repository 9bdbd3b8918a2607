"""The options of a memory policy, which `memory` and `fit` share."""

from __future__ import annotations

from functools import wraps
from typing import Any

import click

from archcalc.cli.options import Command, comma_separated
from archcalc.core.errors import UsageError
from archcalc.core.suggest import did_you_mean
from archcalc.design.memory import IN_PLACE, OPTIMISERS, WORKSPACES, Policy


def policy_options(command: Command) -> Command:
    """`--training`, `--keep-all`, `--in-place`, `--optimizer`, `--mixed`, `--checkpoint`, `--workspace` as `policy`."""

    @click.option("--training", is_flag=True, help="Forward and backward pass; default: inference.")
    @click.option("--keep-all", is_flag=True, help="At inference no map is freed.")
    @click.option(
        "--in-place",
        "overwriting",
        metavar="WHAT,…",
        default="activations",
        show_default=True,
        help=f"What overwrites its input: {', '.join(IN_PLACE)}, or none.",
    )
    @click.option(
        "--optimizer",
        type=click.Choice(list(OPTIMISERS)),
        default="none",
        show_default=True,
        help="What it keeps for each trained parameter.",
    )
    @click.option("--mixed", is_flag=True, help="Maps and gradients in 16 bits, parameters in 32 with a copy in 16.")
    @click.option(
        "--checkpoint",
        type=click.IntRange(1, 10_000),
        metavar="K",
        help="Keep what leaves each group of K blocks, and run the groups again.",
    )
    @click.option(
        "--workspace",
        type=click.Choice(WORKSPACES),
        default="none",
        show_default=True,
        help="The matrix of im2col, of one image or of the batch.",
    )
    @wraps(command)
    def call(
        *positional: Any,
        training: bool,
        keep_all: bool,
        overwriting: str,
        optimizer: str,
        mixed: bool,
        checkpoint: int | None,
        workspace: str,
        **rest: Any,
    ) -> Any:
        policy = Policy(training, keep_all, in_place_of(overwriting), optimizer, mixed, checkpoint, workspace)
        return command(*positional, policy=policy, **rest)

    return call  # fmt: skip


def in_place_of(text: str) -> tuple[str, ...]:
    """The parts of --in-place. Raises `UsageError` for one that there is not."""
    parts = comma_separated(text)
    if not parts:
        raise UsageError(f"--in-place takes {', '.join(IN_PLACE)} or none, not {text[:40]!r}")
    if parts == ["none"]:
        return ()
    for part in parts:
        if part not in IN_PLACE:
            if part == "none":
                raise UsageError("--in-place none stands alone")
            hint = did_you_mean(part, IN_PLACE) or f"; there are {', '.join(IN_PLACE)} and none"
            raise UsageError(f"--in-place has no {part[:40]!r}{hint}")
    return tuple(dict.fromkeys(parts))
