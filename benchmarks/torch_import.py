"""How long `py:torchvision.models:resnet50` takes to import, next to torch.export alone, in turn in one warm process.

Times are those of the processor.

Run it with the Python of an environment where archcalc, torch and torchvision are installed:
`python benchmarks/torch_import.py`.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from typing import Any

from measure import Target, machine, paired_ratio, print_targets, print_times

import archcalc

torch: Any = import_module("torch")
models: Any = import_module("torchvision.models")

#: The most that an import may take, in times of torch.export alone.
MOST = 1.5


def export_alone() -> None:
    """Make the model and trace it, as a user of PyTorch does."""
    module = models.resnet50().eval()
    with torch.no_grad():
        torch.export.export(module, (torch.zeros(1, 3, 224, 224),), strict=False)


def whole_import() -> None:
    """What a command does with this name: the model made, traced, recognised and checked."""
    archcalc.load("py:torchvision.models:resnet50")


def main() -> None:
    """Measure, print, and leave with 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="times that each is measured (default: %(default)s)")
    rounds = parser.parse_args().rounds
    print(f"{machine()}, archcalc {archcalc.__version__}, PyTorch {torch.__version__}\n")
    times: dict[str, list[float]] = {"torch.export alone": [], "import by archcalc": []}
    for index in range(rounds + 1):
        for name, function in zip(times, (export_alone, whole_import), strict=True):
            start = time.process_time()
            function()
            if index:  # the first time loads modules
                times[name].append(time.process_time() - start)
    print_times(times)
    ratio = paired_ratio(times["import by archcalc"], times["torch.export alone"])
    sys.exit(not print_targets([Target("import of resnet50, in times of torch.export", ratio, MOST)]))


if __name__ == "__main__":
    main()
