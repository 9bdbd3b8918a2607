"""What an audit consists of: claims, the parts that they were checked in, and their verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from archcalc.spec.expressions import Expression
from archcalc.teach.audit.claims import Claim, Claims
from archcalc.teach.check.model import Diagnosis
from archcalc.teach.reading.claimed import Claimed


class Verdict(StrEnum):
    """What a claim is."""

    RIGHT = "right"
    WRONG = "wrong"
    #: Right in one reading that the file gives, wrong in another.
    DEPENDS = "depends"
    NOT_CALCULATED = "not calculated"


class Part(NamedTuple):
    """A claimed value, what it is checked against, and its verdict; of a list each item is one."""

    claimed: Claimed
    tree: Expression
    value: Any
    verdict: Verdict = Verdict.RIGHT


@dataclass(frozen=True)
class CheckedClaim:
    """A claim and what became of it. `parts` hold the right values, where some were calculated.

    `printed` is what the text's own calculation gives, `reason` why nothing could be calculated.
    """

    claim: Claim
    verdict: Verdict
    parts: tuple[Part, ...] = ()
    printed: Any = None
    diagnoses: tuple[Diagnosis, ...] = ()
    reason: str = ""
    #: How the right value is computed, where the claim is wrong.
    workings: tuple[str, ...] = ()
    #: For a formula: a point at which it differs, with both values.
    counterexample: tuple[dict[str, Any], Any, Any] | None = None

    @property
    def wrong_parts(self) -> tuple[Part, ...]:
        """The parts that are wrong; the others are accused of nothing."""
        return tuple(part for part in self.parts if part.verdict is Verdict.WRONG)


@dataclass(frozen=True)
class Audit:
    """A file of claims, checked in its order.

    `unreached` claims were not calculated, and `unexplained` wrong ones not explained, as the work is bounded.
    """

    claims: Claims
    checked: tuple[CheckedClaim, ...]
    unreached: int = 0
    unexplained: int = 0

    def count(self, verdict: Verdict) -> int:
        return sum(one.verdict is verdict for one in self.checked)

    @property
    def is_right(self) -> bool:
        """Whether something was calculated and no claim is wrong; what cannot be calculated is not."""
        return len(self.checked) > self.count(Verdict.NOT_CALCULATED) and not self.count(Verdict.WRONG)
