"""The command line of `train/prepare.py`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from .build import BuildSettings, CaptionSource, build
from .captions.caption_file import read_captions
from .captions.captioner import KEY_VARIABLE, ClipCaptioner, EndpointCaptioner
from .dry_run import plan
from .options import ASPECTS, ClipOptions
from .part_maps import ModelPartMaps
from .sources import find_sources
from .state import FOLDER, changed_options


def main(doc: str, argv: Sequence[str] | None = None) -> None:
    """Prepare a data set; exits with code 1 where no clip came out, 2 on bad input or where a file
    cannot be read or written, and 130 when it is stopped."""
    arguments = _parser(doc).parse_args(argv)
    try:
        clips = _run(arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"error: {error.filename or 'A file'}: {error.strerror or error}.", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped; run again to go on.", file=sys.stderr)
        sys.exit(130)
    if clips == 0:
        sys.exit(1)


def _run(arguments: argparse.Namespace) -> int:
    """The number of clips in the data set, or that may come out."""
    dataset = arguments.dataset
    sources = find_sources(arguments.videos, dataset)
    settings = _settings(arguments)
    captioner = _captioner(arguments)
    captions: CaptionSource | None = None
    if captioner is not None:
        captions = ClipCaptioner(captioner, dataset)
    elif arguments.captions:
        captions = read_captions(arguments.captions)
    if settings.options.densepose:
        ModelPartMaps(settings.options.densepose).check()
    changes = changed_options(dataset, settings.options)
    if changes:
        print(f"Videos that were cut otherwise are cut again: {', '.join(changes)}.")
    if arguments.dry_run:
        planned = plan(sources, dataset, settings, captioner)
        print(planned.text)
        return planned.clips
    built = build(sources, dataset, settings, captions)
    print(built.summary())
    return len(built.clips)


def _settings(arguments: argparse.Namespace) -> BuildSettings:
    if arguments.maps and not Path(arguments.maps).is_dir():
        raise InputError(f"There is no folder of part maps at {arguments.maps}.")
    options = ClipOptions(
        seconds=arguments.seconds,
        fps=arguments.fps,
        size=arguments.size,
        aspect=arguments.aspect,
        min_motion=arguments.min_motion,
        max_motion=arguments.max_motion,
        densepose=arguments.densepose,
        maps=arguments.maps,
    )
    train, validation, test = arguments.shares
    return BuildSettings(options, arguments.workers, (train, validation, test), arguments.seed)


def _captioner(arguments: argparse.Namespace) -> EndpointCaptioner | None:
    if not arguments.caption_url:
        return None
    if arguments.captions:
        raise InputError("Captions come from --captions or from --caption-url, not from both.")
    if not arguments.caption_model:
        raise InputError("--caption-url needs --caption-model, the model to ask there.")
    cache = arguments.dataset / FOLDER / "captions"
    return EndpointCaptioner(arguments.caption_url, arguments.caption_model, cache)


def _parser(doc: str) -> argparse.ArgumentParser:
    usual = ClipOptions()
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", type=Path, help="a folder of videos, or a .txt list of them")
    parser.add_argument("dataset", type=Path, help="the folder of the data set")
    add = parser.add_argument
    add("--captions", metavar="FILE.jsonl", help='lines {"file_name": .., "text": ..}')
    add("--caption-url", metavar="URL", help="an OpenAI-like endpoint to ask for captions")
    add("--caption-model", metavar="NAME", help=f"its model; the key is read from {KEY_VARIABLE}")
    add("--densepose", metavar="FILE", default="", help="a TorchScript part model")
    add("--maps", metavar="FOLDER", default="", help="part maps as PNG files")
    add("--seconds", type=float, default=usual.seconds, help="of a clip (%(default)s)")
    add("--fps", type=int, default=usual.fps, help="frames a second (%(default)s)")
    add("--size", type=int, default=usual.size, help="pixels of the longer side (%(default)s)")
    add("--aspect", choices=sorted(ASPECTS), default=usual.aspect, help="of the crop (%(default)s)")
    add("--min-motion", type=float, default=usual.min_motion, help="below is still (%(default)s)")
    add("--max-motion", type=float, default=usual.max_motion, help="above is chaos (%(default)s)")
    add(
        "--shares",
        type=float,
        nargs=3,
        default=BuildSettings.shares,
        metavar=("TRAIN", "VALIDATION", "TEST"),
        help="of the clips (0.9 0.05 0.05)",
    )
    add("--seed", type=int, default=BuildSettings.seed, help="of the split (%(default)s)")
    add("--workers", type=int, default=1, metavar="N", help="processes (%(default)s)")
    add("--dry-run", action="store_true", help="say what would be done and write nothing")
    return parser
