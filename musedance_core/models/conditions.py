"""Conditions of the denoiser as frozen values; the networks keep no state between calls.

Axes: `b` batch, `f` frames, `m` previous frames, `n` spatial tokens, `d` width, `l` tokens,
`c h w` latents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class LayerFeatures:
    """ReferenceNet's features at one attention layer.

    Attributes:
        stream: residual stream before norm1, `[b n d]`.
        normed: the same after norm1, `[b n d]`.
        height, width: size of the feature map; n = height * width.
    """

    stream: Tensor
    normed: Tensor
    height: int
    width: int


@dataclass(frozen=True)
class ReferenceFeatures:
    """ReferenceNet's features of one picture.

    Attributes:
        layers: one entry per attention layer, from the UNet's input to its output.
        shifted_latents: the picture's latents at offsets of a quarter of a latent cell,
            `[b c 4h 4w]`, for denoisers that copy from it; otherwise None.
    """

    layers: tuple[LayerFeatures, ...]
    shifted_latents: Tensor | None = None


@dataclass(frozen=True)
class MotionFeatures:
    """ReferenceNet's residual streams of the previous frames, `[b m n d]` per attention layer."""

    layers: tuple[Tensor, ...]


@dataclass(frozen=True)
class ReferenceKeys:
    """The reference in the denoiser's own projections, computed once per segment.

    Attributes:
        keys, values: `[b heads n d/heads]` per attention layer.
        candidates: latents at every displacement from every cell, `[b n k c]`, for denoisers that
            copy from the picture; otherwise None.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    candidates: Tensor | None = None


@dataclass(frozen=True)
class WarpedReference:
    """The reference picture with the dancer in the planned poses, computed once per segment.

    Attributes:
        latents: latents of the planned frames, `[b f c h w]`.
        coverage: share of each latent cell that the dancer covers there, `[b f 1 h w]`.
        reference_latents: latents of the picture itself, `[b c h w]`.
    """

    latents: Tensor
    coverage: Tensor
    reference_latents: Tensor


@dataclass(frozen=True)
class ClipAudio:
    """Music and beats of a clip, before the learned projections. Times count from its start.

    Attributes:
        music: AST features `[b l d]`.
        music_seconds: time of each music token, `[l]`.
        beat_ids: `[b f]` of 0 (no beat), 1 (beat) and 2 (null, for guidance).
        beat_count: continuous beat count on the song's beat grid, `[b f]`.
        seconds: time of each frame, `[f]`.
        keep: bool `[b]`; False drops music and beats of that sample. None keeps all.
    """

    music: Tensor
    music_seconds: Tensor
    beat_ids: Tensor
    beat_count: Tensor
    seconds: Tensor
    keep: Tensor | None = None


@dataclass(frozen=True)
class Conditions:
    """Conditions of one call of the denoiser.

    Attributes:
        text: text tokens `[b 77 d]`; zeros mean no text.
        reference: keys and values of the reference picture, or None.
        previous: features of the previous frames, or None.
        music: timed music tokens `[b l d]`, or None without music modules.
        beat: timed beat tokens `[b f d]`, or None without beat modules.
        seconds: time of each frame from the clip's start, `[f]`.
        warped_reference: the planned frames, or None in models that do not take them.
        keep_reference: bool `[b]`; False drops the picture, warped or not, and the previous frames
            of that sample. None keeps all.
    """

    text: Tensor
    reference: ReferenceKeys | None = None
    previous: MotionFeatures | None = None
    music: Tensor | None = None
    beat: Tensor | None = None
    seconds: Tensor | None = None
    warped_reference: WarpedReference | None = None
    keep_reference: Tensor | None = None

    def without_reference(self) -> Conditions:
        """The same conditions without the picture, warped or not, and the previous frames."""
        keep_none = self.text.new_zeros(len(self.text)) > 0
        return replace(self, reference=None, warped_reference=None, keep_reference=keep_none)
