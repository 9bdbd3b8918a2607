"""Pictures of networks: one diagram model, made from an analysis, that every renderer reads.

`archcalc.render.diagrams.draw` makes one in any format, `archcalc.render.diagrams.pages` those of files and pages.
"""
