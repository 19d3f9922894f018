"""`musedance prepare`: a folder of dance videos becomes a data set."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..preparation.options import ASPECTS, ClipOptions
from .command import Command, fill

if TYPE_CHECKING:
    from ..preparation.build import CaptionSource
    from ..preparation.captions.captioner import EndpointCaptioner

DESCRIPTION = """\
Cut videos of dancing into a data set of short clips with music, beats, captions and splits.

VIDEOS is a folder of videos, or a .txt list of them. An interrupted run goes on where it stopped
when the same command is run again. docs/dataset.md describes the data set.
"""
DEFAULTS = ClipOptions()


@dataclass(frozen=True)
class PrepareOptions:
    """The arguments; see their help. `clips` says how sources are cut."""

    videos: Path
    dataset: Path
    clips: ClipOptions
    captions: str | None
    caption_url: str | None
    caption_model: str | None
    shares: tuple[float, float, float]
    seed: int
    workers: int
    dry_run: bool

    def __post_init__(self) -> None:
        if self.clips.maps and not Path(self.clips.maps).is_dir():
            raise InputError(f"There is no folder of part maps at {self.clips.maps}.")
        if self.captions and self.caption_url:
            raise InputError("Captions come from --captions or from --caption-url, not from both.")
        if self.caption_url and not self.caption_model:
            raise InputError("--caption-url needs --caption-model, the model to ask there.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("videos", metavar="VIDEOS", type=Path, help="a folder of videos, or a .txt list of them")
    add("dataset", metavar="DATASET", type=Path, help="the folder of the data set")
    add("--captions", metavar="FILE.jsonl", help='lines {"file_name": .., "text": ..}')
    add("--caption-url", metavar="URL", help="an OpenAI-like endpoint to ask for captions")
    add(
        "--caption-model",
        metavar="NAME",
        help="its model; the key is read from MUSEDANCE_CAPTION_KEY",
    )
    _add_cutting(parser)
    add(
        "--shares",
        type=float,
        nargs=3,
        default=(0.9, 0.05, 0.05),
        metavar=("TRAIN", "VALIDATION", "TEST"),
        help="shares of the clips (default: 0.9 0.05 0.05)",
    )
    add("--seed", type=int, default=0, help="random seed of the split (default: %(default)s)")
    add("--workers", type=int, default=1, metavar="N", help="processes (default: %(default)s)")
    add("--dry-run", action="store_true", help="print what would be done and write nothing")


def _add_cutting(parser: argparse.ArgumentParser) -> None:
    """The options of `ClipOptions`."""
    add = parser.add_argument
    add("--densepose", metavar="FILE", default="", help="a TorchScript part model")
    add("--maps", metavar="FOLDER", default="", help="part maps as PNG files")
    numbers = (
        ("seconds", float, "length of a clip"),
        ("fps", int, "frames a second"),
        ("size", int, "pixels of the longer side"),
        ("min_motion", float, "clips with less motion are rejected as still"),
        ("max_motion", float, "clips with more motion are rejected as restless"),
    )
    for name, kind, about in numbers:
        add(
            f"--{name.replace('_', '-')}",
            type=kind,
            default=getattr(DEFAULTS, name),
            help=f"{about} (default: %(default)s)",
        )
    add(
        "--aspect",
        choices=sorted(ASPECTS),
        default=DEFAULTS.aspect,
        help="shape of the crop (default: %(default)s)",
    )


def options(arguments: argparse.Namespace) -> PrepareOptions:
    """The parsed arguments, checked.

    Raises:
        InputError: a value is out of range, or options contradict each other.
    """
    train, validation, test = arguments.shares
    return fill(
        PrepareOptions,
        arguments,
        clips=fill(ClipOptions, arguments),
        shares=(train, validation, test),
    )


def run(options: PrepareOptions) -> int:
    """Make or complete the data set; returns 1 where no clip came out.

    Raises:
        InputError: a file or an option cannot be used.
    """
    from ..preparation.build import BuildSettings, build
    from ..preparation.dry_run import plan
    from ..preparation.part_maps import ModelPartMaps
    from ..preparation.sources import find_sources
    from ..preparation.state import changed_options

    sources = find_sources(options.videos, options.dataset)
    settings = BuildSettings(options.clips, options.workers, options.shares, options.seed)
    captioner = _captioner(options)
    captions = _caption_source(options, captioner)
    if options.clips.densepose:
        ModelPartMaps(options.clips.densepose).check()
    changes = changed_options(options.dataset, options.clips)
    if changes:
        print(f"Videos that were cut otherwise are cut again: {', '.join(changes)}.")
    if options.dry_run:
        planned = plan(sources, options.dataset, settings, captioner)
        print(planned.text)
        return 0 if planned.clips else 1
    built = build(sources, options.dataset, settings, captions)
    print(built.summary())
    return 0 if built.clips else 1


def _captioner(options: PrepareOptions) -> EndpointCaptioner | None:
    from ..preparation.captions.captioner import EndpointCaptioner
    from ..preparation.state import FOLDER

    if not options.caption_url:
        return None
    cache = options.dataset / FOLDER / "captions"
    return EndpointCaptioner(options.caption_url, options.caption_model or "", cache)


def _caption_source(
    options: PrepareOptions, captioner: EndpointCaptioner | None
) -> CaptionSource | None:
    from ..preparation.captions.caption_file import read_captions
    from ..preparation.captions.captioner import ClipCaptioner

    if captioner is not None:
        return ClipCaptioner(captioner, options.dataset)
    return read_captions(options.captions) if options.captions else None


COMMAND = Command(
    "prepare",
    "make a data set of dance videos",
    DESCRIPTION,
    add_arguments,
    options,
    run,
    interrupted="Stopped; run again to go on.",
    memory_hint="close other programs, or use fewer --workers",
)
