"""What a run would do, said without doing it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ..dataset.format import ClipRecord
from .build import BuildSettings
from .captions.captioner import EndpointCaptioner, requests_needed
from .captions.look_up import shown_frames
from .decoding import probe
from .log import Unusable
from .sources import SourceVideo, SourceVideos
from .state import load_source_state


@dataclass(frozen=True)
class Plan:
    """`text` for the user; at most so many `clips` will come out."""

    text: str
    clips: int


def plan(
    sources: SourceVideos,
    dataset: Path,
    settings: BuildSettings,
    captioner: EndpointCaptioner | None,
) -> Plan:
    """Count the videos that are left to cut, the clips that may come of all, and the requests for
    their captions if these are asked for."""
    found: list[ClipRecord] = []
    left, more, seconds = 0, 0, 0.0
    for source in sources.videos:
        state = load_source_state(dataset, source, settings.options)
        if state is None:
            length = _length(source)
            left, seconds = left + 1, seconds + length
            more += math.ceil(length * settings.options.fps) // settings.options.frames
        else:
            found += state.clips
    lines = [
        f"{len(sources.videos)} videos; {sources.ignored} other files ignored.",
        f"{left} are to be cut, {seconds / 60:.1f} minutes in all; the others are finished.",
        f"At most {len(found) + more} clips of {settings.options.frames} frames in {dataset}.",
    ]
    if captioner is not None:
        kept = [clip for clip in found if (dataset / clip.file_name).is_file()]
        known = requests_needed(captioner, ((c.key, shown_frames(dataset, c)) for c in kept))
        lines.append(f"At most {known + more} requests for captions.")
    lines.append("Nothing was written.")
    return Plan("\n".join(lines), len(found) + more)


def _length(source: SourceVideo) -> float:
    """Seconds of a source, 0 where it cannot be used."""
    try:
        return probe(source.path)
    except Unusable:
        return 0.0
