"""MuseDance: one picture, a song and a sentence become a dance video.

The public names are imported on first use, because torch takes seconds and `musedance --help`
should not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .audio.beats import BeatGrid
    from .audio.waveform import Waveform
    from .dance_poses import DancePoses
    from .dance_video import DanceVideo
    from .diffusion.guidance import Guidance
    from .errors import InputError
    from .pipeline import MuseDancePipeline

__all__ = [
    "BeatGrid",
    "DancePoses",
    "DanceVideo",
    "Guidance",
    "InputError",
    "MuseDancePipeline",
    "Waveform",
    "__version__",
]

_MODULES = {
    "BeatGrid": "audio.beats",
    "DancePoses": "dance_poses",
    "DanceVideo": "dance_video",
    "Guidance": "diffusion.guidance",
    "InputError": "errors",
    "MuseDancePipeline": "pipeline",
    "Waveform": "audio.waveform",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
