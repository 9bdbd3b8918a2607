"""The program tells OpenBLAS to use AVX-512 where the CPU has it, and leaves alone what the user has chosen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archcalc.cli.blas import CORE_TYPE, NEEDED, OPT_OUT, WIDE, choose_core_type

WITH = "processor : 0\nflags\t\t: fpu sse2 avx2 " + " ".join(sorted(NEEDED)) + "\n"
WITHOUT = "processor : 0\nflags\t\t: fpu sse2 avx2 avx512f\n"


@pytest.fixture
def information(tmp_path: Path) -> Path:
    path = tmp_path / "cpuinfo"
    path.write_text(WITH, encoding="ascii")
    return path


def test_a_cpu_with_avx512_uses_it(information: Path) -> None:
    environment: dict[str, str] = {}
    assert WIDE in choose_core_type(environment, information, loaded=False)
    assert environment == {CORE_TYPE: WIDE}


def test_the_users_choice_stays(information: Path) -> None:
    environment = {CORE_TYPE: "Haswell"}
    assert "as it was set" in choose_core_type(environment, information, loaded=False)
    assert environment == {CORE_TYPE: "Haswell"}


@pytest.mark.parametrize("value", ["keep", "KEEP"])
def test_the_choice_can_be_left_to_openblas(information: Path, value: str) -> None:
    environment = {OPT_OUT: value}
    assert f"{OPT_OUT}=keep" in choose_core_type(environment, information, loaded=False)
    assert environment == {OPT_OUT: value}


def test_it_is_too_late_once_numpy_is_loaded(information: Path) -> None:
    environment: dict[str, str] = {}
    assert "loaded already" in choose_core_type(environment, information, loaded=True)
    assert environment == {}


def test_other_cpus_and_systems_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "cpuinfo"
    other.write_text(WITHOUT, encoding="ascii")
    for information in (other, tmp_path / "missing"):
        environment: dict[str, str] = {}
        assert "no AVX-512" in choose_core_type(environment, information, loaded=False)
        assert environment == {}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in (CORE_TYPE, OPT_OUT)}
    return subprocess.run(
        [sys.executable, "-m", "archcalc", *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
        env={**inherited, **environment},
    )


@pytest.mark.slow
@pytest.mark.parametrize("environment", [{}, {OPT_OUT: "keep"}, {CORE_TYPE: "Haswell"}])
def test_the_program_says_what_it_chose(environment: dict[str, str]) -> None:
    done = run("run", "lenet5", "--verbose", **environment)
    assert done.stdout.endswith("all shapes, counts and compared values agree\n")
    (line,) = done.stderr.splitlines()
    assert line.startswith("note: ")
    if environment == {CORE_TYPE: "Haswell"}:
        assert line.startswith("note: OPENBLAS_CORETYPE=Haswell, as it was set; its kernels are those for ")
    else:
        assert OPT_OUT in line or "no AVX-512" in line


@pytest.mark.slow
def test_without_the_option_nothing_is_said() -> None:
    assert run("run", "lenet5").stderr == ""


def test_the_library_leaves_the_environment_alone() -> None:
    code = (
        "import os\n"
        "from archcalc.spec.catalogue import load\n"
        "from archcalc.execute.runner import SeededWeights, execute\n"
        "from archcalc.execute.runner.inputs import random_input\n"
        "graph = load('lenet5')\n"
        "execute(graph, random_input(graph.input_shape, 1, 0, 'float32'), SeededWeights(graph))\n"
        f"print(os.environ.get({CORE_TYPE!r}))\n"
    )
    inherited = {name: value for name, value in os.environ.items() if name != CORE_TYPE}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=inherited)
    assert done.stdout == "None\n"
