"""Animated pictures, which repeat for ever and have no sound: GIF, WebP and PNG.

WebP and PNG are transparent to any degree. A pixel of a GIF is transparent or not: half-transparent
pixels of an edge are mixed with a matte colour, so that the edge looks smooth on such a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from io import BytesIO
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from ..errors import InputError
from ..files import atomic_path
from .alpha import flatten
from .frame_limits import require_rate_of_format
from .images import to_uint8
from .webp import write_webp

ANIMATED_SUFFIXES = (".gif", ".webp", ".png")
GIF_TICK, WEBP_TICK = 10, 1
"""Milliseconds of the unit in which the formats store durations."""
PNG = {"compression_level": "5", "pred": "up"}
"""Half the usual time, for files that are no larger."""
PALETTE_FRAMES, PALETTE_PIXELS = 16, 400_000
"""Frames and pixels at most that the palette of a GIF is computed from."""
MATTE = (128, 128, 128)
"""The colour that the half-transparent edges of a GIF are mixed with: its rim is hardly visible on
light and on dark pages."""
OPAQUE = 0.5
"""Alpha from which a pixel of a GIF is opaque."""
CLEAR = 255
"""The palette index of the transparent pixels of a GIF."""


def write_animated(path: str | Path, chunks: Iterable[Tensor], fps: float) -> None:
    """Write frames as an animated picture that repeats for ever, atomically.

    Frame k starts at k / fps seconds, rounded to the format's unit of time: the rounding error of a
    frame is passed on to the next, so that a dance stays on its beats. Frames are encoded as they
    come; of a GIF, all frames are held in memory, a byte a pixel.

    Args:
        path: ends in one of `ANIMATED_SUFFIXES`. WebP is compressed with a hardly visible loss, PNG
            without any. The 256 colours of a GIF are those of the first segment.
        chunks: float frames `[f 3 h w]` in 0..1, or `[f 4 h w]` with straight alpha, one segment
            after the other.
        fps: frames per second, at most 50 for a GIF.

    Raises:
        InputError: no frame at all, too many frames per second, or a target that cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    require_rate_of_format(fps, path)
    with atomic_path(path) as temporary:
        frames = _required(chunks, path)
        save = {".gif": _save_gif, ".webp": _save_webp, ".png": _save_png}[suffix]
        save(temporary, frames, fps)


def _required(chunks: Iterable[Tensor], path: Path) -> Iterator[Tensor]:
    """The chunks that have frames; without any, the error of a file without frames."""
    empty = True
    for chunk in chunks:
        if len(chunk):
            empty = False
            yield chunk
    if empty:
        raise InputError(f"There are no frames to write to {path}.")


def gif_bytes(frames: Tensor, fps: float) -> bytes:
    """Frames `[f c h w]` in 0..1 as the bytes of a GIF file, timed as in `write_animated`."""
    data = BytesIO()
    _save_gif(data, iter([frames]), fps)
    return data.getvalue()


def start_time(frame: int, fps: float, tick: int) -> int:
    """Milliseconds at which a frame starts, the multiple of `tick` that is nearest to k / fps."""
    return round(frame * 1000 / fps / tick) * tick


def _save_webp(target: Path, chunks: Iterator[Tensor], fps: float) -> None:
    with target.open("wb") as file:
        write_webp(file, _images(chunks), (start_time(k, fps, WEBP_TICK) for k in count()))


def _save_png(target: Path, chunks: Iterator[Tensor], fps: float) -> None:
    import av

    rate = Fraction(fps).limit_denominator(1001)
    with av.open(str(target), "w", format="apng", options={"plays": "0"}) as container:
        stream: Any = container.add_stream("apng", rate=rate)
        for k, image in enumerate(_images(chunks)):
            layout = "rgba" if image.shape[-1] == 4 else "rgb24"
            if k == 0:
                stream.height, stream.width = image.shape[:2]
                stream.pix_fmt, stream.options = layout, PNG
            picture = av.VideoFrame.from_ndarray(image, format=layout)
            picture.pts, picture.time_base = k, 1 / rate
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _save_gif(target: Path | BytesIO, chunks: Iterator[Tensor], fps: float) -> None:
    """Writes a GIF with one palette, so that still areas do not shimmer."""
    first = next(chunks)
    transparent = first.shape[1] == 4
    palette = _palette(first, CLEAR if transparent else 256)
    frames = chain([first], chunks)
    del first  # so that it can be freed when it is written

    def pictures() -> Iterator[Image.Image]:
        for k, image in enumerate(_images(frames, matte=True)):
            picture = _indexed(image, palette)
            picture.info["duration"] = start_time(k + 1, fps, GIF_TICK) - start_time(
                k, fps, GIF_TICK
            )
            yield picture

    images = pictures()
    # A transparent frame replaces the one before, which would be visible through it.
    options = {"transparency": CLEAR, "disposal": 2} if transparent else {}
    next(images).save(
        target,
        format="GIF",
        save_all=True,
        append_images=images,
        loop=0,
        optimize=False,
        **options,
    )


def _images(chunks: Iterator[Tensor], matte: bool = False) -> Iterator[np.ndarray]:
    """Frames as uint8 `[h w c]`; with `matte`, alpha is 0 or 255 and edges are mixed with it."""
    for chunk in chunks:
        for frame in chunk:  # one by one, in the processor's cache
            pixels = to_uint8(_matted(frame) if matte and len(frame) == 4 else frame)
            yield rearrange(pixels, "c h w -> h w c").contiguous().numpy()


def _matted(frame: Tensor) -> Tensor:
    """An RGBA frame `[4 h w]` over `MATTE` where it is opaque enough, elsewhere clear."""
    matte = rearrange(frame.new_tensor(MATTE) / 255, "c -> c 1 1")
    return torch.cat([flatten(frame, matte), (frame[3:] >= OPAQUE).to(frame)])


def _palette(chunk: Tensor, colours: int) -> Image.Image:
    """A picture with the palette of 256 colours, of which only so many differ."""
    sampled = chunk[:: -(-len(chunk) // PALETTE_FRAMES)]
    images = np.stack(list(_images(iter([sampled]), matte=True)))
    pixels = rearrange(images, "f h w c -> (f h w) c")
    if pixels.shape[1] == 4:
        pixels = pixels[pixels[:, 3] > 0, :3]
    # An odd stride shares no factor with the width of most pictures, so it reaches every column.
    stride = 2 * -(-len(pixels) // PALETTE_PIXELS // 2) + 1
    sample = np.ascontiguousarray(pixels[::stride])
    if not len(sample):
        sample = np.array([MATTE], np.uint8)
    picture = Image.fromarray(rearrange(sample, "n c -> 1 n c"))
    palette = picture.quantize(colours, method=Image.Quantize.MAXCOVERAGE, kmeans=1)
    values = palette.getpalette() or []
    # Unused entries repeat the first colour, or black pixels could be given their index.
    palette.putpalette((values + values[:3] * 256)[: 3 * 256])
    return palette


def _indexed(image: np.ndarray, palette: Image.Image) -> Image.Image:
    """An image `[h w c]` in the colours of the palette; `CLEAR` where it is transparent."""
    rgb = Image.fromarray(np.ascontiguousarray(image[..., :3]))
    picture = rgb.quantize(palette=palette, dither=Image.Dither.NONE)
    if image.shape[-1] == 3:
        return picture
    index = np.asarray(picture).copy()
    index[index == CLEAR] = 0  # the same colour
    index[image[..., 3] == 0] = CLEAR
    result = Image.fromarray(index, "P")
    result.putpalette(palette.getpalette() or [])
    return result
