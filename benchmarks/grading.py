"""How long a class takes to grade, as a whole process: tables of VGG-16 with mistakes, of one network or of many.

Run it with the Python of an environment where archcalc is installed: `python benchmarks/grading.py`.
"""

from __future__ import annotations

import argparse
import csv
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Target, machine, print_targets, print_times, process_times

import archcalc
from archcalc.core.shapes import format_shape
from archcalc.passes.analysis import Analysis, Row

NETWORK = "vgg16"
#: Share of the cells that are wrong.
WRONG = 0.06


def hand_in(path: Path, analysis: Analysis, chance: random.Random) -> None:
    """A table of answers in which some numbers are wrong, half of them as students get them wrong."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["layer", "output shape", "params", "multiplications"])
        for row in analysis.rows:
            if row.activations:
                writer.writerow([row.name, *_cells(row, chance)])
        writer.writerow(["total", "", analysis.totals.params, analysis.totals.multiplications])


def _cells(row: Row, chance: random.Random) -> list[object]:
    params, work, shape = row.params, row.multiplications, row.output_shape
    if params and chance.random() < WRONG:
        params = chance.choice([params - shape[0], params // 3, params + chance.randrange(1, 1000)])
    if work and chance.random() < WRONG:
        work = chance.choice([work // 9, work * 2, work + chance.randrange(1, 100_000)])
    if len(shape) == 3 and chance.random() < WRONG / 3:
        shape = (shape[0], shape[1] - 2, shape[2] - 2)
    return [format_shape(shape), params, work]


def homework(folder: Path, count: int, chance: random.Random) -> None:
    """A class in which every student has a variant of the network, and hands in its table."""
    options = ["--variants", str(count), "-f", "csv", "-o", "homework"]
    subprocess.run(
        [sys.executable, "-m", "archcalc", "exercise", NETWORK, *options], cwd=folder, check=True, capture_output=True
    )
    (folder / "own").mkdir()
    for file in sorted((folder / "homework" / "networks").iterdir()):
        variant = archcalc.analyse(archcalc.load(str(file)))
        hand_in(folder / "own" / f"{file.stem}.csv", variant, chance)


def main() -> None:
    """Measure, print, and leave with 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="times that it is measured (default: %(default)s)")
    parser.add_argument("--submissions", type=int, default=300, help="size of the class (default: %(default)s)")
    arguments = parser.parse_args()
    print(f"{machine()}, archcalc {archcalc.__version__}\n")
    analysis = archcalc.analyse(archcalc.load(NETWORK))
    chance = random.Random(1)  # noqa: S311  # made-up homework is no secret
    count = arguments.submissions
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for number in range(count):
            hand_in(folder / "in" / f"student-{number}.csv", analysis, chance)
        homework(folder, count, chance)
        program = [sys.executable, "-m", "archcalc", "grade", NETWORK]
        same, own = (f"grade {NETWORK}, {count:,} submissions, {of}" for of in ("one network", "a network each"))
        commands = {same: [*program, "in", "-o", "out"], own: [*program, "own", "--homework", "homework", "-o", "out2"]}
        wanted = dict.fromkeys(commands, f"{count} of {count} submissions graded")
        times = process_times(commands, arguments.rounds, folder, wanted)
    print_times(times)
    # 300 students in a minute.
    limit = 60 * count / 300
    sys.exit(not print_targets([Target(what, statistics.median(times[what]), limit, " s") for what in commands]))


if __name__ == "__main__":
    main()
