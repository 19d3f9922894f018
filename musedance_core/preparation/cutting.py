"""One source becomes clips: decoded twice, small to choose them and in full to cut them out."""

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
from .crop import PixelBox, clip_size
from .cuts import shots
from .decoding import Film, frames_by_time, probe, read_film
from .duplicates import clip_signature
from .examine import examine, mean_motion
from .log import Rejection, Unusable
from .options import ClipOptions
from .parts import PartMaps, part_maps
from .sources import SourceVideo
from .state import TRACK, SourceState, forget_state, save_source_state
from .tracks import audio_fingerprint
from .writing import write_frames, write_part_maps, write_sound

LEAD = 2
"""Frames that a clip has in common with the one before it in its shot."""
THUMB, VIEW = 96, 288
"""Longer sides of the pictures that are judged by their motion, and by a part model."""


@dataclass(frozen=True)
class CutJob:
    """One source to cut, for the data set in a folder."""

    source: SourceVideo
    dataset: Path
    options: ClipOptions


@dataclass(frozen=True)
class Stretch:
    """A stretch that becomes a clip: `first` frame on the source's even clock, its crop, the
    `numbers` [f] of the source's frames it shows, and whether their parts are known."""

    first: int
    crop: PixelBox
    numbers: np.ndarray
    has_parts: bool


@dataclass(frozen=True)
class Music:
    """A source's sound at 16 kHz mono, its beats, and its file relative to the data set."""

    wave: Waveform
    grid: BeatGrid
    file: str


def cut_source(job: CutJob) -> None:
    """Write all clips of a source and then its state.

    Raises:
        InputError: the part model is not as it must be; a bad video is only noted in the state.
    """
    forget_state(job.dataset, job.source)
    rejected: list[Rejection] = []
    try:
        clips, arrays = _clips(job, rejected)
    except Unusable as reason:
        clips, arrays = [], {}
        rejected.append(Rejection(job.source.name, 0.0, str(reason)))
    except MemoryError:
        clips, arrays = [], {}
        rejected.append(Rejection(job.source.name, 0.0, "memory: there is not enough for it"))
    state = SourceState(tuple(clips), tuple(rejected), arrays)
    save_source_state(job.dataset, job.source, job.options, state)


def _clips(
    job: CutJob, rejected: list[Rejection]
) -> tuple[list[ClipRecord], dict[str, np.ndarray]]:
    """The source's clips, written, and what they are compared by."""
    clips: list[ClipRecord] = []
    arrays: dict[str, np.ndarray] = {}
    probe(job.source.path)
    parts = part_maps(job.source, job.options)
    sound = _sound(job.source)
    view = VIEW if job.options.densepose else THUMB
    film = read_film(job.source.path, job.options.fps, THUMB, view)
    chosen = _choose(job, film, sound.seconds, parts, rejected)
    if chosen:
        music = _write_music(job, sound)
        arrays[TRACK] = audio_fingerprint(music.wave.samples[0], SOUND_RATE)
        for stretch, frames in _cut_out(job, film.size, chosen):
            record = _write_clip(job, stretch, frames, music, parts)
            clips.append(record)
            arrays[record.key] = clip_signature(frames)
    return clips, arrays


def _sound(source: SourceVideo) -> Waveform:
    try:
        wave = load_waveform(source.path)
        require_music(wave, "it")
    except InputError as error:
        raise Unusable(f"no music: {error}") from error
    return wave


def _choose(
    job: CutJob, film: Film, seconds: float, parts: PartMaps | None, rejected: list[Rejection]
) -> list[Stretch]:
    """The stretches, one behind the other in every shot, that become clips."""
    options = job.options
    chosen: list[Stretch] = []
    slices = _slices(film, seconds, options)
    for part in slices:
        thumbs, numbers = film.thumbs[part], film.numbers[part]
        first = film.first + part.start
        try:
            ids = None if parts is None else parts.whole(film.views[part], numbers)
            known = ids if ids is not None and ids.any() else None
            crop = examine(thumbs, numbers, known, film.size, options)
            chosen.append(Stretch(first, crop, numbers, known is not None))
        except Unusable as reason:
            rejected.append(Rejection(job.source.name, first / options.fps, str(reason)))
    if not slices:
        length = len(film.thumbs) / options.fps
        raise Unusable(f"short: no shot of its {length:.1f} s lasts {options.seconds} s")
    return chosen


def _slices(film: Film, seconds: float, options: ClipOptions) -> list[slice]:
    """Stretches of the film, as long as a clip, within a shot and within the sound.

    One that follows another in its shot begins with the other's last frames: what a trainer shows
    as the frames before.
    """
    heard = int(seconds * options.fps + 1e-6) - film.first
    found = []
    for shot in shots(film.thumbs):
        last = min(shot.stop, heard) - options.frames
        firsts = range(shot.start, last + 1, options.frames)
        leads = [min(LEAD, first - shot.start) for first in firsts]
        found += [
            slice(first - lead, first + options.frames)
            for first, lead in zip(firsts, leads, strict=True)
        ]
    return found


def _write_music(job: CutJob, sound: Waveform) -> Music:
    file = f"tracks/{job.source.key}.wav"
    wave = sound.mono().resampled(SOUND_RATE)
    write_sound(job.dataset / file, wave)
    return Music(wave, track_beats(sound), file)


def _cut_out(
    job: CutJob, size: tuple[int, int], chosen: Sequence[Stretch]
) -> Iterator[tuple[Stretch, np.ndarray]]:
    """Each stretch with its frames uint8 `[f h w 3]`, cropped and scaled."""
    waiting = list(chosen)
    frames: dict[int, list[np.ndarray]] = {stretch.first: [] for stretch in chosen}
    for shown in frames_by_time(job.source.path, job.options.fps):
        for stretch in waiting[:2]:  # one clip's last frames may be the next one's first
            if stretch.first <= shown.index:
                frames[stretch.first].append(_cropped(shown.pixels(size), stretch.crop, job))
        if len(frames[waiting[0].first]) == len(waiting[0].numbers):
            done = waiting.pop(0)
            yield done, np.stack(frames.pop(done.first))
        if not waiting:
            return


def _cropped(pixels: np.ndarray, box: PixelBox, job: CutJob) -> np.ndarray:
    """A frame uint8 `[h w 3]`, cropped and scaled."""
    scaled = Image.fromarray(pixels).resize(
        clip_size(box, job.options.size),
        Image.Resampling.LANCZOS,
        box=(box.left, box.top, box.right, box.bottom),
    )
    return np.asarray(scaled)


def _write_clip(
    job: CutJob, stretch: Stretch, frames: np.ndarray, music: Music, parts: PartMaps | None
) -> ClipRecord:
    """The clip's files and its record; caption, music's id and split come when all are known."""
    source, dataset, options = job.source, job.dataset, job.options
    start = stretch.first / options.fps
    key = f"{source.key}-{round(start * 1000):07d}"
    video, audio, maps = f"clips/{key}.mp4", f"clips/{key}.wav", ""
    write_frames(dataset / video, frames, options.fps)
    write_sound(dataset / audio, music.wave.cut(start, len(frames) / options.fps))
    if parts is not None and stretch.has_parts:
        maps = f"maps/{key}.npz"
        ids = parts.cropped(frames, stretch.numbers, stretch.crop)
        write_part_maps(dataset / maps, ids)
    beats = music.grid.to_json()
    return ClipRecord(
        file_name=video,
        audio=audio,
        track=music.file,
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
        subject=tuple(round(share, 4) for share in stretch.crop.shares),
        content=content_hash(dataset / video, dataset / music.file),
    )
