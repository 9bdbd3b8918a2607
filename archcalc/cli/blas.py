"""Which kernels numpy's OpenBLAS uses: on a CPU with AVX-512 those that use it."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

#: OpenBLAS reads it when it is loaded, and so does this program's user.
CORE_TYPE = "OPENBLAS_CORETYPE"
#: Our own: `keep` leaves the choice to OpenBLAS.
OPT_OUT = "ARCHCALC_OPENBLAS"
#: OpenBLAS knows CPUs by name, and may give one that it does not know kernels for AVX2, at half the speed. Those of
#: this name need these flags, which Linux lists in /proc/cpuinfo.
WIDE = "SkylakeX"
NEEDED = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
CPU_INFORMATION = Path("/proc/cpuinfo")


def choose_core_type(
    environment: MutableMapping[str, str] = os.environ, information: Path = CPU_INFORMATION, loaded: bool | None = None
) -> str:
    """Choose the kernels for AVX-512 where the CPU has it and nobody has chosen yet; what was done, in a line.

    To be called before numpy is loaded: later it does nothing.
    """
    chosen = environment.get(CORE_TYPE)
    if chosen:
        return f"{CORE_TYPE}={chosen}, as it was set"
    if environment.get(OPT_OUT, "").lower() == "keep":
        return f"OpenBLAS chooses its kernels: {OPT_OUT}=keep"
    if "numpy" in sys.modules if loaded is None else loaded:
        return "OpenBLAS has chosen its kernels: numpy was loaded already"
    if not _flags(information) >= NEEDED:
        return "OpenBLAS chooses its kernels: no AVX-512 was found"
    environment[CORE_TYPE] = WIDE
    return f"{CORE_TYPE}={WIDE}, for this CPU has AVX-512; {OPT_OUT}=keep leaves the choice to OpenBLAS"


def _flags(information: Path) -> set[str]:
    """What the first CPU can do; nothing where the system does not tell."""
    try:
        with information.open(encoding="ascii", errors="replace") as lines:
            for line in lines:
                if line.startswith("flags"):
                    return set(line.partition(":")[2].split())
    except OSError:
        pass  # another system than Linux
    return set()
