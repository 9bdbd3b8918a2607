"""What a run showed: text, tables, documents for programs, and pictures."""
