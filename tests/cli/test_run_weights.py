"""Weights of `archcalc run`: files that are read and written, and what is refused."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archcalc.execute.runner import SeededWeights
from archcalc.execute.runner.files import save_weights
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.cli.runner import Run

pytestmark = pytest.mark.usefixtures("own_folder")


# --- weights


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_weights_go_out_and_come_back(archcalc: Run, suffix: str) -> None:
    made = archcalc("run", "lenet5", "--seed", 3, "--save-weights", f"w.{suffix}", "--top", 2, "-f", "json").json
    read = archcalc("run", "lenet5", "--seed", 3, "--weights", f"w.{suffix}", "--top", 2, "-f", "json").json
    assert made == read
    first = Path(f"w.{suffix}").read_bytes()
    archcalc("run", "lenet5", "--weights", f"w.{suffix}", "--save-weights", f"again.{suffix}")
    assert Path(f"again.{suffix}").read_bytes() == first
    assert sorted(path.name for path in Path().iterdir()) == sorted([f"w.{suffix}", f"again.{suffix}"])


def stored(**changes: Any) -> dict[str, Any]:
    """The arrays of lenet5, with some put in, changed or (None) taken out."""
    analysis = analyse(load("lenet5"))
    save_weights(Path("all.npz"), analysis, SeededWeights(analysis.graph))
    with np.load("all.npz") as file:
        arrays = {**file, **{name.replace("__", "."): value for name, value in changes.items()}}
    return {name: value for name, value in arrays.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"C1__weight": None}, "C1.weight is missing"),
        ({"C9__weight": np.zeros(3)}, "C9.weight belongs to no layer"),
        ({"C1__weight": np.zeros((6, 1, 3, 3))}, "C1.weight is 6×1×3×3, the layer wants 6×1×5×5"),
        ({"C1__bias": np.zeros(6, np.int64)}, "C1.bias holds i8, not floating-point numbers"),
        ({"C1__bias": np.full(6, np.nan)}, "C1.bias holds values that are not finite"),
        ({"C1__bias": np.array([print] * 6, dtype=object)}, "C1.bias holds O, not floating-point numbers"),
    ],
)
def test_weights_that_do_not_fit(refuses: Run, changes: dict[str, Any], message: str) -> None:
    np.savez("w.npz", **stored(**changes))
    assert message in refuses("run", "lenet5", "--weights", "w.npz").err


def test_all_that_does_not_fit_is_said_at_once(refuses: Run) -> None:
    arrays: dict[str, Any] = {f"x{number}": np.zeros(1) for number in range(20)}
    np.savez("w.npz", **arrays)
    lines = refuses("run", "lenet5", "--weights", "w.npz").err.splitlines()
    assert lines[0].endswith("w.npz: neither names nor shapes fit the network:")
    assert lines[1].strip() == "no array fits C1: bias 6, weight 6×1×5×5"
    # Five layers without an array, and twenty arrays that belong to none; eight of these faults are shown.
    assert len(lines) == 1 + 8 + 1
    assert lines[-1].strip() == "and 17 more"
    np.savez("w.npz", **{"C1.weight": np.zeros((6, 1, 5, 5)), **arrays})
    lines = refuses("run", "lenet5", "--weights", "w.npz").err.splitlines()
    assert lines[9].strip() == "and 21 more"
    # Why the other way fails stands below.
    assert lines[10].strip() == "by shape and order: neither names nor shapes fit the network:"
    assert lines[-1].strip() == "and 18 more"


@pytest.mark.parametrize("content", [b"", b"PK garbage", b"PK\x05\x06" + bytes(18)])
def test_files_that_hold_no_weights(refuses: Run, content: bytes) -> None:
    Path("w.npz").write_bytes(content)
    refuses("run", "lenet5", "--weights", "w.npz")


def test_damaged_weights(refuses: Run) -> None:
    np.savez_compressed("w.npz", **stored())
    whole = bytearray(Path("w.npz").read_bytes())
    for place in range(300, len(whole) - 4000, 997):
        whole[place] ^= 0xFF
    Path("w.npz").write_bytes(whole)
    assert "is no readable .npz file" in refuses("run", "lenet5", "--weights", "w.npz").err


def test_an_archive_of_something_else(refuses: Run) -> None:
    with zipfile.ZipFile("w.npz", "w") as archive:
        archive.writestr("C1.weight.npy", "import os")
    assert "is no readable .npz file" in refuses("run", "lenet5", "--weights", "w.npz").err


def test_a_header_that_promises_too_much(refuses: Run) -> None:
    """An array of 10^15 values: its size is wrong before anything is read."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile("w.npz", "w") as archive:
        archive.writestr("C1.weight.npy", header.getvalue())
    assert "the layer wants 6×1×5×5" in refuses("run", "lenet5", "--weights", "w.npz").err


