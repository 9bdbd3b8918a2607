"""Errors in a file of claims name their place."""

from __future__ import annotations

import pytest

from archcalc.core.errors import SpecError
from archcalc.spec.source import parse_source
from archcalc.teach.audit.checker import check_claims
from archcalc.teach.audit.language import read_claims

#: A file, and the error that it gives.
FAULTS: list[tuple[str, str]] = [
    ("[]", "c.yaml:1:1: a file of claims is a mapping with a list `claims`"),
    ("claims: 3", "c.yaml:1:9: a file of claims is a mapping with a list `claims`"),
    ("claims: [3]", "c.yaml:1:10: a claim is a mapping"),
    ("claim: []\nclaims: []", "c.yaml:1:1: unknown key 'claim'; did you mean claims?"),
    (
        "claims:\n  - {netwrok: alexnet, quantity: params, value: 1}",
        "c.yaml:2:6: unknown key 'netwrok'; did you mean network?",
    ),
    (
        "claims:\n  - {network: alexnet, quantity: parms, value: 1}",
        "c.yaml:2:34: there is no quantity 'parms'; did you mean params",
    ),
    (
        "claims:\n  - {network: alexnte, quantity: params, value: 1}",
        "c.yaml:2:15: there is no network 'alexnte'; did you mean alexnet",
    ),
    (
        "claims:\n  - {network: alexnet, layer: conv9, quantity: params, value: 1}",
        "c.yaml:2:31: alexnet has no layer 'conv9'; did you mean conv",
    ),
    ("claims:\n  - {network: alexnet, quantity: params}", "c.yaml:2:5: a claim needs a value or an expression"),
    ("claims:\n  - {network: alexnet, quantity: params, value: .nan}", "c.yaml:2:49: value: .nan is no number"),
    ("claims:\n  - {network: alexnet, value: 3}", "c.yaml:2:5: a claim says what to calculate"),
    ("claims:\n  - {value: 3}", "c.yaml:2:5: a claim says what to calculate"),
    (
        "claims:\n  - {id: a, expression: 1+1, value: 2}\n  - {id: a, expression: 1+1, value: 2}",
        "c.yaml:3:10: two claims are called 'a'; the first stands in line 2",
    ),
    ("claims:\n  - {expression: 1+, value: 2}", "c.yaml:2:20: expression: expected a number"),
    ("claims:\n  - {expression: a+1, value: 2}", "c.yaml:2:18: expression: 'a' cannot stand in a calculation"),
    ("claims:\n  - {calculate: params('vgg16') +, value: 2}", "c.yaml:2:34: calculate: expected a number"),
    (
        "claims:\n  - {calculate: parms('vgg16'), value: 2}",
        "c.yaml:2:17: calculate: there is no function 'parms'; there are",
    ),
    (
        "claims:\n  - {calculate: params(vgg16), value: 2}",
        "c.yaml:2:24: calculate: 'vgg16' is not known here; vgg16 can stand",
    ),
    (
        "claims:\n  - {calculate: params(3), value: 2}",
        "c.yaml:2:17: a function of networks takes the name of one in quotes",
    ),
    ("claims:\n  - {calculate: \"count('vgg16', 'conv2')\", value: 2}", "there is no op 'conv2'; did you mean conv2d"),
    ("claims:\n  - {calculate: \"reported('vgg16', 'top2')\", value: 2}", "there is no reported 'top2'"),
    ("claims:\n  - {calculate: \"stride('vgg16')\", value: 2}", "stride is of a layer; which?"),
    (
        "claims:\n  - {network: vgg16, layer: fc6, quantity: stride, value: 2}",
        "c.yaml:2:44: fc6 (linear) has no stride",
    ),
    (
        "claims:\n  - {network: vgg16, layer: fc6, quantity: height, value: 2}",
        "the output of fc6 is flat and has no height",
    ),
    ("claims:\n  - {network: vgg16, layer: pool1, quantity: x_col, value: 2}", "pool1 is no product of matrices"),
    (
        "claims:\n  - {network: vgg16, input: 3, quantity: params, value: 2}",
        "vgg16 reads height×width×channels, as 224×224×3; 3 has 1 number",
    ),
    ("claims:\n  - {network: vgg16, set: 3, quantity: params, value: 2}", "c.yaml:2:27: set: a mapping"),
    ("claims:\n  - {network: vgg16, set: {depth: 3}, quantity: params, value: 2}", "depth"),
    ("claims:\n  - {network: vgg16, quantity: params, value: {a: 3}}", "c.yaml:2:47: value: is a number, a shape"),
    ("claims:\n  - {network: vgg16, line: 0, quantity: params, value: 3}", "c.yaml:2:28: line: a whole number from 1"),
    ("claims:\n  - {network: vgg16, text: [a], quantity: params, value: 3}", "c.yaml:2:28: text: words"),
    (
        "claims:\n  - {conv2d: {kernel_size: 3}, quantity: params, value: 3}",
        "c.yaml:2:14: conv2d: its settings and its input",
    ),
    (
        "claims:\n  - {conv2d: {input: 5x5x3, kernel_size: 3, out_chanels: 2}, quantity: params, value: 3}",
        "conv2d has no setting 'out_chanels'; did you mean out_channels",
    ),
    ("claims:\n  - {conv2d: {input: 5x5x3, kernel_size: 7, out_channels: 2}, quantity: params, value: 3}", "window"),
    ("claims:\n  - {formula: W-F, value: 3}", "c.yaml:2:15: a formula needs `equals`"),
    ("claims:\n  - {formula: W-F, equals: W-F, for: {W: 3}}", "for: a list of values for W"),
    ("claims:\n  - {formula: W-F, equals: W-F, for: {W: [3]}}", "equals: 'F' is not known here"),
    ("claims:\n  - {formula: W-F, equals: W, for: {W: [3]}}", "c.yaml:2:15: formula: 'F' is not known here"),
    ("claims:\n  - {formula: W, equals: W, for: {W: [3]}, if: W > 3}", "if: holds at no point of `for`"),
    ("claims:\n  - {id: g, claims: []}", "c.yaml:2:6: id is of a claim, not of a group"),
    ("claims:\n  - {claims: 3}", "c.yaml:2:14: claims: a list of claims"),
    ("claims:\n  - {with: 3, calculate: 1 + 1, value: 2}", "c.yaml:2:12: with: a mapping"),
]

