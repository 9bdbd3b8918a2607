"""The spec language: YAML with positions, a checked document, and its expansion into a layer graph."""
