"""Tables of answers as files: CSV, YAML, JSON, Markdown and spreadsheets, read into `Answer`s."""

from archcalc.teach.check.answers.read import FORMATS, Answers, parse_answers, read_answers

__all__ = ["FORMATS", "Answers", "parse_answers", "read_answers"]
