"""Captions from files and from captioning endpoints."""
