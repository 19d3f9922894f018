"""Metrics of images, motion and beat alignment."""
