"""The tests of archcalc.design.search."""
