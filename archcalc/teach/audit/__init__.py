"""Claims of a text, each calculated again: right, wrong and why, or nothing that can be calculated."""