HOSTILE = [
    "9**9**9",
    "__import__('os').system('true')",
    "().__class__.__bases__",
    "(" * 10_000,
    "1" * 100_000,
    "[" * 400,
    "lambda: 0",
    "2**64**64",
    "params('/etc/passwd')",
    "params('../../etc/passwd.yaml')",
    "count('vgg16', 'conv2d', [1] * 10)",
    "product([9**60, 9**60, 9**60])",
    "output_size(2**200, 3, 1, 0)",
    "output_size('a', 3, 1, 0)",
    "conv_params(3, 10**30, 10**30)",
    "conv_params('x', 3, 3)",
    "leftover(5, 3, 0, 0)",
    "same_padding([1], 3, 1)",
    "dilated_window('a', 'b')",
    "max()",
    "params()",
    "params('vgg16', 3)",
    "params('vgg16', ['a'])",
    "reads('vgg16', 'pool1', 10**9)",
    "bytes_of([])",
    "setting('vgg16', 'pool1', [])",
    "count('vgg16', [])",
]


def problems_of(text: str) -> str:
    with pytest.raises(SpecError) as refusal:
        check_claims(read_claims(parse_source(text, "c.yaml")))
    assert all(one.location is not None for one in refusal.value.problems)
    return str(refusal.value)


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_faults_have_places(text: str, message: str) -> None:
    assert message in problems_of(text)


@pytest.mark.parametrize("expression", HOSTILE)
def test_hostile_calculations_are_refused(expression: str) -> None:
    quoted = expression.replace("'", "''")
    message = problems_of(f"claims:\n  - calculate: '{quoted}'\n    value: 1")
    assert message.startswith("c.yaml:2:")
    assert len(message) < 2000


@pytest.mark.parametrize(
    "expression", ["9**9**9", "__import__('os')", "(" * 10_000, "1" * 100_000, "x.y", "[1", "f(2)"]
)
@pytest.mark.parametrize("key", ["expression", "formula"])
def test_hostile_prints_are_refused(expression: str, key: str) -> None:
    quoted = expression.replace("'", "''")
    more = "    equals: '1'\n    for: {x: [1]}" if key == "formula" else "    value: 1"
    assert problems_of(f"claims:\n  - {key}: '{quoted}'\n{more}").startswith("c.yaml:2:")


def test_every_fault_of_a_file_is_reported_at_once() -> None:
    text = "claims:\n  - {network: vgg16, quantity: parms, value: 1}\n  - {network: vgg16, quantity: deph, value: 1}"
    assert problems_of(text).count("there is no quantity") == 2


def test_sizes_are_bounded() -> None:
    many = "claims:\n" + "  - {expression: 1+1, value: 2}\n" * 5001
    assert "a file may hold 5,000 claims" in problems_of(many)
    deep = "claims: [" + "{claims: [" * 8 + "]}" * 8 + "]"
    assert "groups may be nested" in problems_of(deep)
    points = f"[{', '.join(map(str, range(1, 200)))}]"
    grid = f"claims:\n  - {{formula: W, equals: W, for: {{W: {points}, F: {points}}}}}"
    assert "39,601 points; 20,000 are enough" in problems_of(grid)


def test_groups_give_what_their_claims_do_not_say() -> None:
    text = """\
    documents: {n: Notes}
    claims:
      - document: n
        network: alexnet
        quantity: output_shape
        claims:
          - {layer: conv1, value: 55x55x96}
          - {layer: conv1, quantity: params, value: 34944}
          - {network: vgg16, layer: conv1_1, value: 224x224x64}
          - {conv2d: {input: 5x5x3, kernel_size: 3, out_channels: 2}, value: 3x3x2}
          - {calculate: "depth(network)", value: 8}
    """
    claims = read_claims(parse_source(text, "c.yaml"))
    assert [one.document for one in claims.claims] == ["n"] * 5
    assert [one.id for one in claims.claims] == [f"claim-{number}" for number in range(1, 6)]
    assert check_claims(claims).is_right
