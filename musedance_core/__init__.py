"""MuseDance: one picture, a song and a sentence become a dance video.

`MuseDancePipeline` is the way in for Python; it is imported on first use, because torch takes
seconds and `musedance --help` should not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .pipeline import MuseDancePipeline

__all__ = ["MuseDancePipeline", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "MuseDancePipeline":
        from .pipeline import MuseDancePipeline

        return MuseDancePipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
