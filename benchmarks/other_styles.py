"""Pictures and songs from outside the sticker world: beat following, tempo and identity.

    python benchmarks/other_styles.py PICTURE ... --songs SONG ... --out FOLDER [--start 20]

Every picture dances to four seconds of every song with its tracked beats. Reported are the share of
the motion that is periodic with those beats and with the other songs', whether its tempo is the
song's (or half, or double), its identity for the judge (which knows the sticker world only), and
the error of the background's corner. FOLDER receives a contact sheet.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from conditioning import motion_tempo, with_interval
from torch import Tensor

from musedance_core.audio.waveform import load_waveform
from musedance_core.diffusion.segment import SongFeatures
from musedance_core.evaluation.judges.networks import load_judges
from musedance_core.media.contact_sheet import write_contact_sheet
from musedance_core.media.images import FittedPicture, fit_picture, load_picture
from musedance_core.media.video import write_video
from musedance_core.metrics.beat_lag import beat_lag
from musedance_core.metrics.consistency import similarity
from musedance_core.metrics.motion import motion_energy
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline

FRAMES, FPS, CORNER = 48, 12, 6
SENTENCES = ("big hops on the spot", "it slides to the left, big moves", "it sways a lot")


@dataclass(frozen=True)
class Dance:
    """One picture's dance to one song, with its figures."""

    video: Tensor
    own: float
    other: float
    tempo: float
    same: float
    off: float


def danced(
    pipeline: MuseDancePipeline,
    fitted: FittedPicture,
    tracks: Sequence[SongFeatures],
    k: int,
    text: str,
    options: argparse.Namespace,
) -> Dance:
    """Samples and measures the dance to song `k`."""
    made = pipeline.animate(
        fitted.image,
        tracks[k],
        text,
        frames=FRAMES,
        start=options.start,
        part_map=fitted.part_map,
        seed=1,
        steps=options.steps,
    )
    video = torch.cat([segment.frames for segment in made])
    energy = motion_energy(video)
    lags = [beat_lag(energy, FPS, track.grid.times - options.start) for track in tracks]
    shares = [0.0 if lag is None else lag.share for lag in lags]
    own, ratio = shares.pop(k), motion_tempo(energy) / tracks[k].grid.tempo
    corner = (video - fitted.image)[..., :CORNER, :CORNER]
    return Dance(
        video=video,
        own=own,
        other=float(np.mean(shares)) if shares else 0.0,
        tempo=float(min(abs(ratio * factor - 1) for factor in (0.5, 1, 2)) < 0.08),
        same=float(similarity(load_judges().identity, video, fitted.image).mean()),
        off=float(corner.abs().mean()) * 255,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--songs", nargs="+", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=float, default=20.0, help="second of every song")
    parser.add_argument("--checkpoint", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--steps", type=int, default=10)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    waves = [load_waveform(song) for song in args.songs]
    tracks = [pipeline.encode_song(wave) for wave in waves]
    dances, frames, labels = [], [], []
    for i, path in enumerate(args.pictures):
        fitted = fit_picture(load_picture(path), None, pipeline.config.clip.size)
        for k, wave in enumerate(waves):
            text = SENTENCES[(i + k) % len(SENTENCES)]
            dance = danced(pipeline, fitted, tracks, k, text, args)
            name = f"{path.stem}-{args.songs[k].stem}"
            write_video(args.out / f"{name}.mp4", [dance.video], FPS, wave, args.start)
            print(f"{name}, {text!r}: {dance.own:.2f} of the motion with the beats", flush=True)
            dances.append(dance)
            if k == i % len(waves):
                frames += [fitted.image, *dance.video[4:32:4]]
                labels += [path.stem, *[text] * 7]
    own, other, tempo, same, off = (
        np.array([getattr(dance, name) for dance in dances])
        for name in ("own", "other", "tempo", "same", "off")
    )
    print(f"motion with the song's beats: {with_interval(own)}")
    print(f"  with other songs' beats: {with_interval(other)}")
    print(f"  higher with the song's own by {with_interval(own - other)}")
    print(f"tempo is the song's (or half, double) in {tempo.mean():.0%} of {len(dances)} dances")
    print(f"identity {with_interval(same)}; background {with_interval(off)} grey levels off")
    write_contact_sheet(args.out / "sheet.png", frames, labels)


if __name__ == "__main__":
    main()
