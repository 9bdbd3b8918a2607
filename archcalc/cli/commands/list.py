"""`archcalc list`."""

from __future__ import annotations

import re

import click

from archcalc.cli.options import data_in_english, lang_option
from archcalc.cli.output import Target, output_options
from archcalc.core.amounts import parse_amount
from archcalc.core.errors import UsageError
from archcalc.core.suggest import did_you_mean
from archcalc.render.tables.catalogue import FORMATS, render
from archcalc.render.tables.summaries import Summary, summaries
from archcalc.spec.catalogue import aliases_of, key_of

_YEARS = re.compile(r"(\d{4})(?:\s*[-–]\s*(\d{4}))?", re.ASCII)
_MOST_PARAMS = 1 << 40


@click.command("list")
@click.argument("words", metavar="[WORD]...", nargs=-1)
@click.option("--family", metavar="NAME", help="Only the networks of a family and its versions, such as resnet.")
@click.option("--year", "years", metavar="YEAR[-YEAR]", help="Only those published in a year, or from one to another.")
@click.option("--max-params", metavar="N", help="Only those with at most so many parameters: 5M, 25,000,000.")
@output_options(FORMATS, {".csv": "csv", ".json": "json"}, "table")
@lang_option
def command(
    words: tuple[str, ...], family: str | None, years: str | None, max_params: str | None, target: Target
) -> None:
    """Every network and variant: year, input, params, multiplications.

    With WORDs, only those whose name contains one of them. A network must meet all conditions that are given.
    """
    data_in_english(target.form)
    first, last = (None, None) if years is None else parse_years(years)
    most = None if max_params is None else parse_params(max_params)
    keys = [key_of(word) for word in words]
    found = [one for one in summaries() if not keys or any(key in other for key in keys for other in known_as(one))]
    if family is not None:
        found = of_family(found, family)
    if first is not None and last is not None:
        found = [one for one in found if one.year is not None and first <= one.year <= last]
    wanted = [one for one in found if most is None or one.params <= most]
    target.write(render(wanted, target.form, target.colour))


def known_as(one: Summary) -> list[str]:
    """The name of a network and its other names, as they are compared."""
    return [key_of(one.network), *aliases_of(one.network)]


def of_family(networks: list[Summary], family: str) -> list[Summary]:
    """The networks of a family and of its later versions: mobilenet, mobilenet_v2, mobilenet_v3.

    It is given by its name or its title. Raises `UsageError` where there is none.
    """
    key = key_of(family)
    named = re.compile(rf"{re.escape(key)}(?:v?\d.*)?")
    found = [one for one in networks if named.fullmatch(key_of(one.family)) or key == key_of(one.family_title)]
    if not found:
        families = dict.fromkeys(one.family for one in summaries())
        if not key or not any(map(named.fullmatch, map(key_of, families))):
            hint = did_you_mean(family, families) or f"; there are {', '.join(families)}"
            raise UsageError(f"there is no family {family[:60]!r}{hint}")
    return found


def parse_years(text: str) -> tuple[int, int]:
    """The first and the last year of 2015 or 2012-2016."""
    match = _YEARS.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--year takes a year or a range, as in 2015 or 2012-2016, not {text[:40]!r}")
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise UsageError(f"--year {first}-{last} ends before it begins; did you mean {last}-{first}?")
    return first, last


def parse_params(text: str) -> int:
    """The number of parameters of --max-params."""
    amount = parse_amount(text, "--max-params", _MOST_PARAMS)
    if amount.is_bytes:
        raise UsageError(f"--max-params takes a number of parameters, as in 5M, not bytes: {text[:40]!r}")
    return int(amount.value)
