"""What the denoiser listens to, as values: nothing here is kept on a module."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class SlotFeatures:
    """What ReferenceNet gives one attention slot.

    `stream [b n d]` is the residual stream before norm1, `normed [b n d]` the same after norm1;
    `n` is `height * width` tokens.
    """

    stream: Tensor
    normed: Tensor
    height: int
    width: int


@dataclass(frozen=True)
class ReferenceFeatures:
    """ReferenceNet's features of one picture, one entry per attention slot in reading order.

    `shifted_latents [b c 4h 4w]` are the picture's latents at all offsets of a quarter of a latent,
    for denoisers that copy from it.
    """

    slots: tuple[SlotFeatures, ...]
    shifted_latents: Tensor | None = None


@dataclass(frozen=True)
class MotionFeatures:
    """ReferenceNet's residual streams of the last `m` frames: per slot `[b m n d]`."""

    slots: tuple[Tensor, ...]


@dataclass(frozen=True)
class ReferenceKeys:
    """Keys and values of the picture, projected by the denoiser's layers once per segment.

    Per slot `[b heads n d/heads]`. `candidates [b n k c]` is what lies in the picture at every
    displacement from every place, for denoisers that copy.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    candidates: Tensor | None = None


@dataclass(frozen=True)
class WarpedReference:
    """The reference picture warped to every frame, computed once per segment.

    Attributes:
        warp: quadratic warps `[b f 2 6]` (`geometry.source_points`).
        latents: of the warped picture, `[b f c h w]`.
        features: ReferenceNet's last features, warped alike, `[b f d h w]`.
        reference_latents: of the picture before warping, `[b c h w]`.
    """

    warp: Tensor

    latents: Tensor
    features: Tensor
    reference_latents: Tensor


@dataclass(frozen=True)
class ClipAudio:
    """A clip's music and beats, before any network's own layers.

    `music [b l d]` is what the AST says at `music_seconds [l]`. `beat_ids [b f]` (0, 1, 2) and
    `beat_count [b f]` belong to the frames at `seconds [f]`. All seconds are from the clip's start.
    Of samples that `keep [b]` does not keep neither music nor beats are heard; None keeps all.
    """

    music: Tensor
    music_seconds: Tensor
    beat_ids: Tensor
    beat_count: Tensor
    seconds: Tensor
    keep: Tensor | None = None


@dataclass(frozen=True)
class Conditions:
    """All that drives one call of the denoiser.

    Attributes:
        text: `[b 77 d]` text tokens (zeros: no text).
        reference: the picture's keys and values, or None.
        previous: features of the previous frames, or None.
        music: `[b l d]` timed music tokens, or None where there is no music module.
        beat: `[b f d]` timed beat tokens, or None where there is no beat module.
        seconds: `[f]` time of every frame from the clip's start.
        warped_reference: the picture moved as one body, or None where there is none that moves it.
        keep_reference: bool `[b]`; False hides picture, moved picture and previous frames from that
            sample.
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
        """The same with picture, moved picture and previous frames dropped."""
        nothing = self.text.new_zeros(len(self.text)) > 0
        return replace(self, reference=None, warped_reference=None, keep_reference=nothing)
