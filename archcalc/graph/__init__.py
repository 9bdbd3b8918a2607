"""The layer graph: built, checked, written."""
