"""`archcalc exercise`: a worksheet and its key, or one of each for every student."""

from __future__ import annotations

import csv
import errno
import os
from pathlib import Path

import pytest

from archcalc.teach.exercise.roster import read_roster
from tests.cli.runner import Run


def folder(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


pytestmark = pytest.mark.usefixtures("own_folder")


def test_worksheet_on_stdout(archcalc: Run) -> None:
    result = archcalc("exercise", "lenet5", "--blank", "0.5")
    assert result.code == 0
    assert result.err == ""
    assert result.out.startswith("# LeNet-5\n")
    assert "61,706" not in result.out
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("ending", ["md", "tex", "html", "csv"])
def test_worksheet_and_key(archcalc: Run, ending: str) -> None:
    assert archcalc("exercise", "lenet5", "-o", f"a.{ending}").code == 0
    sheet, key = Path(f"a.{ending}").read_text(), Path(f"a-key.{ending}").read_text()
    figure = "61{,}706" if ending == "tex" else "61,706"
    assert figure not in sheet
    assert figure in key


def test_key_where_it_is_wanted(archcalc: Run) -> None:
    assert archcalc("exercise", "lenet5", "-f", "csv", "--key", "key.csv").code == 0
    assert [path.name for path in Path().iterdir()] == ["key.csv"]


def test_one_sheet_for_each_student(archcalc: Run) -> None:
    Path("roster.txt").write_text("\ufeffAda Lovelace\nTuring, Alan\n\nՆարե\n", encoding="utf-8")
    assert archcalc("exercise", "alexnet", "--students", "roster.txt", "-f", "csv", "-o", "out").code == 0
    files = folder(Path("out"))
    stems = ("Ada_Lovelace", "Turing_Alan", "Նարե")
    wanted = [f"keys/{stem}.csv" for stem in stems] + [f"networks/{stem}.yaml" for stem in stems]
    assert sorted(files) == sorted(wanted + [f"worksheets/{stem}.csv" for stem in stems])
    keys = [files[f"keys/{stem}.csv"] for stem in stems]
    assert len(set(keys)) == 3
    # The same students get the same sheets again, in a folder of their own: nothing is overwritten.
    assert archcalc("exercise", "alexnet", "--students", "roster.txt", "-f", "csv", "-o", "again").code == 0
    assert folder(Path("again")) == files
    result = archcalc("exercise", "alexnet", "--variants", "2", "-o", "out")
    assert (result.code, folder(Path("out"))) == (2, files)
    assert "exists already" in result.err


def test_a_full_disk_leaves_nothing(archcalc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []

    def fails_at_the_fifth(path: Path, data: bytes) -> int:
        written.append(path)
        if len(written) == 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with path.open("wb") as file:
            return file.write(data)

    monkeypatch.setattr(Path, "write_bytes", fails_at_the_fifth)
    result = archcalc("exercise", "lenet5", "--variants", "3", "-o", "out")
    assert (result.code, list(Path().iterdir()), len(written)) == (2, [], 5)
    assert "cannot write out: No space left on device" in result.err


def test_network_of_a_student_has_the_numbers_of_the_key(archcalc: Run) -> None:
    assert archcalc("exercise", "resnet18", "--variants", "2", "-f", "csv", "-o", "out").code == 0
    with Path("out/keys/student-2.csv").open(encoding="utf-8") as file:
        key = list(csv.DictReader(file))
    result = archcalc("report", "out/networks/student-2.yaml", "-f", "csv")
    totals = result.out.splitlines()[-1]
    assert key[-1]["params"].replace(",", "") in totals
    assert key[-1]["multiplications"].replace(",", "") in totals


def test_a_variant_differs(archcalc: Run) -> None:
    plain = archcalc("exercise", "vgg16").out
    varied = archcalc("exercise", "vgg16", "--vary", "--seed", "3").out
    assert varied.startswith("# VGG-16, variant\n")
    assert varied != plain
    assert varied == archcalc("exercise", "vgg16", "--vary", "--seed", "3").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alxnet"], "did you mean alexnet"),
        (["lenet5", "--blank", "0"], "must lie above 0"),
        (["lenet5", "--blank", "x"], "is not a valid float"),
        (["lenet5", "--quantities", "flops"], "there is no quantity 'flops'"),
        (["lenet5", "--layer", "conv7"], "has no layer 'conv7'"),
        (["lenet5", "-f", "odt"], "markdown"),
        (["lenet5", "-f", "docx"], "-f docx is no text: name a file with -o"),
        (["lenet5", "-o", "a.odt"], "no format ends in '.odt'"),
        (["lenet5", "-o", "no/such/a.md"], "there is no directory"),
        (["lenet5", "-o", "."], "is a directory"),
        (["lenet5", "--variants", "3"], "name a folder"),
        (["lenet5", "--variants", "0", "-o", "x"], "0 is not in the range"),
        (["lenet5", "--variants", "2", "--students", "a", "-o", "x"], "not both"),
        (["lenet5", "--students", "nowhere.txt", "-o", "x"], "nowhere.txt"),
        (["lenet5", "--students", "empty.txt", "-o", "x"], "names no student"),
        (["lenet5", "--students", "binary.txt", "-o", "x"], "no UTF-8 text"),
        (["lenet5", "--students", "roster.txt", "-o", "roster.txt"], "roster.txt is a file"),
    ],
)
def test_refused(archcalc: Run, arguments: list[str], message: str) -> None:
    Path("empty.txt").write_text("\n\n")
    Path("binary.txt").write_bytes(b"\xff\xfe\x00")
    Path("roster.txt").write_text("ada\n")
    before = folder(Path())
    result = archcalc("exercise", *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.out == ""
    assert folder(Path()) == before


def test_a_name_cannot_leave_the_folder(archcalc: Run) -> None:
    Path("roster.txt").write_text("../../evil\n/etc/passwd\n..\n")
    assert archcalc("exercise", "lenet5", "--students", "roster.txt", "-o", "out").code == 0
    assert sorted(path.name for path in Path("out/keys").iterdir()) == ["etc_passwd.md", "evil.md", "student.md"]


def test_a_roster_of_names_with_commas_and_of_two_who_share_one(archcalc: Run) -> None:
    Path("roster.txt").write_text("Smith, John\nSmith, John\na b\na/b\n", encoding="utf-8")
    archcalc("exercise", "lenet5", "--students", "roster.txt", "-o", "x", "-f", "csv")
    names = sorted(file.stem for file in Path("x/worksheets").iterdir())
    assert names == ["Smith_John", "Smith_John-2", "a_b", "a_b-2"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Smith, John\nDoe, Jane\n", ["Smith, John", "Doe, Jane"]),
        ("Ada Lovelace,ada@example.org\nAlan Turing,alan@example.org\n", ["Ada Lovelace", "Alan Turing"]),
        ("Ada Lovelace;1001\n", ["Ada Lovelace"]),
        ("id,first name,last name\n1,Ada,Lovelace\n", ["Ada Lovelace"]),
        ('"Smith, John",1001\n', ["Smith, John"]),
        ("Mia\x1b[31m Red\n", ["Mia [31m Red"]),
        ("Ann Lee,12\nAnn Lee,13\n", ["Ann Lee (12)", "Ann Lee (13)"]),
        # Canvas's gradebook, and Moodle's grading worksheet.
        (
            'Student,ID,SIS User ID,Section\n    Points Possible,,,\n"Lee, Ann",71,x1,A\n"Lee, Ann",72,x2,A\n',
            ["Lee, Ann (71)", "Lee, Ann (72)"],
        ),
        (
            "Identifier,Full name,Grade\nParticipant 1001,Zoë Ångström,\nParticipant 1002,Zoë Ångström,\n",
            ["Zoë Ångström (1001)", "Zoë Ångström (1002)"],
        ),
        # Names that a platform writes alike are told apart as well.
        (
            "Identifier,Full name\nParticipant 1,Kim Min-jun\nParticipant 2,Kim Min Jun\nParticipant 3,Ada\n",
            ["Kim Min-jun (1)", "Kim Min Jun (2)", "Ada"],
        ),
        ("ID,Student\n7,101\n8,102\n", ["101", "102"]),
        ("ФИО,ID\nИванов Иван,1\nИванов Иван,2\n", ["Иванов Иван (1)", "Иванов Иван (2)"]),
        ("№;Ф.И.О. студента\n1;Петрова Анна\n", ["Петрова Анна"]),
        ("Apellidos;Nombre;DNI\nLee;Ana;7\nLee;Ana;8\n", ["Lee Ana (7)", "Lee Ana (8)"]),
        ("Prénom,Nom de famille\nZoé,Roux\n", ["Zoé Roux"]),
        ("שם פרטי,שם משפחה,ת.ז.\nדוד,כהן,1\nדוד,כהן,2\n", ["דוד כהן (1)", "דוד כהן (2)"]),
        ("学号,姓名\n1,李小龍\n", ["李小龍"]),
    ],
)
def test_rosters(text: str, names: list[str]) -> None:
    Path("roster.txt").write_text(text, encoding="utf-8")
    assert read_roster("roster.txt").names == names


