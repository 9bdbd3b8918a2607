"""How long pictures take, from the shell's view, and next to Keras' `plot_model` on ResNet-50.

Run it with the Python of an environment where archcalc and its extra `draw` are installed. `--keras PYTHON` names one
that has keras, pydot and a backend; it needs the program `dot`. There, building the network and drawing it is measured
in new processes, without the imports of either.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from measure import Target, machine, paired_ratio, print_targets, print_times, process_times

ALEXNET, FOLDED, UNFOLDED, NASNET = "alexnet", "resnet152, folded", "resnet152, unfolded", "nasnet_large, unfolded"
LIMITS = {ALEXNET: 0.5, FOLDED: 1.0, UNFOLDED: 3.0, NASNET: 20.0}
KERAS, ARCHCALC, SHARE = "keras: build and plot resnet50", "archcalc: load and draw resnet50", 0.25
#: Load, analyse and draw every layer of ResNet-50 as SVG; prints the seconds that it took.
DRAW = """
import sys, time, pygraphviz
from archcalc import analyse, load
from archcalc.render.diagrams.draw import Choices, draw
start = time.perf_counter()
open(sys.argv[1], "wb").write(draw(analyse(load("resnet50")), "svg", Choices(style="graph")).data)
print(time.perf_counter() - start)
"""


def commands() -> dict[str, list[str]]:
    """What is drawn, as an SVG each."""
    program = next((str(path) for path in Path(sysconfig.get_path("scripts")).glob("archcalc*")), None)
    if program is None:
        sys.exit("archcalc is not installed for this Python: python -m pip install '.[draw]'")
    styles = {ALEXNET: [], FOLDED: ["--style", "blocks"], UNFOLDED: ["--style", "graph"], NASNET: ["--style", "graph"]}
    return {
        name: [program, "draw", name.partition(",")[0], *style, "-o", "-", "-f", "svg"]
        for name, style in styles.items()
    }


def seconds(command: list[str], target: Path, layer: str) -> float:
    """What a command prints after it has written a picture that shows a layer. Raises `RuntimeError` elsewise."""
    target.unlink(missing_ok=True)
    run = subprocess.run([*command, str(target)], capture_output=True, text=True, check=False)
    if run.returncode or not target.exists() or layer not in target.read_text(encoding="utf-8"):
        raise RuntimeError(f"{command[0]} drew no {layer}:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return float(run.stdout.split()[-1])


def main() -> None:
    """Measure, print, and leave with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="times that each picture is drawn (default: %(default)s)")
    parser.add_argument("--keras", metavar="PYTHON", help="a Python that has keras, pydot and a backend")
    options = parser.parse_args()
    print(machine())
    running = commands()
    times: dict[str, list[float]] = {name: [] for name in running}
    ours: list[float] = []
    keras: list[float] = []
    script = str(Path(__file__).with_name("keras_plot.py"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(options.rounds):
            for picture, found in process_times(running, 1, folder, dict.fromkeys(running, "</svg>")).items():
                times[picture] += found
            if options.keras:
                ours.append(seconds([sys.executable, "-c", DRAW], folder / "a.svg", "conv5_x/unit3"))
                keras.append(seconds([options.keras, script], folder / "b.svg", "conv5_block3_out"))
    print(f"\nWhole process, {options.rounds} rounds")
    print_times(times)
    targets = [
        Target(f"archcalc draw {picture}", sorted(times[picture])[options.rounds // 2], limit, " s")
        for picture, limit in LIMITS.items()
    ]
    if keras:
        print("\nIn a new process, without imports")
        print_times({ARCHCALC: ours, KERAS: keras})
        targets.append(Target(f"{ARCHCALC} / {KERAS}", paired_ratio(ours, keras), SHARE))
    else:
        print(f"\n{KERAS}: left out; --keras PYTHON names one that has keras, pydot and a backend")
    sys.exit(not print_targets(targets))


if __name__ == "__main__":
    main()
