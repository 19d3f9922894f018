"""Model configuration: frozen dataclasses that validate themselves.

A `MuseDanceConfig` is stored in the checkpoint and is enough to build the model and to sample from
it. The two base configurations are in `presets.py`; variants are made with `dataclasses.replace`.
All constructors raise `ValueError` with the offending values.
"""

from .dance import ChoreographerConfig, RigConfig
from .denoiser import ClipConfig, DynamicsConfig, MaskConfig, ScheduleConfig, UNetConfig
from .encoders import MusicConfig, TextConfig, VAEConfig
from .model import MuseDanceConfig
from .reading import without_none

__all__ = [
    "ChoreographerConfig",
    "ClipConfig",
    "DynamicsConfig",
    "MaskConfig",
    "MuseDanceConfig",
    "MusicConfig",
    "RigConfig",
    "ScheduleConfig",
    "TextConfig",
    "UNetConfig",
    "VAEConfig",
    "without_none",
]
