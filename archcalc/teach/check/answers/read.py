"""A file of answers, whatever its form."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from archcalc.core.errors import SpecError, UsageError
from archcalc.core.files import read_bytes
from archcalc.core.language import say
from archcalc.core.words import visible
from archcalc.teach.check.answers.aligned import has_box, read_aligned
from archcalc.teach.check.answers.counted import counted_by, read_counted
from archcalc.teach.check.answers.darknet import looks_like_darknet, read_darknet
from archcalc.teach.check.answers.delimited import has_heading, read_delimited
from archcalc.teach.check.answers.fields import read_fields
from archcalc.teach.check.answers.latex import looks_like_latex, read_latex
from archcalc.teach.check.answers.lines import begins_with_shape
from archcalc.teach.check.answers.markdown import looks_like_markdown, read_markdown
from archcalc.teach.check.answers.notebook import read_notebook
from archcalc.teach.check.answers.page import looks_like_html, read_html
from archcalc.teach.check.answers.printed import has_more_columns, is_by_hand, looks_printed, read_printed
from archcalc.teach.check.answers.sentences import read_sentences
from archcalc.teach.check.answers.table import Answers, fault
from archcalc.teach.check.answers.tree import read_json, read_yaml
from archcalc.teach.check.answers.word import is_word, read_word
from archcalc.teach.check.model import Place

__all__ = ["FORMATS", "LARGEST_FILE", "Answers", "parse_answers", "read_answers"]

LARGEST_FILE = 4 << 20
#: Of a document with pictures in it.
LARGEST_DOCUMENT = 32 << 20
FORMATS = ("csv", "tsv", "yaml", "json", "markdown", "latex", "html", "text", "xlsx", "docx", "pdf", "notebook")
ENDINGS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".txt": "", ".yaml": "yaml", ".yml": "yaml", ".json": "json",
    ".md": "markdown", ".markdown": "markdown", ".tex": "latex", ".html": "html", ".htm": "html",
    ".xlsx": "xlsx", ".xlsm": "xlsx", ".docx": "docx", ".pdf": "pdf", ".ipynb": "notebook",
}  # fmt: skip
#: What YAML alone has.
_YAML = re.compile(r"^\s*- |[{\[]\w+:", re.MULTILINE)
#: The lines before and after what stands in Markdown as it is.
_FENCE = re.compile(r"^ {0,3}(?:`{3,}|~{3,})[^`\n]*$", re.MULTILINE)


def _of_page(text: str, file: str) -> Answers:
    """The answers of a page in Markdown: its tables; what tools print, fenced or not, and lists as in plain text."""
    plain = _FENCE.sub("", text)
    if counted_by(plain):
        return read_counted(plain, file)
    try:
        return read_markdown(text, file)
    except SpecError as error:
        if looks_like_markdown(plain):
            raise
        try:
            return _guessed(plain, file)
        except SpecError:
            raise error from None


_READERS: dict[str, Callable[[str, str], Answers]] = {
    "csv": read_delimited,
    "tsv": read_delimited,  # whatever the name says, the delimiter is the one that is there
    "yaml": read_yaml,
    "json": read_json,
    "markdown": _of_page,
    "latex": read_latex,
    "html": read_html,
    "text": lambda text, file: (
        (counted_by(text) and read_counted(text, file))
        or (looks_like_darknet(text) and read_darknet(text, file))
        or ((not looks_printed(text) or is_by_hand(text)) and read_aligned(text, file))
        or read_printed(text, file)
    ),
    "notebook": read_notebook,
}


def read_answers(path: str | Path, form: str | None = None) -> Answers:
    """The answers of a file; `-` is stdin. The form follows from the name, or from the content.

    Raises `UsageError` for a file that cannot be read, and `SpecError` with file, row and column for one that holds
    no table of answers.
    """
    name = str(path)
    data = read_bytes(path, _largest(form or ENDINGS.get(Path(name).suffix.lower(), "")), "table of answers")
    return parse_answers(data, "stdin" if name == "-" else name, form)


def _largest(form: str) -> int:
    return LARGEST_DOCUMENT if form in ("docx", "pdf", "notebook") else LARGEST_FILE


def parse_answers(data: bytes, file: str, form: str | None = None) -> Answers:
    """The answers of a file's bytes; `file` is the name to show."""
    form = form or ENDINGS.get(Path(file).suffix.lower(), "")
    largest = _largest(form)
    if len(data) > largest:
        raise UsageError(
            say("{file} is larger than {size}; no table of answers is", file=file, size=f"{largest >> 20} MiB")
        )
    if form == "docx" or (data.startswith(b"PK\x03\x04") and is_word(data)):
        return read_word(data, file)
    if form == "pdf" or data.startswith(b"%PDF-"):
        return read_fields(data, file)
    if data.startswith(b"PK\x03\x04") or form == "xlsx":
        from archcalc.teach.check.answers.spreadsheet import read_spreadsheet

        return read_spreadsheet(data, file)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UsageError(say("{file} is an old Excel file; save it as XLSX or CSV", file=file))
    text, notes = _decode(data, file)
    if not form and text.lstrip().startswith(("<?xml", "<quiz")) and not looks_like_html(text):
        endings = ", ".join(sorted(ENDINGS))
        raise UsageError(
            say(
                "{file} is a quiz for Moodle, which grades it; answers are read from {endings}",
                file=file,
                endings=endings,
            )
            if "<quiz" in text
            else say("{file} is XML; answers are read from {endings}", file=file, endings=endings)
        )
    if form in ("csv", "tsv") and looks_like_latex(text):
        form = "latex"
    try:
        answers = _READERS[form](text, file) if form else _guessed(text, file)
    except SpecError:
        found = read_sentences(text, file) if form in ("", "markdown", "text") else None
        if found is None:
            raise
        answers = found
    return answers._replace(notes=notes + answers.notes)


