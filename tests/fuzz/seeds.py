"""Hostile command lines that were faults once."""

from __future__ import annotations

from tests.fuzz.inputs import HOSTILE, Input

#: Command lines that ended in a traceback, worked without bound, or gave a wrong answer.
FAULTS = (
    ("solve", "conv_transpose2d", "--input", "1", "--output", "1048576", "--output-padding", "?"),
    ("solve", "conv2d", "--input", "1000000", "--output", "500000"),
    ("solve", "conv2d", "--same", "--input", "0", "--stride", "0"),
    ("solve", "x²=4"),
    ("solve", "4*47/(32/(X + 1) + 1) = 0"),
    ("formula", "32x32x3 -> [conv3-3]*200"),
    ("exercise", "32x32x3 -> [conv3-3]*200", "-f", "csv"),
    ("report", "1x1x1 -> [upconv2-1/2]*600", "-f", "csv"),
    ("report", "1x1x1 -> [conv3-1/1048576]*800", "-f", "csv"),
    ("check", "lenet5", "--params", "9" * 4301),
    ("draw", "lenet5", "--scale", "nan", "-f", "svg"),
    ("draw", "lenet5", "--sizes", "foo", "-f", "svg"),
    ("plot", "profile", "lenet5", "--font-size", "nan", "-f", "svg"),
)
#: What takes some seconds where calls are counted.
COSTLY = {"formula-recursion.yaml", "spec-upsample-520.yaml", "draw-long-skips-100.yaml", "1000000", "1048576"}
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\n"


def seeds() -> list[Input]:
    """Inputs that were faults once."""
    found = [
        Input((command, path.name, *more), {path.name: path.read_bytes()})
        for path in sorted(HOSTILE.glob("*.yaml"))
        if not path.name.startswith(("audit", "draw"))
        for command, more in (("report", ("-f", "csv")), ("validate", ()), ("explain", ()), ("formula", ()))
    ]
    found += [Input(("audit", path.name), {path.name: path.read_bytes()}) for path in sorted(HOSTILE.glob("audit*"))]
    found += [Input(arguments, {}) for arguments in FAULTS]
    drawn = HOSTILE / "draw-long-skips-100.yaml"
    csv = HOSTILE / "check-esc-heading.csv"
    table = b"layer,params\nC1,156\n"
    return [
        *found,
        Input(("draw", drawn.name, "-f", "svg", "-o", "out.svg"), {drawn.name: drawn.read_bytes()}),
        Input(("check", "lenet5", csv.name), {csv.name: csv.read_bytes()}),
        Input(("run", "lenet5", "--input", "cat.jpg"), {"cat.jpg": EPS}),
        Input(("check", "lenet5", "a.csv", "-o", "a.csv"), {"a.csv": table}),
        Input(
            ("audit", "a.yaml", "-o", "a.yaml"), {"a.yaml": b"- {network: lenet5, quantity: params, value: 61706}\n"}
        ),
        Input(
            ("report", "a.yaml", "-f", "csv", "-o", "a.yaml"),
            {"a.yaml": b"name: n\ntitle: T\ninput: 8x8x3\nlayers: [relu]\n"},
        ),
        Input(("exercise", "lenet5", "-o", "a.md", "--key", "a.md"), {}),
    ]
