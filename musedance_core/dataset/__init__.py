"""Data sets of real dance clips on disk: their format, and reading them."""
