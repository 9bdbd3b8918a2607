"""The audit of the lecture notes against a hand evaluation of the same claims, which the audit never reads."""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from archcalc.teach.audit.checker import audit
from archcalc.teach.audit.formats import render
from archcalc.teach.audit.verdicts import Audit, CheckedClaim, Verdict
from archcalc.teach.audit.view import calculated, claimed, details

ROOT = Path(__file__).parents[3]
CLAIMS = ROOT / "reports" / "lecture_claims.yaml"
REPORT = ROOT / "reports" / "lecture_audit.md"
REMEDY = "run: archcalc audit reports/lecture_claims.yaml -o reports/lecture_audit.md"


def expected() -> dict[str, str]:
    lines = (ROOT / "tests" / "data" / "lecture_verdicts.csv").read_text(encoding="utf-8").splitlines()
    return {row["claim"]: row["found"] for row in csv.DictReader(line for line in lines if not line.startswith("#"))}


EXPECTED = expected()
#: Right and wrong claims that are about nothing that archcalc calculates.
NOT_CALCULATED = {
    "correct": {
        "000-vgg-11", "000-res-02", "000-res-03", "000-unet-08", "001-comp-02", "001-vggtab-tx",
        "002-bn-01", "002-lrn-01", "002-res-01", "004-cmp-06",
    },
    "wrong": {"000-goog-19", "001-pool-03", "003-alex-06"},
}  # fmt: skip
#: Wrong as the hand evaluation reads it; the text may mean networks that are not in the catalogue.
DEPENDS = {"001-lenet-01"}
#: Claims that are right in one reading: never accused.
AMBIGUOUS = {
    "000-lenet-05", "000-goog-10", "000-unet-03", "001-fcconv-12", "001-lenet-01", "001-zf-02", "001-res-02",
    "003-lenet-02", "003-alex-05",
}  # fmt: skip
#: What must be among the diagnoses of a wrong claim.
DIAGNOSED = {
    "000-alex-05": {"wrong_stride"},
    "000-alex-08": {"wrong_input_channels"},
    "000-alex-09": {"map_size_as_kernel"},
    "000-vgg19-03": {"rounded_inputs"},
    "000-res-04": {"other_network"},
    "000-res-05": {"other_network"},
    "000-goog-16": {"other_network"},
    "000-goog-17": {"other_network"},
    "000-unet-05": {"mixed_layers"},
    "001-alex-03": {"padding_once"},
    "001-conv-11": {"other_quantity"},
    "001-conv-15": {"wrong_operator"},
    "001-im2col-03": {"swapped_axes"},
    "001-pool-02": {"wrong_operator"},
    "001-fcconv-01": {"digit_slip"},
    "001-fcconv-03": {"other_network"},
    "001-fcconv-04": {"arithmetic", "repeat_count"},
    "001-fcconv-09": {"digit_slip"},
    "001-fcconv-11": {"incomplete"},
    "001-mem-02": {"rounded_inputs"},
    "001-goog-01": {"unit"},
    "001-vgg-01": {"factor_two"},
    "001-vgg-02": {"unit"},
    "001-vggtab-tm": {"sum_of_parts"},
    "001-vggtab-tb": {"arithmetic"},
    "003-lenet-03": {"other_network"},
    "003-vgg-01": {"other_network"},
    "003-goog-02": {"incomplete"},
    "001-np-01": {"wrong_setting"},
    "004-alex-18": {"wrong_input_channels"},
    "004-alex-19": {"wrong_input_channels", "sum_of_parts"},
    "004-vgg-03": {"forgot_bias", "wrong_kernel"},
    "004-vgg-04": {"forgot_bias"},
    "004-vgg-05": {"wrong_kernel"},
    "004-inc4-01": {"other_network"},
}


#: The whole lecture takes seconds of each process.
pytestmark = pytest.mark.slow


@lru_cache(maxsize=1)
def lecture() -> Audit:
    return audit(CLAIMS)