def _decode(data: bytes, file: str) -> tuple[str, tuple[str, ...]]:
    """The text, and a note where its encoding had to be guessed."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                return _checked(data.decode(encoding), file), ()
            except UnicodeDecodeError:
                raise fault(say("begins like UTF-16 and is not"), Place(file, 1, 1)) from None
    try:
        return _checked(data.decode("utf-8-sig"), file), ()
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        place = Place(file, row, 1)
    # In Russian text most letters stand where Windows-1251 has them; in Western text they are few among ASCII.
    start = data[:100_000]
    high = sum(byte >= 0xC0 for byte in start)
    runs = sum(first >= 0xC0 and second >= 0xC0 for first, second in pairwise(start))
    encoding = "Windows-1251" if 2 * runs > high else "Windows-1252"
    text = data.decode(encoding.lower().replace("windows-", "cp"), errors="replace")
    return _checked(text, file), (say("{place}: not UTF-8; read as {encoding}", place=place, encoding=encoding),)


def _checked(text: str, file: str) -> str:
    if "\0" in text:
        before = text[: text.index("\0")]
        place = Place(file, before.count("\n") + 1, 1)
        raise fault(say("is not a text file: it holds bytes that are 0"), place)
    return visible(text)


def _guessed(text: str, file: str) -> Answers:
    """The answers of a text without a telling name."""
    form = _guess(text)
    if form == "text" and counted_by(text):
        return read_counted(text, file)
    if form == "text" and looks_like_darknet(text):
        return read_darknet(text, file)
    if form == "text":  # the headings of a summary may stand above any table
        found = read_aligned(text, file) if is_by_hand(text) and not has_heading(text) else None
        if found is not None and found.answers:
            return found
        if not has_more_columns(text):
            return read_printed(text, file)
        form = "csv"
    # What has no delimiter may be aligned; YAML has its braces and hyphens.
    may_be_aligned = (
        has_box(text) or not has_heading(text) if form == "csv" else form == "yaml" and not _YAML.search(text)
    )
    if may_be_aligned and (found := read_aligned(text, file)):
        return found
    try:
        return _READERS[form](text, file)
    except SpecError:
        lines = read_aligned(text, file) if form == "yaml" else None
        if lines is None or not lines.answers:
            raise
        return lines


def _guess(text: str) -> str:
    """The form of a text without a telling name."""
    if looks_like_latex(text):
        return "latex"
    if looks_like_html(text):
        return "html"
    if counted_by(text) or looks_like_darknet(text):
        return "text"
    start = text.lstrip()[:1]
    if start == "{" or (start == "[" and not begins_with_shape(text.lstrip())):
        return "json"
    if looks_like_markdown(text):
        return "markdown"
    if looks_printed(text):
        return "text"
    first = next((line for line in text.splitlines() if line.strip()), "")
    if re.match(r"\s*- ([\[{]|[\w ]+:(\s|$))", first):
        return "yaml"
    has_key = re.match(r"[^,;\t|]{1,80}:(\s|$)", first) is not None
    return "yaml" if has_key and not has_heading(text) else "csv"
