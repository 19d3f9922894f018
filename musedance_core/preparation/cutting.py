"""Cutting a source video into clips.

The video is decoded twice: scaled down to choose the clips, then in full to crop and write them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..audio.beats import BeatGrid
from ..audio.tracker import track_beats
from ..audio.waveform import Waveform, load_waveform, require_music
from ..dataset.format import SOUND_RATE, ClipRecord
from ..dataset.reading import content_hash
from ..errors import InputError
from .audio_fingerprints import audio_fingerprint
from .clip_filter import crop_or_reject, mean_motion
from .crop import PixelBox, clip_size
from .decoding import Thumbnails, probe_seconds, read_thumbnails, sample_frames
from .deduplication import clip_signature
from .options import ClipOptions
from .part_maps import PartMapSource, open_part_maps
from .rejections import Rejection, UnusableVideo
from .shot_detection import detect_shots
from .sources import SourceVideo
from .state import TRACK, SourceState, discard_source, save_source_state, source_stamp
from .writing import write_frames, write_part_maps, write_sound

OVERLAP = 2
"""Frames that a clip has in common with the one before it in its shot."""
FILTER_SIDE, MODEL_SIDE = 96, 288
"""Longer sides in pixels of the thumbnails for the filters and for a part model."""


@dataclass(frozen=True)
class CutJob:
    """One source to cut, for the data set in the folder `dataset`."""

    source: SourceVideo
    dataset: Path
    options: ClipOptions


@dataclass(frozen=True)
class ClipSpan:
    """The part of a source that becomes a clip.

    Attributes:
        first: its first frame, counted in frames of the clip's rate from the source's beginning.
        crop: the crop of its frames.
        numbers: frame numbers in the source `[f]`.
        has_parts: whether its part maps are known.
    """

    first: int
    crop: PixelBox
    numbers: np.ndarray
    has_parts: bool


@dataclass(frozen=True)
class TrackAudio:
    """A source's sound, mono at 16 kHz, its beats, and its file relative to the data set."""

    wave: Waveform
    beats: BeatGrid
    file: str


def cut_source(job: CutJob) -> None:
    """Write all clips of a source and then its state.

    A video that cannot be used is rejected in the state.

    Raises:
        InputError: the part model cannot be used.
        OSError: a file cannot be written.
    """
    stamp = source_stamp(job.source, job.options)
    discard_source(job.dataset, job.source)
    rejected: list[Rejection] = []
    try:
        clips, arrays = _write_clips(job, rejected)
    except UnusableVideo as reason:
        clips, arrays = [], {}
        rejected.append(Rejection(job.source.name, 0.0, str(reason)))
    except MemoryError:
        clips, arrays = [], {}
        rejected.append(Rejection(job.source.name, 0.0, "memory: there is not enough for it"))
    state = SourceState(tuple(clips), tuple(rejected), arrays)
    save_source_state(job.dataset, job.source, stamp, state)


def _write_clips(
    job: CutJob, rejected: list[Rejection]
) -> tuple[list[ClipRecord], dict[str, np.ndarray]]:
    """Write the clips of a source; their records and the arrays of a `SourceState`.

    Args:
        rejected: gets the parts of the source that give no clip.
    """
    clips: list[ClipRecord] = []
    arrays: dict[str, np.ndarray] = {}
    probe_seconds(
        job.source.path
    )  # rejects files that are not videos or have no sound, before the slow steps
    parts = open_part_maps(job.source, job.options)
    sound = _load_sound(job.source)
    # First pass: thumbnails of the whole video, from which the clips are chosen.
    model_side = MODEL_SIDE if job.options.densepose else FILTER_SIDE
    thumbs = read_thumbnails(job.source.path, job.options.fps, FILTER_SIDE, model_side)
    spans = _choose_spans(job, thumbs, sound.seconds, parts, rejected)
    if spans:
        # Second pass: full frames, of which only the open clips are in memory.
        track = _write_track(job, sound)
        arrays[TRACK] = audio_fingerprint(track.wave.samples[0], SOUND_RATE)
        for span, frames in _cropped_clips(job, thumbs.size, spans):
            record = _write_clip(job, span, frames, track, parts)
            clips.append(record)
            arrays[record.key] = clip_signature(frames)
    return clips, arrays


def _load_sound(source: SourceVideo) -> Waveform:
    try:
        wave = load_waveform(source.path)
        require_music(wave, "it")
    except InputError as error:
        raise UnusableVideo(f"no music: {error}") from error
    return wave


