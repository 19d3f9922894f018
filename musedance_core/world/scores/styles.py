"""Styles of the training and validation scores."""

from __future__ import annotations

from collections.abc import Mapping

from .acoustic_styles import ACOUSTIC
from .band_styles import BAND
from .style import Style

TRAINING: Mapping[str, Style] = {**BAND, **ACOUSTIC}
"""Styles of the training and validation songs."""
