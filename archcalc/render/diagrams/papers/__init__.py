"""Figures as papers draw them: each style for every network that suits it, as its graph says."""
