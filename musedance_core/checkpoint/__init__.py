"""Checkpoints: the file format, and conversion of public weights."""
