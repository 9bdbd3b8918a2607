"""Grades of submissions: points for each cell, feedback for each student, and what a class got wrong."""
