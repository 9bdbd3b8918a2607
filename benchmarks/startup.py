"""How long whole commands take, from the shell's view, next to Python itself and two peers on the same AlexNet.

Run it with the Python of an environment where archcalc is installed: `python benchmarks/startup.py`.
"""

from __future__ import annotations

import argparse
import sys
import sysconfig
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from measure import Target, machine, paired_ratio, print_targets, print_times, process_times
from peers import write_onnx

PARAMS = "62,378,344"
PYTHON, HELP, REPORT, NASNET = "python -c pass", "archcalc --help", "archcalc report alexnet", "report nasnet_large"
ONNX_TOOL, TORCHINFO = "onnx-tool, AlexNet", "torchinfo, AlexNet"
PEERS = {ONNX_TOOL: ("onnx", "onnx-tool"), TORCHINFO: ("torch", "torchinfo")}


def missing(packages: tuple[str, ...]) -> list[str]:
    """Those of the packages that are not installed."""
    absent = []
    for package in packages:
        try:
            version(package)
        except PackageNotFoundError:
            absent.append(package)
    return absent


def commands(folder: Path) -> dict[str, list[str]]:
    """What is measured, in the order in which it is run. A peer that is not installed is left out, with a line."""
    program = next((str(path) for path in Path(sysconfig.get_path("scripts")).glob("archcalc*")), None)
    if program is None:
        sys.exit("archcalc is not installed for this Python: python -m pip install .")
    found = {
        PYTHON: [sys.executable, "-c", "pass"],
        HELP: [program, "--help"],
        REPORT: [program, "report", "alexnet"],
        NASNET: [program, "report", "nasnet_large"],
    }
    for peer, packages in PEERS.items():
        absent = missing(packages)
        if absent:
            print(f"{peer}: skipped; python -m pip install '.[peers]' brings {' and '.join(absent)}")
        elif peer == ONNX_TOOL:
            write_onnx(folder / "alexnet.onnx")
            found[peer] = [sys.executable, "-m", "onnx_tool", "-i", "alexnet.onnx"]
        else:
            found[peer] = [sys.executable, str(Path(__file__).with_name("peers.py"))]
    return found


def main() -> None:
    """Measure, print, and leave with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="times that each command is run (default: %(default)s)")
    rounds = parser.parse_args().rounds
    print(machine())
    packages = ["archcalc", *(package for needed in PEERS.values() for package in needed if not missing((package,)))]
    print(", ".join(f"{package} {version(package)}" for package in packages))
    with tempfile.TemporaryDirectory() as folder:
        running = commands(Path(folder))
        expected = dict.fromkeys((REPORT, ONNX_TOOL, TORCHINFO), PARAMS)
        times = process_times(running, rounds, Path(folder), expected)
    print(f"\nWhole process, {rounds} rounds")
    print_times(times)
    targets = [Target(f"{HELP} / {PYTHON}", paired_ratio(times[HELP], times[PYTHON]), 2.5)]
    for peer, limit in ((ONNX_TOOL, 0.4), (TORCHINFO, 0.1)):
        if peer in times:
            targets.append(Target(f"{REPORT} / {peer}", paired_ratio(times[REPORT], times[peer]), limit))
    targets.append(Target(f"archcalc {NASNET}", sorted(times[NASNET])[rounds // 2], 0.35, " s"))
    sys.exit(not print_targets(targets))


if __name__ == "__main__":
    main()
