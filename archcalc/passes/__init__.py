"""The passes: one file, one pass, one public function. A pass asks the op; it never tests what kind of op it is."""
