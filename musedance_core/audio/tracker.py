"""Beat tracking: the trackers and the way to them."""

from __future__ import annotations

from ..errors import InputError, brief
from ..ranges import METER, require_whole
from .beats import BeatGrid
from .librosa_tracker import track_beats_with_librosa
from .network_tracker import track_beats_with_network
from .waveform import Waveform

TRACKERS = ("own", "librosa")
"""Names of the trackers, the default first."""


def track_beats(
    wave: Waveform,
    bpm: float | None = None,
    *,
    tracker: str = TRACKERS[0],
    meter: int | None = None,
) -> BeatGrid:
    """Track the beats of a whole song.

    A song without a pulse gets an even grid at `bpm`, or at 120 BPM, which is marked as `assumed`.

    Args:
        wave: the whole song.
        bpm: the tempo where it is known; None estimates it.
        tracker: one of `TRACKERS`.
        meter: beats a bar, 2..12; None leaves it to the tracker.

    Raises:
        InputError: another tracker or meter, or the tracker's package is not installed.
    """
    if tracker not in TRACKERS:
        raise InputError(f"The tracker must be one of {', '.join(TRACKERS)}, not {brief(tracker)}.")
    if meter is not None:
        require_whole("number of beats a bar", meter, METER)
    track = track_beats_with_network if tracker == "own" else track_beats_with_librosa
    return track(wave, bpm, meter)
