"""`archcalc grade`: a folder of submissions, made up like those of a class."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path

import pytest

from tests.cli.runner import Run

GOOD = """layer,output shape,params
C1,28x28x6,156
S2,14x14x6,0
C3,10x10x16,"2,416"
S4,5x5x16,0
C5,120,48120
F6,84,10164
output,10,850
total,,61706
"""
#: C1 without its bias; the total follows from it.
FORGOT = GOOD.replace("28x28x6,156", "28x28x6,150").replace("61706", "61700")
#: C1 padded; what follows is calculated from 32×32.
CARRIED = """layer,output shape,params
C1,32x32x6,156
S2,16x16x6,0
C3,12x12x16,2416
S4,6x6x16,0
C5,120,69240
F6,84,10164
output,10,850
total,,82826
"""


def folder(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def grades(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture(autouse=True)
def _a_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    handed_in = Path("in")
    (handed_in / "Dora").mkdir(parents=True)
    (handed_in / "ada.csv").write_text(GOOD, encoding="utf-8")
    (handed_in / "bob.csv").write_text(FORGOT, encoding="utf-8")
    (handed_in / "cy.csv").write_text(CARRIED, encoding="utf-8")
    (handed_in / "Dora" / "answers.csv").write_text("layer,params\nC1,\nC3,2416\n", encoding="utf-8")
    (handed_in / "eve.csv").write_bytes(b"\x89PNG\x00\x00")
    (handed_in / "fay.docx").write_bytes(b"PK")
    (handed_in / ".DS_Store").write_bytes(b"")


def test_a_class(archcalc: Run) -> None:
    result = archcalc("grade", "lenet5", "in", "--quantities", "output_shape,params", "-o", "out")
    assert result.code == 0
    assert result.out.startswith("4 of 6 submissions graded. Mean ")
    assert "the bias is missing (1)" in result.out
    assert result.out.endswith("See out/overview.md\n")
    assert "not graded: eve:" in result.err
    assert "not graded: fay: in/fay.docx:1:1: is no Word document" in result.err
    table = grades(Path("out/grades.csv"))
    assert list(table) == ["Dora", "ada", "bob", "cy", "eve", "fay"]
    assert (table["ada"]["score"], table["ada"]["max_score"]) == ("15", "15")
    # One point is half lost; the total follows from the mistake.
    assert (table["bob"]["score"], table["bob"]["wrong"], table["bob"]["carried_forward"]) == ("14.5", "1", "1")
    assert (table["cy"]["wrong"], table["cy"]["right"]) == ("1", "9")
    assert table["Dora"]["score"] == "1"
    feedback = Path("out/students/bob/feedback.md").read_text(encoding="utf-8")
    assert "You wrote `150`; it is **156**." in feedback
    assert "(5·5·1 + 1)·6" in feedback
    scores = json.loads(Path("out/students/bob/results.json").read_text(encoding="utf-8"))
    assert scores["score"] == 14.5 == sum(test["score"] for test in scores["tests"])
    overview = Path("out/overview.md").read_text(encoding="utf-8")
    assert "| the bias is missing | 1 | 1 | C1 params |" in overview
    assert Path("out/overview.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.slow
def test_a_rerun_gives_the_same_bytes(archcalc: Run) -> None:
    for _ in range(2):
        assert archcalc("grade", "lenet5", "in", "-o", "out").code == 0
        assert archcalc("grade", "lenet5", "in", "-o", "again").code == 0
        assert folder(Path("out")) == folder(Path("again"))


def test_the_mistakes_of_a_class_are_in_the_language(archcalc: Run) -> None:
    result = archcalc("grade", "lenet5", "in", "-o", "out", "--lang", "ru")
    assert "нет смещения (1)" in result.out
    assert not re.search("[a-z]+_[a-z]+", result.out)
    overview = Path("out/overview.md").read_text(encoding="utf-8")
    assert "| нет смещения | 1 | 1 | C1 параметры |" in overview
    assert not re.search(r"[a-z]+\\?_[a-z]+", overview)


def test_a_problem_and_its_ways_out_are_apart(archcalc: Run) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write("in/gus.pdf")
    found = archcalc("grade", "lenet5", "in", "-o", "out").err
    assert "cannot be read; fill in the fields" in found
    assert "has none left; or hand in DOCX" in found


def test_only_what_the_worksheet_asks_counts(archcalc: Run) -> None:
    Path("sheet.csv").write_text("layer,output shape,params\nC1,28x28x6,\noutput,,850\n", encoding="utf-8")
    assert archcalc("grade", "lenet5", "in", "--worksheet", "sheet.csv", "-o", "out").code == 0
    table = grades(Path("out/grades.csv"))
    assert {name: (row["score"], row["max_score"]) for name, row in table.items() if not row["problem"]} == {
        "ada": ("2", "2"), "bob": ("1.5", "2"), "cy": ("2", "2"), "Dora": ("0", "2"),
    }  # fmt: skip


@pytest.mark.slow
def test_a_table_without_flatten_is_whole(archcalc: Run) -> None:
    """Nobody has to answer for flatten, which few tables have."""
    pattern = "8x8x3 -> conv3-4 -> relu -> pool2 -> flatten -> fc5"
    Path("flat").mkdir()
    Path("flat", "ada.csv").write_text(
        "layer,output shape,params\nconv1,8x8x4,112\npool1,4x4x4,0\nfc1,5,325\ntotal,,437\n"
    )
    result = archcalc("grade", pattern, "flat", "-o", "out", "--quantities", "output_shape,params")
    assert result.code == 0, result.err
    row = grades(Path("out/grades.csv"))["ada"]
    assert (row["score"], row["max_score"]) == ("7", "7")


def test_each_student_has_a_network_of_their_own(archcalc: Run) -> None:
    Path("roster.txt").write_text("Ada L\nBob\n", encoding="utf-8")
    made = archcalc("exercise", "resnet18", "--students", "roster.txt", "--blank", "0.5", "-f", "csv", "-o", "hw")
    assert made.code == 0
    back = Path("back")
    back.mkdir()
    for name in ("Ada_L", "Bob"):
        # What the answer key says is right; a student who hands in another's key is not.
        (back / f"{name}.csv").write_bytes(Path(f"hw/keys/{name}.csv").read_bytes())
    (back / "Cy.csv").write_text("layer,params\nconv1,1\n")
    assert archcalc("grade", "resnet18", "back", "--homework", "hw", "-o", "out").code == 0
    table = grades(Path("out/grades.csv"))
    assert table["Ada_L"]["score"] == table["Ada_L"]["max_score"] == table["Bob"]["score"]
    assert int(table["Ada_L"]["max_score"]) > 50
    assert "no network for 'Cy'" in table["Cy"]["problem"]
    (back / "Ada_L.csv").write_bytes(Path("hw/keys/Bob.csv").read_bytes())
    assert archcalc("grade", "resnet18", "back", "--homework", "hw", "-o", "out").code == 0
    copied = grades(Path("out/grades.csv"))["Ada_L"]
    assert int(copied["wrong"]) > 5
    assert float(copied["score"]) < float(copied["max_score"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alxnet", "in", "-o", "out"], "did you mean alexnet"),
        (["lenet5", "nowhere", "-o", "out"], "nowhere is not there"),
        (["lenet5", "in/ada.csv", "-o", "out"], "is a file"),
        (["lenet5", "empty", "-o", "out"], "holds no submissions"),
        (["lenet5", "in"], "Missing option '-o'"),
        (["lenet5", "in", "-o", "in/ada.csv"], "is a file; -o needs the name of a folder"),
        (["lenet5", "in", "-o", "out", "--partial", "2"], "--partial is a share"),
        (["lenet5", "in", "-o", "out", "--worksheet", "in/ada.csv"], "has no empty cells"),
        (["lenet5", "in", "-o", "out", "--worksheet", "nowhere.csv"], "nowhere.csv"),
        (["lenet5", "in", "-o", "out", "--homework", "in"], "has no networks/*.yaml"),
        (["lenet5", "in", "-o", "out", "--homework", "in", "--worksheet", "x"], "not both"),
        (["lenet5", "in", "-o", "out", "--quantities", "flops"], "there is no quantity 'flops'"),
    ],
)
def test_refused(archcalc: Run, arguments: list[str], message: str) -> None:
    Path("empty").mkdir()
    before = folder(Path())
    result = archcalc("grade", *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.out == ""
    assert folder(Path()) == before


def graded(archcalc: Run, *options: str) -> dict[str, dict[str, str]]:
    archcalc("grade", "lenet5", "class", *options, "-o", "out")
    return grades(Path("out/grades.csv"))


def test_links_and_pipes_are_named_and_never_opened(archcalc: Run) -> None:
    """A submission can read neither another one's answers nor a file of the teacher's, nor wait for ever."""
    Path("secret.csv").write_text("layer,params\nC1,the secret\n", encoding="utf-8")
    Path("large").mkdir()
    for name in ("link", "pipe", "tree"):
        Path("class", name).mkdir(parents=True)
    Path("class/ada.csv").write_text(GOOD, encoding="utf-8")
    Path("class/eve.csv").symlink_to(Path("secret.csv").resolve())
    Path("class/bob.csv").symlink_to(Path("class/ada.csv").resolve())
    Path("class/link/answers.csv").symlink_to(Path("secret.csv").resolve())
    Path("class/tree/all").symlink_to(Path("large").resolve(), target_is_directory=True)
    os.mkfifo("class/pipe/answers.csv")
    os.mkfifo("class/fifo.csv")
    found = graded(archcalc)
    assert {name: bool(row["problem"]) for name, row in found.items()} == {
        "ada": False, "bob": True, "eve": True, "fifo": True, "link": True, "pipe": True, "tree": True,
    }  # fmt: skip
    assert "link" in found["eve"]["problem"]
    assert "pipe" in found["fifo"]["problem"]
    assert not any(b"the secret" in content for content in folder(Path("out")).values())


def test_names_that_files_can_have(archcalc: Run) -> None:
    """Bytes that are no text, names that share a file of feedback, emoji, control characters: everybody is graded."""
    Path("class").mkdir()
    names = [b"caf\xe9.csv", b"a b.csv", b"a_b.csv", b"x" * 120 + b"1.csv", b"x" * 120 + b"2.csv",
             "🦊.csv".encode(), "🐻.csv".encode(), b"red\x1b[31m.csv", b"cr\r=1+1.csv", b"=1+1.csv"]  # fmt: skip
    for name in names:
        Path("class", os.fsdecode(name)).write_text(GOOD, encoding="utf-8")
    result = archcalc("grade", "lenet5", "class", "-o", "out")
    assert result.code == 0
    assert "10 of 10 submissions graded" in result.out
    written = Path("out/grades.csv").read_bytes()
    assert b"\x1b" not in written + result.out.encode() + result.err.encode()
    assert b"\r" not in written
    assert b"\n=1+1" not in written
    assert len(list(Path("out/students").iterdir())) == 10


def test_a_folder_as_moodle_makes_it(archcalc: Run) -> None:
    for name, content in (
        ("Alan Turing_1001_assignsubmission_file_/answers.csv", GOOD),
        ("Alan Turing_1001_assignsubmission_onlinetext_/onlinetext.html", "<p>see the file</p>"),
        ("Ada Lovelace_1002_assignsubmission_file_/mine.csv", FORGOT),
        ("Ada Lovelace_1003_assignsubmission_file_/other.csv", GOOD),
        ("Nobody_1004_assignsubmission_onlinetext_/onlinetext.html", ""),
    ):
        Path("class", name).parent.mkdir(parents=True)
        Path("class", name).write_text(content, encoding="utf-8")
    found = graded(archcalc)
    assert {name: bool(row["problem"]) for name, row in found.items()} == {
        "Alan Turing": False, "Ada Lovelace (1002)": False, "Ada Lovelace (1003)": False, "Nobody": True,
    }  # fmt: skip


def test_a_student_is_found_however_the_name_is_written(archcalc: Run) -> None:
    Path("roster.txt").write_text("Ada Lovelace\nSmith, John\n", encoding="utf-8")
    archcalc("exercise", "lenet5", "--students", "roster.txt", "-o", "homework", "-f", "csv")
    Path("class").mkdir()
    for stem, name in (("Ada_Lovelace", "Ada Lovelace"), ("Smith_John", "john smith")):
        sheet = Path("homework/worksheets", f"{stem}.csv").read_bytes()
        Path("class", f"{name}.csv").write_bytes(sheet)
    found = graded(archcalc, "--homework", "homework")
    assert not any(row["problem"] for row in found.values())


def test_nothing_graded_is_no_success(archcalc: Run) -> None:
    Path("class").mkdir()
    Path("class/fay.docx").write_bytes(b"PK")
    assert archcalc("grade", "lenet5", "class", "-o", "out").code == 1


def test_nothing_answered_is_no_success(archcalc: Run) -> None:
    Path("class").mkdir()
    Path("class/fay.csv").write_text("layer,output,params\nconv1,,\nfc1,,\n", encoding="utf-8")
    assert archcalc("grade", "lenet5", "class", "-o", "out").code == 1
    Path("class/ada.csv").write_text("layer,output,params\nconv1,28x28x6,\nfc1,,\n", encoding="utf-8")
    assert archcalc("grade", "lenet5", "class", "-o", "out2").code == 0