def _choose_spans(
    job: CutJob,
    thumbs: Thumbnails,
    seconds: float,
    parts: PartMapSource | None,
    rejected: list[Rejection],
) -> list[ClipSpan]:
    """The spans that become clips, in order; `rejected` gets the others.

    Args:
        seconds: length of the source's sound.
    """
    options = job.options
    spans: list[ClipSpan] = []
    candidates = _candidates(thumbs, seconds, options)
    for part in candidates:
        frames, numbers = thumbs.filter_frames[part], thumbs.numbers[part]
        first = thumbs.first + part.start
        try:
            ids = None if parts is None else parts.for_frames(thumbs.model_frames[part], numbers)
            # Where the model finds nobody, the dancer's place is unknown.
            known = ids if ids is not None and ids.any() else None
            crop = crop_or_reject(frames, numbers, known, thumbs.size, options)
            spans.append(ClipSpan(first, crop, numbers, known is not None))
        except UnusableVideo as reason:
            rejected.append(Rejection(job.source.name, first / options.fps, str(reason)))
    if not candidates:
        length = len(thumbs.numbers) / options.fps
        raise UnusableVideo(f"short: no shot of its {length:.1f} s lasts {options.seconds} s")
    return spans


def _candidates(thumbs: Thumbnails, seconds: float, options: ClipOptions) -> list[slice]:
    """Candidate clips: as many frames as a clip has, within one shot and within the sound.

    A candidate that follows another in its shot begins with the other's last frames. In training
    they are the previous frames of the motion module.

    Args:
        seconds: length of the source's sound.
    """
    sound_end = int(seconds * options.fps + 1e-6) - thumbs.first
    candidates = []
    for shot in detect_shots(thumbs.filter_frames):
        last = min(shot.stop, sound_end) - options.frames
        for first in range(shot.start, last + 1, options.frames):
            overlap = min(OVERLAP, first - shot.start)
            candidates.append(slice(first - overlap, first + options.frames))
    return candidates


def _write_track(job: CutJob, sound: Waveform) -> TrackAudio:
    """Write the source's whole sound, and track its beats at its own sample rate."""
    file = f"tracks/{job.source.key}.wav"
    wave = sound.mono().resampled(SOUND_RATE)
    write_sound(job.dataset / file, wave)
    return TrackAudio(wave, track_beats(sound), file)


def _cropped_clips(
    job: CutJob, size: tuple[int, int], spans: Sequence[ClipSpan]
) -> Iterator[tuple[ClipSpan, np.ndarray]]:
    """Each span with its frames uint8 `[f h w 3]`, cropped and scaled to the clip's size.

    Args:
        size: width and height of the source's frames.
    """
    waiting = list(spans)
    frames: dict[int, list[np.ndarray]] = {span.first: [] for span in spans}
    for sample in sample_frames(job.source.path, job.options.fps):
        for span in waiting[:2]:  # the last frames of a clip may be the first ones of the next
            if span.first <= sample.index:
                pixels = sample.frame.pixels(size)
                frames[span.first].append(_cropped(pixels, span.crop, job))
        if len(frames[waiting[0].first]) == len(waiting[0].numbers):
            span = waiting.pop(0)
            yield span, np.stack(frames.pop(span.first))
        if not waiting:
            return


def _cropped(pixels: np.ndarray, crop: PixelBox, job: CutJob) -> np.ndarray:
    """A frame uint8 `[h w 3]`, cropped and scaled."""
    scaled = Image.fromarray(pixels).resize(
        clip_size(crop, job.options.size),
        Image.Resampling.LANCZOS,
        box=(crop.left, crop.top, crop.right, crop.bottom),
    )
    return np.asarray(scaled)


def _write_clip(
    job: CutJob, span: ClipSpan, frames: np.ndarray, track: TrackAudio, parts: PartMapSource | None
) -> ClipRecord:
    """Write the clip's files; its record still lacks the caption, the track id and the split."""
    source, dataset, options = job.source, job.dataset, job.options
    start = span.first / options.fps
    key = f"{source.key}-{round(start * 1000):07d}"
    video, audio, maps = f"clips/{key}.mp4", f"clips/{key}.wav", ""
    write_frames(dataset / video, frames, options.fps)
    write_sound(dataset / audio, track.wave.cut(start, len(frames) / options.fps))
    if parts is not None and span.has_parts:
        maps = f"maps/{key}.npz"
        write_part_maps(dataset / maps, parts.for_crop(frames, span.numbers, span.crop))
    beats = track.beats.to_json()
    return ClipRecord(
        file_name=video,
        audio=audio,
        track=track.file,
        start=start,
        frames=len(frames),
        fps=options.fps,
        width=frames.shape[2],
        height=frames.shape[1],
        text="",
        source=source.name,
        track_id=source.key,
        split="train",
        tempo=beats["tempo"],
        beats=tuple(beats["beats"]),
        downbeats=tuple(beats["downbeats"]),
        part_maps=maps,
        motion=round(mean_motion(frames), 6),
        subject=tuple(round(share, 4) for share in span.crop.shares),
        content=content_hash(dataset / video, dataset / track.file),
    )
