"""Plots of analyses as Vega-Lite specifications, and their rendering."""