def test_safetensors_that_are_none(refuses: Run) -> None:
    Path("w.safetensors").write_bytes(b"\xff" * 100)
    assert "at most 16,777,216 are read" in refuses("run", "lenet5", "--weights", "w.safetensors").err
    Path("w.safetensors").write_bytes(struct.pack("<Q", 80) + b"{" * 80)
    assert "is no readable .safetensors file" in refuses("run", "lenet5", "--weights", "w.safetensors").err


def test_a_header_of_a_billion_bytes_is_refused_unread(refuses: Run) -> None:
    """A file with a hole, so that the bytes are there without filling the disk."""
    with Path("w.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", 10**9))
        file.truncate(10**9 + 8)
    assert "has a header of 1,000,000,000 bytes" in refuses("run", "lenet5", "--weights", "w.safetensors").err
    Path("w.safetensors").unlink()
    start = b"\x93NUMPY\x02\x00" + struct.pack("<I", 10**9)
    with zipfile.ZipFile("w.npz", "w") as archive:
        archive.writestr("C1.weight.npy", start + b" " * 100)
    assert "a header of 1,000,000,000 bytes" in refuses("run", "lenet5", "--weights", "w.npz").err
    with Path("x.npy").open("wb") as file:
        file.write(start)
        file.truncate(10**9 + 12)
    assert "a header of 1,000,000,000 bytes" in refuses("run", "lenet5", "--input", "x.npy").err
    Path("x.npy").unlink()


def test_far_too_many_arrays_are_refused(refuses: Run) -> None:
    with zipfile.ZipFile("w.npz", "w") as archive:
        for number in range(1100):
            archive.writestr(f"{number}.npy", b"")
    assert "w.npz holds 1,100 arrays; the network has far fewer" in refuses("run", "lenet5", "--weights", "w.npz").err


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_weights_that_cannot_be_written(refuses: Run, ending: str) -> None:
    """A full disk, and a folder in which nobody can make a file."""
    Path(f"w.{ending}").symlink_to("/dev/full")
    assert f"cannot write w.{ending}" in refuses("run", "lenet5", "--save-weights", f"w.{ending}").err
    assert f"cannot write /proc/w.{ending}" in refuses("run", "lenet5", "--save-weights", f"/proc/w.{ending}").err
    assert [path.name for path in Path().iterdir()] == [f"w.{ending}"]


def test_no_file_is_written_over_another_of_the_run(archcalc: Run, refuses: Run) -> None:
    assert "name the same file" in refuses("run", "lenet5", "--save-weights", "w.npz", "-f", "text", "-o", "w.npz").err
    assert list(Path().iterdir()) == []
    assert archcalc("run", "lenet5", "--save-weights", "w.npz").code == 0
    before = Path("w.npz").read_bytes()
    Path("names.txt").write_text("".join(f"{number}\n" for number in range(10)), encoding="utf-8")
    for arguments in (
        ("--weights", "w.npz", "--save-weights", "w.npz"),
        ("--weights", "w.npz", "-o", "w.npz"),
        ("--classes", "names.txt", "-o", "names.txt"),
        ("--save-weights", "w2.npz", "--feature-maps", "C1", "-o", "w2.npz"),
    ):
        refuses("run", "lenet5", *arguments)
    assert Path("w.npz").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["names.txt", "w.npz"]


def test_formats_of_weights(refuses: Run) -> None:
    Path("w.pt").write_bytes(b"")
    assert ".npz or .safetensors" in refuses("run", "lenet5", "--weights", "w.pt").err
    assert ".npz or .safetensors" in refuses("run", "lenet5", "--save-weights", "w.h5").err
