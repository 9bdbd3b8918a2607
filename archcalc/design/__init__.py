"""Questions about a design: which inputs fit, how totals move with a parameter."""
