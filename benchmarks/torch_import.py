"""How long `py:torchvision.models:resnet50` takes to import, next to torch.export alone, in one warm process.

Run it with the Python of an environment where archcalc, torch and torchvision are installed:
`python benchmarks/torch_import.py`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from importlib import import_module
from typing import Any

from measure import Target, call_times, machine, print_targets, print_times

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
    parser.add_argument("--repeats", type=int, default=3, help="times that each is measured (default: %(default)s)")
    repeats = parser.parse_args().repeats
    print(f"{machine()}, archcalc {archcalc.__version__}, PyTorch {torch.__version__}\n")
    alone, imported = call_times(export_alone, repeats), call_times(whole_import, repeats)
    print_times({"torch.export alone": alone, "import by archcalc": imported})
    ratio = statistics.median(imported) / statistics.median(alone)
    sys.exit(not print_targets([Target("import of resnet50, in times of torch.export", ratio, MOST)]))


if __name__ == "__main__":
    main()
