"""The judges: three small frozen networks for clips of the sticker world.

One embeds the dancer's identity independently of pose and background, one the motion independently
of the dancer; both take pictures rounded to 8 bits and resized to 64 x 64. The third recognises
move, side and size in a dance's poses. Their weights are fixed and named, so that scores are
comparable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ...audio.beats import BeatGrid
from ...checkpoint.format import open_safetensors, read_weights, require_fit, write_tensors
from ...dance.motion import DanceMotion
from ...errors import InputError
from ...world.dances import MOVES, SIDES, SIZES
from . import dance
from .dance import DanceJudge

SHIPPED = Path(__file__).parents[1] / "weights" / "sticker-judges-3.safetensors"
METADATA_KEY = "musedance-judges"
FORMAT_VERSION = 2
SIDE = 64
FEWEST, MOST = 16, 48
"""Fewest and most frames of a clip that the motion encoder takes."""
FAINT = 0.02
"""Motion below this contrast (RMS of the luminance about its mean) is not amplified."""
LUMA = (0.299, 0.587, 0.114)


# Plain torch layers, no injected `ops`: the judges never run inside ComfyUI.
class Residual(nn.Module):
    """Two 3x3 convolutions with a skip connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


def _down(before: int, after: int, kernel: int = 3, stride: int = 2) -> nn.Sequential:
    """Returns a convolution that divides height and width by `stride`."""
    padding = (kernel - stride + 1) // 2
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )


class DancerEmbedder(nn.Module):
    """Pictures `[n 3 64 64]` in 0..1 -> unit vectors `[n d]`, d = 64; one direction per dancer.

    Attention pooling lets it attend to the dancer and ignore the background.
    """

    def __init__(self, widths: tuple[int, int, int] = (24, 48, 96), heads: int = 4) -> None:
        super().__init__()
        a, b, c = widths
        self.layers = nn.Sequential(
            _down(3, a, 4), _down(a, b), Residual(b), _down(b, c), Residual(c)
        )
        self.attention = nn.Conv2d(c, heads, 1)
        self.out = nn.Linear(heads * c, 64)

    def forward(self, frames: Tensor) -> Tensor:
        x = self.layers(frames * 2 - 1)
        weights = rearrange(self.attention(x), "n k h w -> n k (h w)").softmax(dim=-1)
        pooled = weights @ rearrange(x, "n c h w -> n (h w) c")
        return F.normalize(self.out(rearrange(pooled, "n k c -> n (k c)")), dim=-1)


class TemporalConv(nn.Module):
    """A residual convolution over three frames, `dilation` apart."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        kernel, reach = (3, 1), (dilation, 0)
        self.conv = nn.Conv2d(
            width, width, kernel, padding=reach, dilation=(dilation, 1), bias=False
        )
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """`x [b d f n]`, with n places in a frame."""
        return F.relu(x + self.norm(self.conv(x)))


class MotionEncoder(nn.Module):
    """Luminance `[b f h w]` (64 x 64) -> features `[b d]`, d = 64.

    Its input is the difference of each pixel from its mean over the clip and from the previous
    frame, both scaled to the clip's contrast, so backgrounds and colours carry no information.
    """

    def __init__(self, widths: tuple[int, int, int] = (24, 64, 96)) -> None:
        super().__init__()
        a, b, c = widths
        self.glance = nn.Sequential(_down(2, a, kernel=8, stride=4), _down(a, b))
        self.gesture = TemporalConv(b)
        self.narrow = _down(b, c)
        self.gait = TemporalConv(c)
        self.frame = nn.Linear(16 * c, 128)
        self.phrase = nn.Sequential(*[TemporalConv(128, dilation) for dilation in (1, 2, 4)])
        self.features = nn.Sequential(nn.Linear(256, 64), nn.LayerNorm(64))

    def forward(self, luma: Tensor) -> Tensor:
        b = len(luma)
        x = self.glance(rearrange(_movement(luma), "b f c h w -> (b f) c h w"))
        x = self.narrow(_over_time(self.gesture, x, b))
        x = _over_time(self.gait, x, b)
        x = self.frame(rearrange(x, "(b f) c h w -> b f (c h w)", b=b))
        x = self.phrase(rearrange(x, "b f d -> b d f 1"))[..., 0]
        features: Tensor = self.features(torch.cat([x.mean(dim=-1), x.amax(dim=-1)], dim=-1))
        return features


def _over_time(layer: TemporalConv, x: Tensor, b: int) -> Tensor:
    """Applies a temporal layer to frames `[(b f) d h w]`."""
    h = x.shape[-2]
    x = layer(rearrange(x, "(b f) d h w -> b d f (h w)", b=b))
    return rearrange(x, "b d f (h w) -> (b f) d h w", h=h)


def _movement(luma: Tensor) -> Tensor:
    """`[b f h w]` -> `[b f 2 h w]`: distance from the clip's mean and from the frame before."""
    apart = luma - luma.mean(dim=1, keepdim=True)
    change = F.pad(luma[:, 1:] - luma[:, :-1], (0, 0, 0, 0, 1, 0))
    contrast = apart.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp_min(FAINT)
    return torch.stack([apart, change], dim=2) / contrast[:, :, None]


@dataclass(frozen=True)
class Recognition:
    """Move, side and size of a dance, each one of `MOVES`, `SIDES` and `SIZES`."""

    move: str
    side: str
    size: str


