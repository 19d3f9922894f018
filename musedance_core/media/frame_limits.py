"""Bounds of a video's frames, apart from other code: the command line loads without torch."""

SMALLEST_SIDE, LARGEST_SIDE = 64, 2048
"""Bounds of the frame's long side in pixels."""
LOWEST_RATE, HIGHEST_RATE = 1, 60
"""Bounds of the frames a second."""
