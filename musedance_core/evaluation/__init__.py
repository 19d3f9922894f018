"""Evaluation: image, video, beat and consistency metrics of clips, and their report."""