@dataclass(frozen=True)
class Judges:
    """All three networks; see `load_judges`.

    `name` is printed beside every score. `history` records their training and their scores on
    held-out data.
    """

    name: str
    embedder: DancerEmbedder
    encoder: MotionEncoder
    dance: DanceJudge
    history: dict[str, Any]

    @torch.no_grad()
    def identity(self, frames: Tensor) -> Tensor:
        """`frames [n 3 s s]` in 0..1 -> unit vectors `[n d]`; similar dancers are close."""
        answer: Tensor = self.embedder(preprocess(frames.to(self.embedder.out.weight.device)))
        return answer

    @torch.no_grad()
    def motion(self, videos: Tensor) -> Tensor:
        """`videos [b f 3 s s]` in 0..1, at 12 frames a second, f = 16..48 -> features `[b d]`.

        Raises:
            ValueError: another number of frames.
        """
        b, f = videos.shape[:2]
        if not FEWEST <= f <= MOST:
            raise ValueError(f"the motion encoder reads {FEWEST} to {MOST} frames, not {f}")
        videos = videos.to(self.encoder.frame.weight.device)
        frames = luminance(preprocess(rearrange(videos, "b f c h w -> (b f) c h w")))
        answer: Tensor = self.encoder(rearrange(frames, "(b f) h w -> b f h w", b=b))
        return answer

    @torch.no_grad()
    def recognise(self, motion: DanceMotion, beats: np.ndarray) -> Recognition:
        """Recognises the first seconds of a dance to `beats`, in seconds from its first pose."""
        device = next(self.dance.parameters()).device
        times = (
            np.arange(min(dance.FRAMES, round(len(motion) / motion.fps * dance.FPS))) / dance.FPS
        )
        places = dance.joints(motion.at(times))
        count = BeatGrid(beats, beats[:0], 0.0).count(times)
        verdict = self.dance(
            places[None].to(device), torch.from_numpy(count).float()[None].to(device)
        )
        return Recognition(
            MOVES[int(verdict.move.argmax())],
            SIDES[int(verdict.side.argmax())],
            SIZES[int(verdict.size.argmax())],
        )


def preprocess(frames: Tensor) -> Tensor:
    """Rounds `frames [n 3 s s]` in 0..1 to 8 bits and resizes them to 64 x 64 pixels.

    Raises:
        ValueError: the pictures are not square.
    """
    h, w = frames.shape[-2:]
    if h != w:
        raise ValueError(f"judges read square pictures, not {w} x {h}")
    frames = frames.float().clamp(0, 1).mul(255).round() / 255
    if h == SIDE:
        return frames
    return F.interpolate(frames, (SIDE, SIDE), mode="bilinear", antialias=True)


def luminance(frames: Tensor) -> Tensor:
    """`[n 3 h w]` -> `[n h w]`."""
    return torch.einsum("nchw,c->nhw", frames, frames.new_tensor(LUMA))


def save_judges(path: str | Path, judges: Judges) -> None:
    """Writes all networks in half precision with name and history as one file, atomically.

    Raises:
        InputError: `path` does not end in .safetensors, is a directory, its folder is missing, or
            it cannot be written, as on a full disk; the file that was there stays.
    """
    if Path(path).suffix != ".safetensors":
        raise InputError(f"The name {path} of judges must end in .safetensors.")
    metadata_values = {
        "format_version": FORMAT_VERSION,
        "name": judges.name,
        "history": judges.history,
    }
    tensors = {
        name: (w.half() if w.is_floating_point() else w).detach().cpu().contiguous()
        for name, w in _state(_networks(judges)).items()
    }
    metadata = {METADATA_KEY: json.dumps(metadata_values), "format": "pt"}
    write_tensors(path, tensors, metadata)


def load_judges(path: str | Path | None = None, device: str | torch.device = "cpu") -> Judges:
    """Loads judges, strictly; None means the shipped ones.

    Raises:
        InputError: the file is missing, is not a judges file, or has another version or shape.
    """
    path = Path(path or SHIPPED)
    metadata_values = _read_metadata(path)
    name, history = metadata_values["name"], metadata_values["history"]
    judges = Judges(name, DancerEmbedder(), MotionEncoder(), DanceJudge(), history)
    weights = read_weights(path)
    require_fit(path, _state(_networks(judges)), weights)
    for prefix, network in _networks(judges).items():
        own = {k: w for k, w in weights.items() if k.startswith(f"{prefix}.")}
        network.load_state_dict({k.removeprefix(f"{prefix}."): w for k, w in own.items()})
        network.to(device).eval().requires_grad_(False)
    return judges


def _networks(judges: Judges) -> dict[str, nn.Module]:
    """The networks by the prefix of their weights."""
    return {"identity": judges.embedder, "motion": judges.encoder, "dance": judges.dance}


def _state(networks: Mapping[str, nn.Module]) -> Mapping[str, Tensor]:
    return {
        f"{name}.{key}": w for name, net in networks.items() for key, w in net.state_dict().items()
    }


def _read_metadata(path: Path) -> dict[str, Any]:
    with open_safetensors(path) as file:
        metadata = file.metadata() or {}
    if METADATA_KEY not in metadata:
        raise InputError(f"{path} is not a judges file: its metadata lacks {METADATA_KEY!r}.")
    try:
        metadata_values = json.loads(metadata[METADATA_KEY])
        version, name, history = (
            metadata_values["format_version"],
            metadata_values["name"],
            metadata_values["history"],
        )
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} has metadata that cannot be read: {error}.") from error
    if version != FORMAT_VERSION:
        raise InputError(
            f"{path} has format version {version}; this program reads {FORMAT_VERSION}."
        )
    return {"name": str(name), "history": dict(history)}
