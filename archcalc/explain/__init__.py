"""Where numbers come from: derivations, closed forms, rules solved backwards."""
