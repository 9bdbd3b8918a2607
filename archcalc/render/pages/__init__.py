"""Pages for browsers: the report of a network with everything in one file, comparisons, and the folder of reports."""
