"""What a spec is answered with, in bounded work and memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from archcalc.core.errors import SpecError
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build
from archcalc.spec.load import load_spec
from tests.steps import PATIENCE, at_most_calls

ROOT = Path(__file__).parents[2]
LIMIT = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))
from pathlib import Path
from archcalc.passes.analysis import analyse
from archcalc.core.errors import ArchcalcError
from archcalc.spec.build import build
from archcalc.spec.load import load_spec
from tests.steps import at_most_calls
try:
    with at_most_calls(20_000_000):
        analyse(build(load_spec(Path(sys.argv[1]), Path(sys.argv[1]).name)))
except ArchcalcError as error:
    print(error)
else:
    print("good")
"""


def answer(path: Path) -> str:
    """The errors of a file, from a process with bounded work and memory."""
    command = [sys.executable, "-c", LIMIT, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout.rstrip()


def answer_here(path: Path) -> str:
    """The same in this process."""
    try:
        with at_most_calls(20_000_000):
            analyse(build(load_spec(path, path.name)))
    except SpecError as error:
        return str(error)
    return "good"
