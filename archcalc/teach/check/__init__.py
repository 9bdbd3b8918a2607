"""Hand calculations compared with a network: which cell is right, which is wrong, and which step went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archcalc.teach.check.answers import Answers, parse_answers, read_answers
    from archcalc.teach.check.check import check_answers
    from archcalc.teach.check.model import Answer, Check
    from archcalc.teach.check.terms import check_total

__all__ = ["Answer", "Answers", "Check", "check_answers", "check_total", "parse_answers", "read_answers"]

_HOMES = {
    "Answer": "model", "Check": "model", "Answers": "answers", "parse_answers": "answers", "read_answers": "answers",
    "check_answers": "check", "check_total": "terms",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
