"""Captions from a file or from a vision model behind an endpoint."""
