"""Dry run: an estimate of the work of a run, without writing anything."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ..dataset.format import ClipRecord
from .build import BuildSettings
from .captions.captioner import EndpointCaptioner, caption_frames, requests_needed
from .decoding import probe_seconds
from .rejections import UnusableVideo
from .sources import SourceVideo, SourceVideos
from .state import load_source_state


@dataclass(frozen=True)
class Plan:
    """The estimate as `text` for the user, and the largest number of `clips` of the data set."""

    text: str
    clips: int


def plan(
    sources: SourceVideos,
    dataset: Path,
    settings: BuildSettings,
    captioner: EndpointCaptioner | None,
) -> Plan:
    """Count the videos that are left to cut, the clips that all may give, and the caption requests.

    Args:
        captioner: where captions would be requested; None if nowhere.
    """
    clips: list[ClipRecord] = []
    left, new_clips, seconds = 0, 0, 0.0
    for source in sources.videos:
        state = load_source_state(dataset, source, settings.options)
        if state is not None and state.is_final:
            clips += state.clips
            continue
        length = _seconds(source)
        left, seconds = left + 1, seconds + length
        new_clips += math.ceil(length * settings.options.fps) // settings.options.frames
    lines = [
        f"{len(sources.videos)} videos; {len(sources.ignored)} other files ignored.",
        f"{left} are to be cut, {seconds / 60:.1f} minutes in all; the others are finished.",
        f"At most {len(clips) + new_clips} clips of {settings.options.frames} frames in {dataset}.",
    ]
    if captioner is not None:
        # Clips that are duplicates have no file, and get no caption.
        existing = [clip for clip in clips if (dataset / clip.file_name).is_file()]
        known = requests_needed(captioner, ((c.key, caption_frames(dataset, c)) for c in existing))
        lines.append(f"At most {known + new_clips} requests for captions.")
    lines.append("Nothing was written.")
    return Plan("\n".join(lines), len(clips) + new_clips)


def _seconds(source: SourceVideo) -> float:
    """Length of a source in seconds, 0 if it cannot be used."""
    try:
        return probe_seconds(source.path)
    except UnusableVideo:
        return 0.0
