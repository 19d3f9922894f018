"""Data sets of dance clips on disk: their format, and reading their clips."""
