"""Folders of submissions as Moodle and Canvas hand them out, with the names that people have."""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

import pytest

from tests.cli.runner import Run
from tests.cli.test_grade import GOOD

#: Thirty students; two of one name. Canvas sorts by the family name.
NAMES = tuple(
    """Turing, Alan; Lovelace, Ada; Ångström, Zoë; Núñez de la Peña, José María; O'Brien, Siobhán; Smith-Jones, Amy;
    Müller, Jürgen; Петрова, Анна; כהן, דוד; Սարգսյան, Նարե; 李, 小龍; Nguyễn, Thị Hương; Smith, John; Smith, John;
    van der Berg, Pim; D'Angelo, Rosa; Ødegård, Bjørn; Łukasiewicz, Jan; Çelik, Özge; Ivanov, Ivan; Garcia, Ana;
    Garcia, Anabel; Kim, Min-jun; Al-Farsi, Omar; Sato, Yui; Singh, Harpreet; Papadopoulos, Νίκος; Horváth, Ágnes;
    Silva, João; Madonna""".replace("\n    ", " ").split("; ")
)
pytestmark = pytest.mark.usefixtures("own_folder")


def canvas(name: str, number: int, file: str, late: bool = False) -> str:
    """The name that Canvas gives a file: what is no letter, digit or underscore goes out of the name of the student."""
    plain = re.sub(r"[^\w]", "", unicodedata.normalize("NFC", name.lower()))
    return f"{plain}{'_LATE' if late else ''}_{number}_{9000 + number}_{file}"


def moodle(name: str, number: int) -> str:
    """The name that Moodle gives a folder: the first name first, without what file names cannot hold."""
    family, _, first = name.partition(", ")
    return f"{first} {family}".strip().replace("'", "") + f"_{number}_assignsubmission_file_"


def forms() -> list[tuple[str, bytes]]:
    """The answers in the forms that students hand in, all right."""
    import io

    import openpyxl
    from docx import Document

    rows = list(csv.reader(GOOD.splitlines()))
    book = openpyxl.Workbook()
    document = Document()
    table = document.add_table(rows=len(rows), cols=3)
    for y, row in enumerate(rows):
        book.active.append(row)  # type: ignore[union-attr]  # a new book has a sheet
        for x, text in enumerate(row):
            table.cell(y, x).text = text
    spreadsheet, word = io.BytesIO(), io.BytesIO()
    book.save(spreadsheet)
    document.save(word)
    markdown = "\n".join(["| layer | params |", "|---|---|", *(f"| {row[0]} | {row[2]} |" for row in rows[1:])])
    return [
        ("answers.csv", GOOD.encode()), ("Мои ответы.xlsx", spreadsheet.getvalue()), ("a (1).docx", word.getvalue()),
        ("a-2.md", markdown.encode()), ("old.csv", GOOD.replace(",", ";").replace('"2;416"', "2416").encode("utf-16")),
    ]  # fmt: skip


def grades(archcalc: Run, *arguments: str) -> dict[str, dict[str, str]]:
    result = archcalc("grade", *arguments, "-o", "out")
    assert result.code == 0, result.err
    with Path("out/grades.csv").open(encoding="utf-8") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_sixty_of_sixty_are_graded(archcalc: Run) -> None:
    kinds = forms()
    Path("moodle").mkdir()
    Path("canvas").mkdir()
    for number, name in enumerate(NAMES, 1001):
        file, data = kinds[number % len(kinds)]
        folder = Path("moodle", moodle(name, number))
        folder.mkdir()
        (folder / file).write_bytes(data)
        Path("canvas", canvas(name, number, file, late=number % 7 == 0)).write_bytes(data)
    found = {kind: grades(archcalc, "lenet5", kind, "--quantities", "params") for kind in ("moodle", "canvas")}
    for rows in found.values():
        assert len(rows) == 30
        assert [row["problem"] for row in rows.values()] == [""] * 30
        assert {(row["score"], row["max_score"]) for row in rows.values()} == {("8", "8")}
    assert {"John Smith (1013)", "John Smith (1014)", "Zoë Ångström", "Madonna"} <= found["moodle"].keys()
    assert {"smithjohn (1013)", "smithjohn (1014)", "ångströmzoë", "garciaana", "garciaanabel"} <= found[
        "canvas"
    ].keys()


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["Ann Lee_1001_assignsubmission_file_/a.csv", "Bo Ek_1002_assignsubmission_file_/a.txt"], ["1001", "1002"]),
        (["leeann_71_501_a.csv", "Bo.csv"], ["71", ""]),
        (["ann.csv", "bo.csv"], None),
    ],
)
def test_grades_have_the_numbers_of_the_platform(archcalc: Run, names: list[str], ids: list[str] | None) -> None:
    for name in names:
        Path("class", name).parent.mkdir(parents=True, exist_ok=True)
        Path("class", name).write_text(GOOD, encoding="utf-8")
    rows = grades(archcalc, "lenet5", "class", "--quantities", "params").values()
    found = {row["id"] for row in rows if "id" in row}
    assert found == set(ids or ())


