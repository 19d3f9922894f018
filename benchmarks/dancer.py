"""The figures of the embedded dancer, as one table.

    python benchmarks/dancer.py [CHECKPOINT] [--sections demo clips ...] [--split test]
        [--songs SONG ...] [--recordings FILE] [--sheet FOLDER] [--out results.json]

Sections, in this order:

demo      size and rate of a video by default.
clips     sharpness inside the dancer over that of the same dance with the true rig; background and
          flicker where the dancer never is, which should be the picture's own, and where it stood
          in the picture, which is filled; identity and beats; of sampled clips at --size pixels.
poses     beats, recognised moves, feet, and (with --recordings) speeds of planned dances. The judge
          of moves was trained on the world's own dances, so that it favours dances like them.
takes     the distance between two seeds over that between two sentences.
edits     beats that are moved, halved and doubled.
songs     beats of the songs given by --songs.
long      seams of 60 seconds in poses, as fast as the motion around them and as in the world's own
          dances; identity and seams in frames.
denoiser  the true dance of the same clips as planned (draft), denoised (full), and with the true
          rig: PSNR, SSIM, identity and sharpness inside the dancer.
cost      time and memory of `musedance animate`, process start included: meaningful on idle cores.

Dancers and songs are those of --split; its sentences are new combinations of known words, a few of
which occur in training as well. Decisions belong on "validation". Brackets
contain 95 % bootstrap intervals over clips, or over groups of six sentences in "takes".
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from dancer_pixels import (
    Studio,
    clips,
    cost,
    demo,
    denoiser,
    long_dance,
    sheets,
    song_clips,
)
from dancer_poses import Planner, edits, poses, seams, songs, takes
from dancer_results import Result, markdown, write_results

from musedance_core.evaluation.judges.networks import load_judges
from musedance_core.evaluation.options import Sampling
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline

SECTIONS = ("demo", "clips", "poses", "takes", "edits", "songs", "long", "denoiser", "cost")


def options() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("checkpoint", nargs="?", default=str(DEFAULT_CHECKPOINT))
    add("--sections", nargs="*", default=SECTIONS, choices=SECTIONS, metavar="NAME")
    add("--split", default="test", choices=("validation", "test"))
    add("--size", type=int, default=256, help="pixels of the clips' pictures")
    add("--clips", type=int, default=24, help="of clips and denoiser")
    add("--dances", type=int, default=200, help="of poses")
    add("--groups", type=int, default=8, help="of takes, six sentences each")
    add("--edits", type=int, default=12, help="dances to each kind of edited beats")
    add("--long", type=int, default=2, help="long dances in frames")
    add("--seams", type=int, default=12, help="long dances in poses")
    add("--segments", type=int, default=15, help="of a long dance")
    add("--repeats", type=int, default=3, help="of cost")
    add("--steps", type=int, help="denoising steps (default: the model's)")
    add("--seed", type=int, default=0)
    add("--draft", action="store_true", help="clips, songs, long and sheets without denoising")
    add("--songs", nargs="+", type=Path, default=[])
    add("--start", type=float, default=20.0, help="second of these songs")
    add("--recordings", type=Path, help="people's joints as JSON, for the section poses")
    add("--sheet", type=Path, help="write contact sheets of the clips into this folder")
    add("--pictures", nargs="+", type=Path, default=[], help="more dancers for the sheets")
    add("--out", type=Path, help="write all values to this JSON file")
    return parser.parse_args()


def main() -> None:
    args = options()
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    judges, sampling = load_judges(), Sampling(seed=args.seed, steps=args.steps)
    studio = Studio(pipeline, judges, sampling, args.split, args.size, args.draft)
    planner = Planner.of(pipeline, args.split)
    run: dict[str, Callable[[], list[Result]]] = {
        "demo": lambda: demo(args.checkpoint),
        "clips": lambda: clips(studio, args.clips),
        "poses": lambda: poses(planner, judges, args.dances, args.recordings),
        "takes": lambda: takes(planner, args.groups),
        "edits": lambda: edits(planner, args.edits),
        "songs": lambda: [
            *songs(planner, args.songs, args.start),
            *song_clips(studio, args.songs, args.start),
        ],
        "long": lambda: [
            *seams(planner, args.seams, args.segments),
            *long_dance(studio, args.long, args.segments),
        ],
        "denoiser": lambda: denoiser(studio, args.clips),
        "cost": lambda: cost(args.checkpoint, args.repeats),
    }
    results: list[Result] = []
    for section in SECTIONS:
        if section not in args.sections or (section == "songs" and not args.songs):
            continue
        for result in run[section]():
            results.append(result)
            print(f"{section}: {result.name}: {result.text}", flush=True)
        if args.out:
            write_results(args.out, results, shlex.join(["python", *sys.argv]))
    if results:
        print(f"\n{args.split} split, judged by {judges.name}\n\n{markdown(results)}")
    if args.sheet:
        sheets(studio, args.sheet, args.clips, args.pictures)


if __name__ == "__main__":
    main()