def judged() -> dict[str, CheckedClaim]:
    return {one.claim.id: one for one in lecture().checked}


def test_every_claim_is_there() -> None:
    assert list(judged()) != []
    assert judged().keys() == EXPECTED.keys()
    assert Counter(EXPECTED.values()) == {"correct": 262, "wrong": 44, "ambiguous": 21, "not-checkable": 29}


@pytest.mark.parametrize(("claim", "found"), EXPECTED.items())
def test_verdict(claim: str, found: str) -> None:
    verdict = judged()[claim].verdict
    if found in NOT_CALCULATED:
        calculated = Verdict.RIGHT if found == "correct" else Verdict.WRONG
        calculated = Verdict.DEPENDS if claim in DEPENDS else calculated
        assert verdict is (Verdict.NOT_CALCULATED if claim in NOT_CALCULATED[found] else calculated)
    else:
        assert verdict is not Verdict.WRONG


def test_what_depends_on_the_reading_says_so() -> None:
    assert {name for name, one in judged().items() if one.verdict is Verdict.DEPENDS} == AMBIGUOUS
    assert all(" if " in judged()[name].reason for name in AMBIGUOUS)


def test_of_a_list_only_what_is_wrong_is_accused() -> None:
    one = judged()["000-goog-17"]
    assert [part.verdict for part in one.parts] == [Verdict.NOT_CALCULATED, Verdict.NOT_CALCULATED, Verdict.WRONG]
    assert (claimed(one), calculated(one)) == ("yes", "no")
    assert any("80.1 is not among those reported" in text for text in details(one))


def test_figures_of_the_papers_are_known() -> None:
    for name in ("000-vgg-10", "000-vgg19-04", "000-res-09"):
        assert judged()[name].verdict is Verdict.RIGHT, name


def test_no_claim_is_softened() -> None:
    """Only where the text itself has a word for "about" may the file of claims have one."""
    text = CLAIMS.read_text(encoding="utf-8")
    softened = {name for name in EXPECTED if re.search(rf"id: {name},[^}}]*?value: \"?about", text, re.DOTALL)}
    assert softened == {
        "000-lenet-10", "000-lenet-12", "000-alex-14", "000-vgg-07", "000-vgg-08", "000-goog-03", "001-mem-01",
        "002-res-03", "004-goog-03",
    }  # fmt: skip
    assert judged()["000-alex-12"].verdict is judged()["002-vgg-06"].verdict is Verdict.RIGHT


def test_summary() -> None:
    pairs = Counter((EXPECTED[name], one.verdict) for name, one in judged().items())
    assert pairs["wrong", Verdict.WRONG] == 40
    assert pairs["wrong", Verdict.RIGHT] == 0
    assert pairs["correct", Verdict.WRONG] == 0
    assert pairs["correct", Verdict.RIGHT] == 252


def test_what_is_not_calculated_has_a_reason() -> None:
    for one in lecture().checked:
        assert bool(one.reason) == (one.verdict in (Verdict.NOT_CALCULATED, Verdict.DEPENDS)), one.claim.id


@pytest.mark.parametrize(("claim", "mistakes"), DIAGNOSED.items())
def test_diagnosis(claim: str, mistakes: set[str]) -> None:
    assert mistakes <= {found.mistake for found in judged()[claim].diagnoses}


def test_every_wrong_claim_is_shown_how_it_is_right() -> None:
    for one in lecture().checked:
        if one.verdict is Verdict.WRONG:
            assert one.workings or one.counterexample or one.diagnoses, one.claim.id


def test_the_claims_hold_no_verdict() -> None:
    text = CLAIMS.read_text(encoding="utf-8")
    assert not any(f"{word}:" in text for word in ("verdict", "expected", "actual", "diagnosis", "right", "wrong"))


def test_the_report_is_fresh() -> None:
    assert REPORT.read_text(encoding="utf-8") == render(lecture(), "markdown"), REMEDY
