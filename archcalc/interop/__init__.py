"""Other formats and libraries: one module each."""
