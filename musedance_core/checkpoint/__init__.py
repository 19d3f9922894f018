"""Checkpoints: the file format and what comes from public weights."""
