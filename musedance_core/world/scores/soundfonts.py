"""Scores played by FluidSynth with General MIDI soundfonts, or by the repository's synthesiser."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ...audio.waveform import Waveform, load_waveform
from ...errors import InputError
from .. import synth
from .score import DRUMS, Note, Score

FOLDERS = (Path("/usr/share/sounds/sf2"), Path("/usr/share/sounds/sf3"))
"""Folders of soundfonts on Debian and its relatives."""
TRAINING_FONTS = (
    "FluidR3_GM.sf2",
    "MuseScore_General_Lite.sf3",
    "sf_GMbank.sf2",
    "OPL-3_FM_128M.sf2",
)
TEST_FONT = "TimGM6mb.sf2"
"""The test songs' own soundfont. Debian's packages are fluid-soundfont-gm, csound-soundfont,
musescore-general-soundfont-small, opl3-soundfont and timgm6mb-soundfont."""
TICKS = 1000
"""Ticks of the MIDI file a second."""
DRUM_CHANNEL = 9


def installed_fonts(split: str) -> tuple[Path, ...]:
    """The soundfonts of a split that are installed; none where FluidSynth or mido is missing."""
    if shutil.which("fluidsynth") is None or find_spec("mido") is None:
        return ()
    names = (TEST_FONT,) if split == "test" else TRAINING_FONTS
    paths = (folder / name for name in names for folder in FOLDERS)
    return tuple(path for path in paths if path.is_file())


def play(score: Score, font: Path | None) -> Waveform:
    """The sound of a score, mono at 32 kHz, by FluidSynth with `font` or by the synthesiser."""
    if font is None:
        return _synthesise(score)
    wave = _fluidsynth(score, font).mono()
    count = round(score.seconds * wave.sample_rate)
    samples = np.pad(wave.samples, ((0, 0), (0, max(0, count - wave.samples.shape[1]))))
    return Waveform(samples[:, :count], wave.sample_rate)


def _fluidsynth(score: Score, font: Path) -> Waveform:
    """Renders a MIDI file of the score with the command `fluidsynth`.

    Raises:
        InputError: the command fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "score.mid", Path(folder) / "score.wav"
        _write_midi(score, midi)
        command = ["fluidsynth", "-niq", "-g", "0.6", "-r", str(synth.RATE), "-R", "0", "-C", "0"]
        done = subprocess.run(
            [*command, "-F", str(wav), str(font), str(midi)], capture_output=True, text=True
        )
        if done.returncode or not wav.is_file():
            raise InputError(f"fluidsynth cannot play {font}: {done.stderr.strip()[-200:]}")
        return load_waveform(wav)


def _write_midi(score: Score, path: Path) -> None:
    """Writes a MIDI file with one channel per program."""
    import mido

    programs = sorted({note.program for note in score.notes} - {DRUMS})
    free = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    channels = dict(zip(programs, free, strict=False)) | {DRUMS: DRUM_CHANNEL}
    events: list[tuple[float, mido.Message]] = []
    for program in programs:
        if program in channels:
            message = mido.Message("program_change", channel=channels[program], program=program)
            events.append((0.0, message))
    for note in score.notes:
        if note.program in channels:
            channel = channels[note.program]
            on = mido.Message("note_on", channel=channel, note=note.key, velocity=note.velocity)
            off = mido.Message("note_off", channel=channel, note=note.key)
            events += [(note.start, on), (note.start + note.seconds, off)]
    events.sort(key=lambda event: event[0])

    # 500 ms a beat is MIDI's default tempo.
    file = mido.MidiFile(ticks_per_beat=TICKS // 2)
    track = mido.MidiTrack()
    now = 0
    for seconds, message in events:
        tick = round(seconds * TICKS)
        track.append(message.copy(time=tick - now))
        now = tick
    file.tracks.append(track)
    file.save(str(path))


def _synthesise(score: Score) -> Waveform:
    """The score played by the synthesiser of the world's songs."""
    rng = np.random.default_rng(len(score.notes))
    track = np.zeros(round(score.seconds * synth.RATE))
    for note in score.notes:
        sound = _drum(note.key) if note.program == DRUMS else _tone(note, rng)
        synth.mix(track, sound, note.start, 0.25 * (note.velocity / 127) ** 1.5)
    samples = np.tanh(track)[None].astype(np.float32)
    return Waveform(samples, synth.RATE)


@cache
def _drum(key: int) -> np.ndarray:
    rng = np.random.default_rng(key)
    if key in (36, 41, 43, 47, 50, 64):
        return synth.kick(rng, 1 - (key - 36) / 28)
    if key in (38, 37, 39, 63, 65, 75):
        return synth.snare(rng, (key - 37) / 40)
    return synth.hat(rng, float(key in (46, 49, 51, 81)))


def _tone(note: Note, rng: np.random.Generator) -> np.ndarray:
    """A note in the timbre of its program's family."""
    hertz = 440 * 2 ** ((note.key - 69) / 12)
    family = note.program // 8
    voice = (synth.tone, synth.saw, synth.square)[
        2 if note.program == 80 else int(family in (2, 3, 4, 5, 7, 8, 10))
    ]
    attack = 0.06 if family in (5, 6, 11) else 0.004
    plucked = family in (0, 1, 3)
    sound = voice(hertz, note.seconds + 0.05, float(rng.uniform(0.1, 0.6)))
    release = note.seconds if plucked else 0.08
    return synth.enveloped(sound, attack, release)
