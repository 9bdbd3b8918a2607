"""Design spaces: every configuration of networks evaluated, those that keep to conditions found."""
