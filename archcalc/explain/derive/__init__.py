"""Derivations: the rules of a layer, evaluated with numbers that remember how they came about."""