@pytest.mark.parametrize(
    "heading",
    [
        "Name", "Student", "Students:", "Full name", "ФИО", "Имя", "Студент", "Фамилия, имя", "שם", "שם מלא", "Անուն",
        "Անուն Ազգանուն", "Nombre", "Nombre y apellidos", "Nom", "Nom et prénom", "Vollständiger Name", "Nachname",
        "姓名",
    ],
)  # fmt: skip
def test_a_heading_is_no_student(heading: str) -> None:
    Path("roster.txt").write_text(f"{heading}\nAda Name\nStudent Turing\n", encoding="utf-8")
    assert read_roster("roster.txt").names == ["Ada Name", "Student Turing"]


def test_the_test_student_of_canvas_gets_no_worksheet(archcalc: Run) -> None:
    text = 'Student,ID,Section\n    Points Possible,,\n"Lee, Ann",71,A\n"Student, Test",72,A\n'
    Path("roster.csv").write_text(text, encoding="utf-8")
    result = archcalc("exercise", "lenet5", "--students", "roster.csv", "-f", "csv", "-o", "x")
    assert result.code == 0
    assert "'Student, Test' is the test student of Canvas" in result.err
    assert [file.stem for file in Path("x/worksheets").iterdir()] == ["Lee_Ann"]


def test_a_variant_comes_with_its_network(archcalc: Run) -> None:
    result = archcalc("exercise", "alexnet", "--vary", "--seed", "1", "-o", "mine.csv")
    assert result.code == 0
    assert "archcalc check mine-network.yaml mine.csv" in result.err
    assert archcalc("check", "mine-network.yaml", "mine-key.csv").code == 0
    assert archcalc("check", "alexnet", "mine-key.csv").code == 1
