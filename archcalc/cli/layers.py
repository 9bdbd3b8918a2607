"""A layer on the command line: the fields of an op as options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.ops import OPS

_LONGEST = 200


def parse_fields(kind: str, words: Sequence[str]) -> dict[str, Any]:
    """`--kernel-size 11 --bias false --no-bias --ceil-mode` as settings. Raises `UsageError` for anything else."""
    from archcalc.spec.hints import unknown_setting

    known = OPS[kind].model_fields
    fields: dict[str, Any] = {}
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if not word.startswith("--") or len(word) < 3:
            raise UsageError(f"what is {word[:60]!r}? Settings of {kind} are written --name VALUE")
        name, equals, text = word[2:].partition("=")
        field = name.replace("-", "_")
        if field.removeprefix("no_") in known and field not in known and not equals:
            fields[field.removeprefix("no_")] = False
            continue
        if field not in known:
            options = [_option(name) for name in known]
            message = unknown_setting(field, known)
            hint = re.sub(r"\w+", lambda match: _option(match[0]) if match[0] in known else match[0], message)
            raise UsageError(f"{kind} has no setting --{name[:60]}{hint}; it has {', '.join(options) or 'none'}")
        if not equals and waiting and not waiting[0].startswith("--"):
            text, equals = waiting.pop(0), "="
        fields[field] = parse_value(text) if equals else True
    return fields


def _option(field: str) -> str:
    return f"--{field.replace('_', '-')}"


def parse_value(text: str) -> Any:
    """A number, a word, or several numbers: 3x5, 1,1,0,0, [3, 5]."""
    from archcalc.spec.source import scalar

    if len(text) > _LONGEST:
        raise UsageError(f"a value may have {_LONGEST} characters, {text[:40]!r}… has {len(text):,}")
    plain = text.strip().strip("[]")
    for separator in (",", "x", "×"):
        parts = [part.strip() for part in plain.split(separator)]
        if len(parts) > 1 and all(part.lstrip("-").isdecimal() for part in parts):
            return [int(part) for part in parts]
    return scalar(text.strip())
