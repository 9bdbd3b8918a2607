"""Grades of submissions: points for each cell, feedback for each student, and what a class got wrong."""

from archcalc.teach.grade.feedback import render_feedback
from archcalc.teach.grade.marks import Marked, Scheme, mark

__all__ = ["Marked", "Scheme", "mark", "render_feedback"]
