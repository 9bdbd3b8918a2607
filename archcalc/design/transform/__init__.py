"""Networks rewritten: what a change of their layers would give."""
