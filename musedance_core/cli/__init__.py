"""The command line: `musedance animate | beats | inspect | evaluate | convert`.

Everything heavy is imported when a command runs, so that `musedance --help` answers at once. Bad
input ends in one sentence on stderr and exit code 2, before anything is written.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from ..errors import InputError
from ..version import __version__
from .argtypes import above_zero, clips, finite, not_negative, seed, sentence, steps, tempo

LACK_OF_MEMORY = re.compile("out of memory|not enough memory|can't allocate memory")
"""What torch says on CUDA, Apple's GPUs and the CPU."""

_ANIMATE = """\
Make PICTURE dance to SONG.

The picture may have any size, shape and transparency. An opaque picture is scaled to fit inside
the model's square without cropping, and the rest is filled with the mean colour of its border. A
picture with transparency is a sticker: it is trimmed and set in the middle of a plain background
with room to dance. The song may be any audio file, or a video with sound, of any length.
"""
_BEATS = """\
Hear the tempo and the beats of SONG, in seconds from its start.

With --bpm the tempo is told and only the beats' places are heard; with --bpm and --offset nothing
is heard at all, and the beats stand on that regular grid. --json writes a file that can be edited
by hand and given to `musedance animate --beats`.
"""
_EVALUATE = """\
Judge dances: every PATH is one row of the tables.

A folder of videos, whoever made them, is compared with the videos of the same names in --truth, and
with the beats in --beats or those heard in its own sound. A checkpoint is first made to dance clips
it never saw: of the procedural world, or of a data set that `train/prepare.py` made. The figures go
to OUT/results.json and results.md, and OUT/index.html shows every clip beside its truth. What each
figure means stands in docs/evaluation.md.
"""
_CONVERT = """\
Put public weights together to one file of the preset sd15: Stable Diffusion 1.5, AST and, where
given, AnimateDiff's motion modules. Nothing is downloaded, and pickles are read as plain weights
only. The result is where training starts; by itself it does not dance.
"""
_INSPECT = "Say what a checkpoint is: its parts, their sizes, how it samples, how it was trained."


SAMPLERS = ("ddim", "euler", "dpmpp_2m")
QUALITIES: dict[str, tuple[int | None, str]] = {"full": (None, "ddim"), "draft": (8, "dpmpp_2m")}
"""Steps, where not the model's own, and sampler of each quality."""


