"""Worksheets: the table of a network with blanks, variants of it for each student, and the answers worked out."""