def test_anonymous_and_typed_submissions(archcalc: Run) -> None:
    Path("class").mkdir()
    for name in (
        "anon_ab1cd_77_a.csv", "LATE_anon_Zz9_78_a.csv", "leeann_71_501_a.csv",
        "Participant_9_assignsubmission_file/a.csv", "Participant_10_assignsubmission_file_a.csv",
    ):  # fmt: skip
        Path("class", name).parent.mkdir(exist_ok=True)
        Path("class", name).write_text(GOOD, encoding="utf-8")
    for name in ("leeann_71_text.html", "kimmin_72_text.html"):
        Path("class", name).write_text("<p>see the file</p>", encoding="utf-8")
    rows = grades(archcalc, "lenet5", "class")
    assert {name: bool(row["problem"]) for name, row in rows.items()} == {
        "anon_ab1cd": False, "anon_Zz9": False, "leeann": False, "kimmin": True,
        "Participant (9)": False, "Participant (10)": False,
    }  # fmt: skip


def test_a_pdf_next_to_a_table_is_a_copy(archcalc: Run) -> None:
    for name in ("class/Ada_1_assignsubmission_file_/answers.csv", "class/bob_2_20_answers.csv"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(GOOD, encoding="utf-8")
    Path("class/Ada_1_assignsubmission_file_/answers.pdf").write_bytes(b"%PDF-1.7 a scan")
    Path("class/bob_2_21_answers.pdf").write_bytes(b"%PDF-1.7 a scan")
    rows = grades(archcalc, "lenet5", "class")
    assert {name: row["problem"] for name, row in rows.items()} == {"Ada": "", "bob": ""}


@pytest.mark.parametrize("count", [4, pytest.param(30, marks=pytest.mark.slow)])
def test_each_finds_the_own_network(archcalc: Run, count: int) -> None:
    """The roster is Canvas's own table; two of one name are told apart by the number."""
    names = [*NAMES[12:14], *(name for at, name in enumerate(NAMES) if at not in (12, 13))][:count]
    lines = ["Student,ID,SIS User ID,Section", "    Points Possible,,,"]
    lines += [f'"{name}",{number},x{number},A' for number, name in enumerate(names, 1001)]
    Path("roster.csv").write_text("\n".join(lines), encoding="utf-8")
    assert archcalc("exercise", "lenet5", "--students", "roster.csv", "-f", "csv", "-o", "hw").code == 0
    keys = sorted(path.stem for path in Path("hw/keys").iterdir())
    assert len(keys) == count
    for kind in ("moodle", "canvas"):
        Path(kind).mkdir()
    for number, name in enumerate(names, 1001):
        wanted = f"Smith_John_{number}" if name == "Smith, John" else None
        words = sorted(re.findall(r"\w+", name))
        stem = wanted or next(key for key in keys if sorted(re.findall(r"[^\W_]+", key)) == words)
        data = Path("hw/keys", f"{stem}.csv").read_bytes()
        Path("canvas", canvas(name, number, "a.csv")).write_bytes(data)
        folder = Path("moodle", moodle(name, number))
        folder.mkdir()
        (folder / "a.csv").write_bytes(data)
    for kind in ("moodle", "canvas"):
        rows = grades(archcalc, "lenet5", kind, "--homework", "hw")
        assert {row["problem"] for row in rows.values()} == {""}
        assert all(row["score"] == row["max_score"] != "0" for row in rows.values())
        assert len(rows) == count


@pytest.mark.parametrize(
    ("roster", "folders"),
    [
        # The participant's number, another one than the platform's, numbers that the platform has the other way round.
        (
            "Identifier,Full name\nParticipant 1,Kim Min-jun\nParticipant 2,Kim Min Jun\n",
            ["Kim Min-jun_1", "Kim Min Jun_2"],
        ),
        ("ID,Name\n71,Kim Min-jun\n72,Kim Min Jun\n", ["Kim Min-jun_1", "Kim Min Jun_2"]),
        ("ID,Name\n2,Kim Min-jun\n1,Kim Min Jun\n", ["Kim Min-jun_1", "Kim Min Jun_2"]),
        ("Kim Min-jun\nKim Min Jun\n", ["Kim Min-jun_1", "Kim Min Jun_2"]),
        ("ID,Name\n1,Kim Min-jun\n2,Kim Min Jun\n", ["KIM MINJUN_1", "KimMinJun_2"]),
    ],
)  # fmt: skip
def test_names_that_fold_to_one(archcalc: Run, roster: str, folders: list[str]) -> None:
    Path("roster.csv").write_text(roster, encoding="utf-8")
    assert archcalc("exercise", "lenet5", "--students", "roster.csv", "-f", "csv", "-o", "hw").code == 0
    for folder, name in zip(folders, ("Kim_Min-jun", "Kim_Min_Jun"), strict=True):
        own = Path("class", f"{folder}_assignsubmission_file_")
        own.mkdir(parents=True)
        key = next(path for path in Path("hw/keys").iterdir() if path.stem.startswith(name))
        (own / "a.csv").write_bytes(key.read_bytes())
    rows = grades(archcalc, "lenet5", "class", "--homework", "hw")
    assert [(row["problem"], row["score"] == row["max_score"] != "0") for row in rows.values()] == [("", True)] * 2


def test_two_of_one_name_without_numbers_are_not_guessed(archcalc: Run) -> None:
    Path("roster.txt").write_text("John Smith\nJohn Smith\n", encoding="utf-8")
    assert archcalc("exercise", "lenet5", "--students", "roster.txt", "-f", "csv", "-o", "hw").code == 0
    Path("class").mkdir()
    # Under the name of the worksheet it is clear whose it is; under that of the platform it is not.
    Path("class/John_Smith-2.csv").write_bytes(Path("hw/keys/John_Smith-2.csv").read_bytes())
    Path("class/smithjohn_7_70_a.csv").write_bytes(Path("hw/keys/John_Smith.csv").read_bytes())
    Path("moodle/John Smith_2_assignsubmission_file_").mkdir(parents=True)
    Path("moodle/John Smith_2_assignsubmission_file_/a.csv").write_bytes(Path("hw/keys/John_Smith.csv").read_bytes())
    rows = grades(archcalc, "lenet5", "class", "--homework", "hw")
    assert rows["John_Smith-2"]["score"] == rows["John_Smith-2"]["max_score"]
    assert "may be one of John_Smith, John_Smith-2; a roster with a column of ids" in rows["smithjohn"]["problem"]
    assert archcalc("grade", "lenet5", "moodle", "--homework", "hw", "-o", "other").code == 1
    assert "may be one of John_Smith, John_Smith-2" in Path("other/grades.csv").read_text(encoding="utf-8")


def test_names_in_letters_from_a_to_z_are_found(archcalc: Run) -> None:
    """Where a system has no marks: Żółć is zolc. A name with the marks goes before one without them."""
    Path("roster.txt").write_text("Łukasz Żółć\nJürgen Møller\nJurgen Moller\n", encoding="utf-8")
    assert archcalc("exercise", "lenet5", "--students", "roster.txt", "-f", "csv", "-o", "hw").code == 0
    Path("class").mkdir()
    keys = {path.stem: path.read_bytes() for path in Path("hw/keys").iterdir()}
    Path("class/zolclukasz_7_70_a.csv").write_bytes(keys["Łukasz_Żółć"])
    Path("class/mollerjurgen_8_80_a.csv").write_bytes(keys["Jurgen_Moller"])
    Path("class/møllerjürgen_9_90_a.csv").write_bytes(keys["Jürgen_Møller"])
    rows = grades(archcalc, "lenet5", "class", "--homework", "hw")
    assert {name: row["score"] == row["max_score"] != "0" for name, row in rows.items()} == {
        "zolclukasz": True, "mollerjurgen": True, "møllerjürgen": True
    }  # fmt: skip
