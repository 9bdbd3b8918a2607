"""Pictures of networks: one diagram model, made from an analysis, that every renderer reads.

`archcalc.diagrams.draw` makes one in any format, `archcalc.diagrams.pages` the usual ones for files and pages.
"""
