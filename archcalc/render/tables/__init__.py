"""Reports: an analysis as a table for people or data for programs. They read an `Analysis` and calculate nothing."""
