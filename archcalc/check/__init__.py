"""Hand calculations held against a network: which cell is right, which is wrong, and which step went wrong."""
