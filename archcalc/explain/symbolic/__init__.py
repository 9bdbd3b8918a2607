"""Closed forms: a network's totals as expressions in its parameters and its input size."""
