"""Who handed in what: a file for each student, or a folder, as people and learning platforms leave them.

Links, pipes and devices are named and never opened: a submission could read another one's answers through them.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from archcalc.core import words
from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.teach.check.answers.read import ENDINGS
from archcalc.teach.exercise.people import folded

MOST_SUBMISSIONS = 20_000
#: Files and folders of one student that are looked at, and how deep they may be nested.
_MOST_FILES, _DEEPEST = 1_000, 8
_SKIPPED = ("__MACOSX", "Thumbs.db", "desktop.ini")
#: Alan Turing_1001_assignsubmission_file_, as Moodle names what a student uploads.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)_?(?P<rest>.*)", re.DOTALL)
#: turingalan_LATE_4711_1001_answers.csv, as Canvas names a file: the name without what is no letter, the number of the
#: student and that of the file; of what is typed or linked `turingalan_4711_text.html`. Anonymous: anon_ab1cd_1001_…
_CANVAS = re.compile(
    r"(?P<name>[^\W_]\w*?)_(?:LATE_)?(?P<id>\d+)_(?:(?P<typed>text|link)\.html|\d+_(?P<rest>.+))"
    r"|(?:LATE_)?(?P<anonymous>anon_[^\W_]+)_\d+_.+",
    re.DOTALL,
)


class Submission(NamedTuple):
    """A student's file; `problem` says why there is none. `number` is what a platform calls the student."""

    student: str
    file: Path | None
    problem: str = ""
    number: str = ""


class _Found(NamedTuple):
    """An entry of the folder: whose it is, the number that a platform gave them, and its files or what is wrong."""

    student: str
    id: str
    files: tuple[Path, ...]
    problem: str
    #: Platforms make a folder for typed text next to that for files.
    is_typed: bool


def find_submissions(folder: str) -> list[Submission]:
    """The submissions of a folder by name: a file for each student, or a folder for each with one file in it.

    Folders as Moodle and Canvas make them are understood. Raises `UsageError` where there is none.
    """
    path = Path(folder)
    if not path.is_dir():
        raise UsageError(
            say("{folder} is a file; name the folder of the submissions", folder=folder)
            if path.exists()
            else say("{folder} is not there; name the folder of the submissions", folder=folder)
        )
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(say("cannot read {name}: {reason}", name=folder, reason=error.strerror or error)) from None
    found = [_read(entry) for entry in entries if not entry.name.startswith(".") and entry.name not in _SKIPPED]
    if not found:
        raise UsageError(say("{folder} holds no submissions", folder=folder))
    if len(found) > MOST_SUBMISSIONS:
        raise UsageError(
            say(
                "{folder} holds {count:,} submissions; at most {most:,} at a time",
                folder=folder,
                count=len(found),
                most=MOST_SUBMISSIONS,
            )
        )
    return list(_by_student(found))


def _read(entry: os.DirEntry[str]) -> _Found:
    name = shown(entry.name)
    match = _MOODLE.fullmatch(name) or _CANVAS.fullmatch(name)
    found = match.groupdict() if match else {}
    stem = name if entry.is_dir(follow_symlinks=False) else Path(name).stem
    student, number = found.get("name") or found.get("anonymous") or stem, found.get("id") or ""
    is_typed = found.get("kind") == "onlinetext" or bool(found.get("typed"))
    if problem := _kind(entry):
        return _Found(student, number, (), f"{name}: {problem}", is_typed)
    if entry.is_dir(follow_symlinks=False):
        files, problems = _inside(entry)
        files = _without_copies(files)
        if len(files) > 1:
            listed = ", ".join(shown(str(file.relative_to(entry.path))) for file in files[:5])
            problems = [say("{count} files in the folder, one is wanted: {files}", count=len(files), files=listed)]
        elif not files and not problems:
            problems = [say("no file of answers in the folder")]
        return _Found(student, number, tuple(files), "" if len(files) == 1 else problems[0], is_typed)
    if Path(name).suffix.lower() not in ENDINGS:
        wanted = say("not one of {endings}", endings=", ".join(sorted(ENDINGS)))
        return _Found(student, number, (), f"{name}: {wanted}", is_typed)
    return _Found(student, number, (Path(entry.path),), "", is_typed)


def shown(name: str) -> str:
    """A file name for people: on one line, without what steers a terminal, bytes that are no text replaced."""
    return words.line(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")) or "unnamed"


def _kind(entry: os.DirEntry[str]) -> str:
    """Why an entry is not opened; nothing for files and folders."""
    if entry.is_symlink() or entry.is_junction() if hasattr(entry, "is_junction") else entry.is_symlink():
        return say("a link, which is not followed")
    if entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False):
        return ""
    return say("no file: a pipe, a socket or a device")


def _inside(folder: os.DirEntry[str]) -> tuple[list[Path], list[str]]:
    """The files of answers in a student's folder, and what is wrong with others."""
    files: list[Path] = []
    problems: list[str] = []
    for count, entry in enumerate(_walk(folder.path, 0)):
        if count >= _MOST_FILES:
            problems.append(say("the folder holds more than {count:,} files", count=_MOST_FILES))
            break
        is_answers = Path(shown(entry.name)).suffix.lower() in ENDINGS
        if problem := _kind(entry):
            problems.append(f"{shown(entry.name)}: {problem}")
        elif is_answers and entry.is_file(follow_symlinks=False):
            files.append(Path(entry.path))
    return files, problems


def _without_copies(files: list[Path]) -> list[Path]:
    """Next to a table a PDF is the copy for people."""
    tables = [file for file in files if file.suffix.lower() != ".pdf"]
    return tables or files


def _walk(folder: str, depth: int) -> Iterator[os.DirEntry[str]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        yield entry
        if entry.is_dir(follow_symlinks=False) and depth < _DEEPEST:
            yield from _walk(entry.path, depth + 1)


def _by_student(found: Sequence[_Found]) -> Iterator[Submission]:
    """One submission a student: of files and typed text the files, where there are any that can hold answers."""
    groups: dict[tuple[str, str], list[_Found]] = {}
    for one in found:
        groups.setdefault((folded(one.student), one.id), []).append(one)
    names = Counter(student for student, _ in groups)
    for (student, number), ones in groups.items():
        name = ones[0].student if names[student] == 1 else f"{ones[0].student} ({number or say('without a number')})"
        useful = [one for one in ones if one.files and not one.problem]
        # Next to a file what is typed is a remark.
        useful = [one for one in useful if not one.is_typed] or useful
        tables = _without_copies([file for one in useful for file in one.files])
        useful = [one for one in useful if one.files[0] in tables]
        kept = useful or [one for one in ones if not one.is_typed] or ones
        if len(useful) > 1:
            files = ", ".join(shown(one.files[0].name) for one in useful[:5])
            problem = say("this student has {count} files: {files}", count=len(useful), files=files)
            yield Submission(name, None, problem, number)
        else:
            yield Submission(name, kept[0].files[0] if useful else None, kept[0].problem, number)
