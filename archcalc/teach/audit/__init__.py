"""Claims of a text, each calculated anew: right, wrong and why, or nothing that can be calculated."""