class _Parser(argparse.ArgumentParser):
    """An argument parser that complains in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 2 bad input, 130 interrupted, 141 cut off."""
    options = build_parser().parse_args(argv)
    options.command = shlex.join(["musedance", *(sys.argv[1:] if argv is None else argv)])
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads on, as after `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except InputError as error:
        print(f"musedance: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that may not be written to
        where = "" if error.filename is None else f": {error.filename}"
        print(f"musedance: {error.strerror or error}{where}", file=sys.stderr)
        return 2
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and not LACK_OF_MEMORY.search(str(error)):
            raise
        print(
            "musedance: There is not enough memory: close other programs, or try --dtype bfloat16 "
            "or --device cpu.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("musedance: Stopped before it was done.", file=sys.stderr)
        return 130
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The whole command line, for `main` and for tests."""
    parser = _Parser(
        prog="musedance", description="One picture, a song and a sentence become a dance video."
    )
    parser.add_argument("--version", action="version", version=f"musedance {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_animate(commands)
    _add_beats(commands)
    _add_inspect(commands)
    _add_evaluate(commands)
    _add_convert(commands)
    return parser


def _add_command(
    commands: argparse._SubParsersAction[_Parser], name: str, about: str, short: str
) -> _Parser:
    raw = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, description=about, help=short, formatter_class=raw)


def _add_animate(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _add_command(commands, "animate", _ANIMATE, "make a picture dance to a song")
    add = command.add_argument
    add("picture", metavar="PICTURE", help="the picture to animate")
    add("song", metavar="SONG", help="the song: mp3, ogg, flac, wav, m4a, or a video's sound")
    add("--text", required=True, type=sentence, help='how to dance, such as "big hops"')
    add(
        "--out",
        required=True,
        metavar="FILE",
        help="the video to write: .mp4, .mov, .m4v, .mkv or .webm with sound; .gif or .webp "
        "without, repeating for ever",
    )
    add("--loop", action="store_true", help="keep whole beats, so that a .gif or .webp repeats")
    add("--checkpoint", metavar="FILE", help="the model (default: the embedded sticker model)")
    add("--seconds", type=above_zero, metavar="S", help="length (default: the rest of the song)")
    add(
        "--start",
        type=not_negative,
        default=0.0,
        metavar="T",
        help="where in the song the video starts, in seconds (default: 0)",
    )
    add("--mask", metavar="FILE", help="a picture of the same shape, white where the subject is")
    add(
        "--seed",
        type=seed,
        default=0,
        metavar="N",
        help="of the noise; another draws the same dance anew (default 0)",
    )
    _add_denoising(command.add_argument_group("how to denoise"))
    add(
        "--beats",
        metavar="FILE",
        help="beats as `musedance beats --json` writes them; the times "
        "are seconds from the song's start, whatever --start is (default: heard)",
    )
    _add_beat_this(command)
    add(
        "--device",
        default="auto",
        metavar="D",
        help="cpu, cuda, cuda:1, mps (default: cuda where there is one, else cpu)",
    )
    add(
        "--dtype",
        default="float32",
        choices=("float32", "bfloat16", "float16"),
        metavar="T",
        help="float32, bfloat16 or float16 (default: float32)",
    )
    add("--allow-untrained", action="store_true", help="sample a model never trained to dance")
    add("--preview-sheet", metavar="FILE.png", help="also write a sheet of the video's frames")
    command.set_defaults(run=_run_animate)


def _add_denoising(group: argparse._ArgumentGroup) -> None:
    """Quality against time, and what to listen to most."""
    add = group.add_argument
    add(
        "--quality",
        default="full",
        choices=tuple(QUALITIES),
        metavar="Q",
        help="full, or draft: 8 steps of dpmpp_2m, for a quick look (default: full)",
    )
    add("--steps", type=steps, metavar="N", help="denoising steps (default: the model's own)")
    add(
        "--sampler",
        choices=SAMPLERS,
        metavar="NAME",
        help="ddim, euler or dpmpp_2m; of few steps the last makes most (default: ddim)",
    )
    add(
        "--guidance",
        type=not_negative,
        metavar="G",
        help="how strictly to follow sentence, song and picture (default: the model's)",
    )
    for name, what in (
        ("text", "the sentence"),
        ("music", "music and beats"),
        ("reference", "the picture"),
    ):
        add(
            f"--{name}-guidance",
            type=finite,
            metavar="W",
            help=f"add this much of what {what} alone changes; a pass more per step, unless 0 "
            "(default: the model's)",
        )


def _add_beats(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _add_command(commands, "beats", _BEATS, "hear the tempo and the beats of a song")
    command.add_argument("song", metavar="SONG", help="any audio file, or a video with sound")
    command.add_argument("--json", metavar="FILE", help="write tempo, beats and downbeats there")
    command.add_argument("--plot", metavar="FILE.png", help="draw the song with its beats there")
    command.add_argument("--bpm", type=tempo, metavar="B", help="the tempo, in beats per minute")
    _add_beat_this(command)
    command.add_argument("--offset", type=finite, metavar="O", help="one beat's time, in seconds")
    command.set_defaults(run=_run_beats)


def _add_beat_this(command: argparse.ArgumentParser) -> None:
    """Another way to hear beats."""
    command.add_argument(
        "--beat-this",
        metavar="FILE",
        help="hear beats with this checkpoint of Beat This! (default: with librosa)",
    )


def _add_inspect(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _add_command(commands, "inspect", _INSPECT, "say what a checkpoint is")
    command.add_argument(
        "file", nargs="?", metavar="FILE", help="a checkpoint (default: the embedded model)"
    )
    command.set_defaults(run=_run_inspect)


def _add_evaluate(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _add_command(commands, "evaluate", _EVALUATE, "judge videos or a checkpoint")
    add = command.add_argument
    add("paths", nargs="+", metavar="PATH", help="a folder of videos, or a checkpoint")
    add("--out", required=True, metavar="FOLDER", help="the folder to write the report to")
    add(
        "--label", action="append", default=[], metavar="NAME", help="the row's name; once per PATH"
    )
    videos = command.add_argument_group("folders of videos")
    videos.add_argument("--truth", metavar="FOLDER", help="what the videos should have been")
    videos.add_argument(
        "--beats",
        metavar="FILE_OR_FOLDER",
        help="beats as `musedance beats --json` writes them, in seconds from a video's start: "
        "one file for all videos, or a folder with one of each video's name (default: heard)",
    )
    world = "they are clips of the sticker world: its judges look at them, too"
    videos.add_argument("--world", action="store_true", help=world)
    _add_sampling(command.add_argument_group("checkpoints"))
    backbones = command.add_argument_group("networks that you bring, as TorchScript")
    for name, about in (("lpips", "for LPIPS"), ("fvd", "for FVD"), ("identity", "for identity")):
        backbones.add_argument(f"--{name}", metavar="FILE", help=about)
    add("--device", default="auto", metavar="D", help="as for `musedance animate`")
    command.set_defaults(run=_run_evaluate)


def _add_sampling(group: argparse._ArgumentGroup) -> None:
    """How a checkpoint makes the clips that are judged."""
    add = group.add_argument
    add("--dataset", metavar="FOLDER", help="dance its clips instead of the procedural world's")
    splits = ("train", "validation", "test")
    add("--split", default="test", choices=splits, metavar="S", help="of either (default: test)")
    add("--clips", type=clips, default=10, metavar="N", help="how many (default: 10)")
    seconds = "length of the world's clips (default: one segment)"
    add("--seconds", type=above_zero, metavar="S", help=seconds)
    add("--seed", type=seed, default=0, metavar="N", help="of the sampling (default: 0)")
    add("--steps", type=steps, metavar="N", help="denoising steps (default: the model's own)")
    add("--sampler", default="ddim", choices=SAMPLERS, metavar="NAME", help="(default: ddim)")
    add("--guidance", type=not_negative, metavar="G", help="guidance (default: the model's)")
    dtypes = ("float32", "bfloat16", "float16")
    add("--dtype", default="float32", choices=dtypes, metavar="T", help="(default: float32)")
    add("--allow-untrained", action="store_true", help="sample a model never trained to dance")


def _add_convert(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _add_command(commands, "convert", _CONVERT, "make an sd15 model of public weights")
    add = command.add_argument
    add(
        "--stable-diffusion",
        required=True,
        metavar="PATH",
        help="Stable Diffusion 1.5: a folder in diffusers' layout, or one file",
    )
    add("--ast", required=True, metavar="PATH", help="AST for AudioSet, in transformers' layout")
    add("--animatediff", metavar="FILE", help="motion modules (default: they start afresh)")
    add(
        "--tokenizer",
        metavar="FOLDER",
        help="CLIP's vocab.json and merges.txt (default: those of --stable-diffusion)",
    )
    add("--out", required=True, metavar="FILE.safetensors", help="the file to write")
    command.set_defaults(run=_run_convert)


def _run_convert(options: argparse.Namespace) -> None:
    from ..checkpoint.sd15 import assemble_sd15

    assemble_sd15(
        options.out,
        options.stable_diffusion,
        options.ast,
        options.animatediff,
        options.tokenizer,
    )
    print(f"{options.out}: a place to start training from. It was never trained to dance.")


def _run_animate(options: argparse.Namespace) -> None:
    from .commands import animate

    steps, sampler = QUALITIES[options.quality]
    options.steps, options.sampler = options.steps or steps, options.sampler or sampler
    animate(options)


def _run_beats(options: argparse.Namespace) -> None:
    from .commands import beats

    beats(options)


def _run_inspect(options: argparse.Namespace) -> None:
    from ..checkpoint.inspect import describe
    from ..pipeline import DEFAULT_CHECKPOINT

    print(describe(options.file or DEFAULT_CHECKPOINT))


def _run_evaluate(options: argparse.Namespace) -> None:
    from ..evaluation.harness import evaluate
    from ..evaluation.options import EvaluationOptions, Sampling
    from ..pipeline import pick_device

    sampling = Sampling(
        seed=options.seed,
        steps=options.steps,
        sampler=options.sampler,
        guidance=options.guidance,
        dtype=options.dtype,
        allow_untrained=options.allow_untrained,
    )
    asked = EvaluationOptions(
        paths=tuple(options.paths),
        out=options.out,
        labels=tuple(options.label),
        truth=options.truth,
        beats=options.beats,
        world=options.world,
        dataset=options.dataset,
        split=options.split,
        clips=options.clips,
        seconds=options.seconds,
        sampling=sampling,
        lpips=options.lpips,
        fvd=options.fvd,
        identity=options.identity,
        device=str(pick_device(options.device)),
        command=options.command,
    )
    for row in evaluate(asked):
        print(f"{row.label}: {len(row.clips)} clips of {row.source}")
    print(f"{os.path.join(options.out, 'index.html')}, results.md and results.json are written.")
