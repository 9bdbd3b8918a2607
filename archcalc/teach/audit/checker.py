"""Claims checked: what is claimed against what is calculated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from archcalc.core.errors import ArchcalcError, Problem, SpecError, UsageError
from archcalc.spec.expressions import Expression, ExpressionError, evaluate, exact
from archcalc.teach.audit.claims import Claim, Claims, Formula
from archcalc.teach.audit.context import ClaimContext
from archcalc.teach.audit.diagnose import Diagnoser
from archcalc.teach.audit.formulas import mended_formulas
from archcalc.teach.audit.functions import MEASURED, Reader
from archcalc.teach.audit.language import load_claims
from archcalc.teach.audit.networks import Networks
from archcalc.teach.audit.numbers import value_text
from archcalc.teach.audit.verdicts import Audit, CheckedClaim, Part, Verdict
from archcalc.teach.audit.workings import workings
from archcalc.teach.check.model import Diagnosis
from archcalc.teach.reading.claimed import Claimed, read_claimed

MOST_POINTS = 20_000


def audit(path: Path) -> Audit:
    """ClaimChecker a file of claims. Raises `SpecError` with every fault of the file, `UsageError` without a file."""
    return check_claims(load_claims(path))


def check_claims(claims: Claims) -> Audit:
    """ClaimChecker claims that have been read."""
    checker = ClaimChecker(Reader(Networks()), claims.claims)
    checked: list[CheckedClaim] = []
    problems: list[Problem] = []
    for claim in claims.claims:
        try:
            checked.append(checker.check(claim))
        except FaultyClaimError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    return Audit(claims, tuple(checked))


class FaultyClaimError(Exception):
    """A claim asks for something that does not exist."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__()
        self.problems = list(problems)


