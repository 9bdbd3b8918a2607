"""Claims checked: what is claimed against what is calculated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from archcalc.core.errors import ArchcalcError, Problem, SpecError, UsageError
from archcalc.spec.evaluate import evaluate, exact
from archcalc.spec.expressions import Expression, ExpressionError
from archcalc.teach.audit.cells import as_shape, holds
from archcalc.teach.audit.claims import Claim, Claims, Formula
from archcalc.teach.audit.context import ClaimContext
from archcalc.teach.audit.diagnose import Diagnoser
from archcalc.teach.audit.formulas import mended_formulas
from archcalc.teach.audit.functions import MEASURED, Reader
from archcalc.teach.audit.language import load_claims
from archcalc.teach.audit.networks import BUDGET_REACHED, BudgetError, Networks
from archcalc.teach.audit.verdicts import Audit, CheckedClaim, Part, Verdict
from archcalc.teach.audit.workings import measured, workings
from archcalc.teach.check.model import Diagnosis
from archcalc.teach.reading.calculation import StatementError
from archcalc.teach.reading.claimed import Claimed

MOST_POINTS = 20_000
#: What a point of a formula costs, in steps of `Networks`.
STEPS_OF_A_POINT = 50
#: Faults of a file that are listed.
MOST_PROBLEMS = 50


def audit(path: Path) -> Audit:
    """Check a file of claims. Raises `SpecError` with the faults of the file, `UsageError` without a file."""
    return check_claims(load_claims(path))


def check_claims(claims: Claims) -> Audit:
    """Check claims that have been read: first the verdict of each, then why the wrong ones are wrong.

    Both are bounded by `archcalc.teach.audit.networks.MOST_STEPS`; the report names what is left then.
    """
    networks = Networks()
    checker = ClaimChecker(Reader(networks), claims.claims)
    checked: list[CheckedClaim] = []
    problems: list[Problem] = []
    for claim in claims.claims:
        try:
            checked.append(checker.check(claim))
        except FaultyClaimError as error:
            problems += error.problems
            if len(problems) >= MOST_PROBLEMS:
                break
        except BudgetError as error:
            checked.append(CheckedClaim(claim, Verdict.NOT_CALCULATED, reason=str(error)))
    if problems:
        raise SpecError(problems)
    unreached = sum(one.reason == BUDGET_REACHED for one in checked)
    networks.steps = 0
    unexplained = 0
    for index, one in enumerate(checked):
        try:
            checked[index] = checker.explained(one) if one.verdict is Verdict.WRONG else one
        except BudgetError:
            unexplained += 1
    return Audit(claims, tuple(checked), unreached, unexplained)


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
        verdicts: dict[Verdict, list[str]] = {}
        for when, reading in claim.readings:
            verdicts.setdefault(self.check_as_it_stands(reading).verdict, []).append(when)
        # What is wrong as it stands, and in another reading is about something else, is not flatly wrong.
        excuses = {Verdict.WRONG: (Verdict.RIGHT, Verdict.NOT_CALCULATED), Verdict.RIGHT: (Verdict.WRONG,)}
        others = [verdict for verdict in excuses.get(found.verdict, ()) if verdict in verdicts]
        if not others:
            return found
        reasons = [f"{verdict} if {' or if '.join(verdicts[verdict])}" for verdict in others]
        reason = f"{', '.join(reasons)}, {found.verdict} otherwise"
        return replace(found, claim=claim, verdict=Verdict.DEPENDS, reason=reason)

    def check_as_it_stands(self, claim: Claim) -> CheckedClaim:
        if claim.formula is not None:
            return self.check_formula(claim, claim.formula)
        if claim.reason:
            return CheckedClaim(claim, Verdict.NOT_CALCULATED, reason=claim.reason)
        printed = claim.printed.tree.value if claim.printed else None
        claimed = claimed_by(claim)
        agrees = claim.printed is None or claim.printed.agrees(claimed)
        if claim.calculation is None:
            verdict = Verdict.RIGHT if agrees else Verdict.WRONG
            parts = [Part(claimed, Expression("value", 0, printed), printed, verdict)]
        else:
            parts = list(self.parts(claim, claimed, claim.calculation.tree, claim.calculation.variables))
        verdicts = {part.verdict for part in parts}
        if Verdict.WRONG in verdicts or not agrees:
            return CheckedClaim(claim, Verdict.WRONG, tuple(parts), printed)
        verdict = Verdict.NOT_CALCULATED if Verdict.NOT_CALCULATED in verdicts else Verdict.RIGHT
        return CheckedClaim(claim, verdict, tuple(parts), printed, reason=measured(parts))

    def parts(self, claim: Claim, claimed: Claimed, tree: Expression, variables: Mapping[str, Any]) -> Iterator[Part]:
        """The items of a list, each with its calculation and its verdict; or the whole."""
        if claimed.items is not None and tree.kind == "list" and len(tree.parts) == len(claimed.items):
            for item, part in zip(claimed.items, tree.parts, strict=True):
                yield from self.parts(claim, item, part, variables)
            return
        value = self.value(claim, tree, variables)
        if tree.kind == "call" and tree.value in MEASURED:
            # Evaluations differ, so that a figure that nobody reported need not be wrong.
            is_known = any(claimed.holds(figure) for figure in value)
            yield Part(claimed, tree, value, Verdict.RIGHT if is_known else Verdict.NOT_CALCULATED)
        elif holds(tree, claimed, value):
            yield Part(claimed, tree, value, Verdict.RIGHT)
        else:
            try:
                yield Part(as_shape(tree, claimed, value), tree, value, Verdict.WRONG)
            except StatementError as error:
                place = claim.places.get("value", claim.location)
                raise FaultyClaimError([Problem(f"value: {error.message}", place)]) from None

    def explained(self, checked: CheckedClaim) -> CheckedClaim:
        """A wrong claim with what explains it. Raises `BudgetError` where too much was explained before."""
        claim = checked.claim
        if claim.formula is not None:
            return checked
        claimed = claimed_by(claim)
        diagnoser = Diagnoser(ClaimContext(self.reader, claim, self.claims), checked.printed)
        found: list[Diagnosis] = []
        shown: list[str] = []
        if claim.printed is not None and not claim.printed.agrees(claimed):
            found += diagnoser.of_printed(claimed)
        for part in checked.wrong_parts if claim.calculation is not None else ():
            found += diagnoser.of_part(part)
            shown += workings(diagnoser.context, part)
        if claim.adds:
            found += diagnoser.of_addends(claimed)
        return replace(checked, diagnoses=tuple(dict.fromkeys(found)), workings=tuple(dict.fromkeys(shown)))

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
        self.reader.networks.spend(STEPS_OF_A_POINT * len(points))
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


def claimed_by(claim: Claim) -> Claimed:
    """The claimed value: that of the text, or what its calculation gives."""
    assert claim.value is not None or claim.printed is not None
    return claim.value or claim.printed.claimed()  # type: ignore[union-attr]  # one of both is there


def _place_of(message: str) -> str:
    """The part of a claim that an error of the library is about."""
    for word, key in (("no network", "network"), ("has no layer", "layer"), ("no file", "network")):
        if word in message:
            return key
    return ""
