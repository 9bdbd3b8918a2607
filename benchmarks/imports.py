"""Importing ResNet-50 from ONNX, weights included, next to onnx-tool; and chains of many nodes.

Run it with the Python of an environment where archcalc, onnx and onnx-tool are installed. Times are those of the
processor, without imports; memory is what a process has at its peak.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Target, machine, paired_ratio, print_targets, print_times

#: What a process of its own does with a file. The first model is small and only there to load modules and libraries.
_OURS = "archcalc.load(path)"
_TOOL = "model = onnx_tool.Model(path); model.graph.shape_infer({model.graph.input[0]: numpy.zeros(shape, 'float32')})"
_RUN = """
import json, resource, sys, time
import {module}, numpy, onnx
def read(path, shape):
    {call}
read(sys.argv[1], (1, 3, 8, 8))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
read(sys.argv[2], (1, 3, 224, 224))
taken = time.process_time() - start
print(json.dumps([taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before]))
"""
READERS = {
    "archcalc": _RUN.format(module="archcalc", call=_OURS),
    "onnx-tool": _RUN.format(module="onnx_tool", call=_TOOL),
}
CHAINS = (3_000, 30_000)


def chain(count: int, path: Path) -> None:
    """Convolutions, activations and sums, one after another."""
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, arrays, before = [], [], "x"
    for index in range(count):
        name, scope = f"v{index}", f"/stage{index // 99}/block{index // 3}"
        if index % 3 == 0:
            arrays.append(numpy_helper.from_array(numpy.full((3, 3, 1, 1), index, numpy.float32), f"w{index}"))
            nodes.append(helper.make_node("Conv", [before, f"w{index}"], [name], f"{scope}/conv/Conv"))
        elif index % 3 == 1:
            nodes.append(helper.make_node("Relu", [before], [name], f"{scope}/relu/Relu"))
        else:
            nodes.append(helper.make_node("Add", [before, f"v{index - 2}"], [name], f"{scope}/Add"))
        before = name
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3, 8, 8]) for name in ("x", before)]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], arrays)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def measured(reader: str, small: Path, path: Path) -> tuple[float, float]:
    """Seconds, and KiB above what the process had before."""
    command = [sys.executable, "-W", "ignore", "-c", READERS[reader], str(small), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{reader} failed on {path.name}:\n{done.stderr[-2000:]}")
    seconds, kibibytes = json.loads(done.stdout.splitlines()[-1])
    return seconds, kibibytes


def main() -> None:
    """Measure, print, and leave with 1 where a target is missed."""
    import archcalc

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="times that each file is read (default: %(default)s)")
    rounds = parser.parse_args().rounds
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.onnx"), Path(folder, "resnet50.onnx")
        chain(6, small)
        archcalc.export(archcalc.load("resnet50"), large)
        times: dict[str, list[float]] = {reader: [] for reader in READERS}
        memory: list[float] = []
        for _ in range(rounds):
            for reader in READERS:
                seconds, kibibytes = measured(reader, small, large)
                times[reader].append(seconds)
                if reader == "archcalc":
                    memory.append(kibibytes)
        print_times(times)
        chains = {}
        for count in CHAINS:
            path = Path(folder, f"chain{count}.onnx")
            chain(count, path)
            chains[count] = min(measured("archcalc", small, path)[0] for _ in range(3))
            print(f"{count:,} nodes: {chains[count]:.2f} s")
        size = large.stat().st_size / 1024
    few, many = CHAINS
    targets = [
        Target("resnet50.onnx, archcalc / onnx-tool", paired_ratio(times["archcalc"], times["onnx-tool"]), 0.5),
        Target("memory for resnet50.onnx", max(memory) / 1024, size / 1024 + 200, " MiB"),
        Target(f"time of a node, {many:,} nodes / {few:,}", chains[many] / many / (chains[few] / few), 1.5),
    ]
    sys.exit(not print_targets(targets))


if __name__ == "__main__":
    main()