class ClaimChecker:
    """Checks claims with one set of networks."""

    def __init__(self, reader: Reader, claims: Sequence[Claim] = ()) -> None:
        self.reader = reader
        self.claims = claims

    def check(self, claim: Claim) -> CheckedClaim:
        """The verdict; of a claim that may mean several things it depends on which, where they differ."""
        found = self.check_as_it_stands(claim)
        others = [(when, self.check_as_it_stands(reading).verdict) for when, reading in claim.readings]
        differing = [when for when, verdict in others if {verdict, found.verdict} == {Verdict.RIGHT, Verdict.WRONG}]
        if not differing:
            return found
        other = Verdict.WRONG if found.verdict is Verdict.RIGHT else Verdict.RIGHT
        reason = f"{other} if {' or if '.join(differing)}, {found.verdict} otherwise"
        return replace(found, claim=claim, verdict=Verdict.DEPENDS, reason=reason, diagnoses=(), workings=())

    def check_as_it_stands(self, claim: Claim) -> CheckedClaim:
        if claim.formula is not None:
            return self.check_formula(claim, claim.formula)
        if claim.reason:
            return CheckedClaim(claim, Verdict.NOT_CALCULATED, reason=claim.reason)
        printed = claim.printed.tree.value if claim.printed else None
        claimed = claim.value or read_claimed(printed)
        if claim.calculation is None:
            parts = [Part(claimed, Expression("value", 0, printed), printed)]
        else:
            parts = list(self.parts(claim, claimed, claim.calculation.tree, claim.calculation.variables))
        return self.check_parts(claim, parts, claimed, printed)

    def parts(self, claim: Claim, claimed: Claimed, tree: Expression, variables: Mapping[str, Any]) -> Iterator[Part]:
        """The items of a list, each with its calculation; or the whole."""
        if claimed.items is not None and tree.kind == "list" and len(tree.parts) == len(claimed.items):
            for item, part in zip(claimed.items, tree.parts, strict=True):
                yield from self.parts(claim, item, part, variables)
        else:
            yield Part(claimed, tree, self.value(claim, tree, variables))

    def check_parts(self, claim: Claim, parts: list[Part], claimed: Claimed, printed: Any) -> CheckedClaim:
        """Wrong where one part is; not calculated where one part cannot be and none is wrong."""
        diagnoser = Diagnoser(ClaimContext(self.reader, claim, self.claims), printed)
        unknown: list[str] = []
        found: list[Diagnosis] = []
        shown: list[str] = []
        wrong = False
        if printed is not None and not agrees(claimed, printed):
            wrong = True
            found += diagnoser.of_printed(claimed)
        for part in parts:
            if part.tree.kind == "call" and part.tree.value in MEASURED:
                # Evaluations differ, so that a figure that nobody reported need not be wrong.
                if not any(part.claimed.holds(figure) for figure in part.value):
                    unknown.append(_known_figures(part))
            elif claim.calculation is not None and not part.claimed.holds(part.value):
                wrong = True
                found += diagnoser.of_part(part)
                shown += workings(diagnoser.context, part)
        kept = tuple(parts)
        if wrong and claim.adds:
            found += diagnoser.of_addends(claimed)
        if wrong:
            found = list(dict.fromkeys(found))
            return CheckedClaim(claim, Verdict.WRONG, kept, printed, tuple(found), workings=tuple(dict.fromkeys(shown)))
        if unknown:
            return CheckedClaim(
                claim, Verdict.NOT_CALCULATED, kept, reason=f"measured, and evaluations differ: {'; '.join(unknown)}"
            )
        return CheckedClaim(claim, Verdict.RIGHT, kept, printed)

    def value(self, claim: Claim, tree: Expression, variables: Mapping[str, Any]) -> Any:
        """What is right. Raises `FaultyClaimError` at the part of the claim that cannot be calculated."""
        key = "calculate" if "calculate" in claim.places else "quantity"
        return self._evaluate(claim, key, tree, variables)

    def value_of_formula(self, claim: Claim, formula: Formula, point: dict[str, Any]) -> Any:
        """What a printed formula gives at a point."""
        try:
            return evaluate(formula.printed, point)
        except ExpressionError as error:
            raise FaultyClaimError([Problem(f"formula: {error.message}", claim.places.get("formula"))]) from None

    def _evaluate(self, claim: Claim, key: str, tree: Expression, variables: Any) -> Any:
        place = claim.places.get(key, claim.location)
        try:
            return evaluate(tree, variables, self.reader.functions)
        except ExpressionError as error:
            if place is not None and key != "quantity":
                place = place._replace(column=place.column + error.offset)
            names = f"; {error.unknown} can stand in `with`, networks in quotes" if error.unknown else ""
            raise FaultyClaimError([Problem(f"{key}: {error.message}{names}", place)]) from None
        except SpecError as error:
            raise FaultyClaimError([one._replace(location=one.location or place) for one in error.problems]) from None
        except UsageError as error:
            at = claim.places.get(_place_of(str(error)), place)
            raise FaultyClaimError([Problem(str(error), at)]) from None
        except ArchcalcError as error:
            raise FaultyClaimError([Problem(str(error), place)]) from None

    # --- formulas

    def check_formula(self, claim: Claim, formula: Formula) -> CheckedClaim:
        """A formula is right where it equals the rule at every point."""
        points = list(self.points(claim, formula))
        expected = [
            self._evaluate(claim, "equals", formula.equals.tree, {**formula.equals.variables, **point})
            for point in points
        ]
        found = [self.value_of_formula(claim, formula, point) for point in points]
        differing = [one for one in zip(points, found, expected, strict=True) if one[1] != one[2]]
        if not differing:
            return CheckedClaim(claim, Verdict.RIGHT)
        mended = mended_formulas(formula, points, expected)
        # The last one has the largest numbers, in which no operand is 0 or 1, so that every operator shows.
        return CheckedClaim(claim, Verdict.WRONG, diagnoses=mended, counterexample=differing[-1])

    def points(self, claim: Claim, formula: Formula) -> Iterator[dict[str, Any]]:
        """The points at which a formula is tried: all combinations for which its condition holds."""
        count = 1
        for values in formula.points.values():
            count *= len(values)
        if count > MOST_POINTS:
            problem = Problem(f"for: {count:,} points; {MOST_POINTS:,} are enough", claim.places.get("for"))
            raise FaultyClaimError([problem])
        kept = 0
        for values in product(*formula.points.values()):
            point = {name: exact(value) for name, value in zip(formula.points, values, strict=True)}
            variables = {**formula.equals.variables, **point}
            if formula.condition is None or self._evaluate(claim, "if", formula.condition, variables):
                kept += 1
                yield point
        if not kept:
            raise FaultyClaimError([Problem("if: holds at no point of `for`", claim.places.get("if"))])


def agrees(claimed: Claimed, printed: Any) -> bool:
    """Whether a printed calculation gives what is claimed; of a shape it gives a side."""
    return printed in claimed.sides or claimed.holds(printed)


def _known_figures(part: Part) -> str:
    name = str(part.tree.value).replace("_", " ").replace("top", "top-")
    if not part.value:
        return f"no {name} is known"
    return (
        f"{name} {part.claimed.text} is not among those reported ({', '.join(value_text(one) for one in part.value)})"
    )


def _place_of(message: str) -> str:
    """The part of a claim that an error of the library is about."""
    for word, key in (("no network", "network"), ("has no layer", "layer"), ("no file", "network")):
        if word in message:
            return key
    return ""
