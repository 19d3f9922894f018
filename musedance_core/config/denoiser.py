"""Configuration of the clip, the denoiser, its mask encoder and its noise schedule."""

from __future__ import annotations

from dataclasses import dataclass

from .checks import require, require_sizes


@dataclass(frozen=True)
class ClipConfig:
    """A segment of video.

    Attributes:
        size: width and height in pixels, a multiple of 8.
        frames: frames per segment (the paper's K).
        fps: frames per second.
        previous: frames of the previous segment that the motion modules take (the paper's M).
    """

    size: int = 640
    frames: int = 48
    fps: int = 12
    previous: int = 2

    def __post_init__(self) -> None:
        require_sizes(self, optional=("previous",))
        require(self.size % 8 == 0, f"size must be a multiple of 8: {self.size}")
        require(1 <= self.previous <= self.frames, f"previous is out of range: {self.previous}")

    @property
    def seconds(self) -> float:
        """Length of one segment in seconds."""
        return self.frames / self.fps


@dataclass(frozen=True)
class UNetConfig:
    """The spatial half of the denoiser, which ReferenceNet shares. Defaults: Stable Diffusion 1.5.

    Attributes:
        latent_channels: channels of the latents.
        channels: width of each level.
        attention: whether the level has attention.
        layers: layers per level of the encoder; the decoder has one more.
        heads: attention heads of every attention layer.
        text_width: width of the text tokens.
        ff_mult: inner width of feed-forward layers over their width.
        norm_groups: groups of every GroupNorm.
        spatial_positions: add 2-D sinusoids to queries and keys of the self-attention. A small
            network trained from scratch needs them to find the same place in the reference.
        copy_reach: largest distance in latent cells from which the denoiser copies from the picture
            (`models/reference_copy.py`); 0 switches copying off.
        copy_body: condition on the planned frames (`models/choreographer.py`).
        dropout: dropout rate of residual and feed-forward layers, 0..1.
    """

    latent_channels: int = 4
    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    attention: tuple[bool, ...] = (True, True, True, False)
    layers: int = 2
    heads: int = 8
    text_width: int = 768
    ff_mult: int = 4
    norm_groups: int = 32
    spatial_positions: bool = False
    copy_reach: int = 0
    copy_body: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        require(0 <= self.copy_reach <= 8, f"copy_reach must be 0..8 cells: {self.copy_reach}")
        require_sizes(self, depths=("layers",), optional=("copy_reach",))
        require(1 <= len(self.channels) <= 8, f"channels must have 1..8 levels: {self.channels}")
        require(0 <= self.dropout < 1, f"dropout must be within 0..1: {self.dropout}")
        require(
            len(self.channels) == len(self.attention),
            f"channels and attention differ in length: {self.channels}, {self.attention}",
        )
        require(
            not self.copy_body or self.copy_reach > 0,
            f"copy_body needs copy_reach above 0, not {self.copy_reach}",
        )
        for width in self.channels:
            require(
                width % self.norm_groups == 0 and width % self.heads == 0,
                f"width {width} is not divisible by {self.norm_groups} groups, {self.heads} heads",
            )


@dataclass(frozen=True)
class DynamicsConfig:
    """The music, beat and motion modules of stage 2 (section 3.3).

    Attributes:
        token_width: width of music and beat tokens.
        heads: attention heads of every attention layer.
        motion_attentions: attention layers of a motion module.
        motion_ff_mult: inner width of a motion module's feed-forward layer over its width.
        beat_phase: add sine and cosine of the beat's and the two-beat phase to the one-hot beat
            tokens; the paper has the one-hot alone.
        music, beat, motion: build these modules; False for the paper's ablation.
    """

    token_width: int = 768
    heads: int = 8
    motion_attentions: int = 2
    motion_ff_mult: int = 4
    beat_phase: bool = False
    music: bool = True
    beat: bool = True
    motion: bool = True

    def __post_init__(self) -> None:
        require_sizes(self, depths=("motion_attentions",))
        require(self.token_width % 2 == 0, f"token_width must be even: {self.token_width}")


@dataclass(frozen=True)
class MaskConfig:
    """The mask encoder: one convolution per width, all but the first with stride 2."""

    channels: tuple[int, ...] = (16, 32, 64, 128)

    def __post_init__(self) -> None:
        require_sizes(self)


@dataclass(frozen=True)
class ScheduleConfig:
    """The noise schedule, for training and sampling alike, and the defaults of sampling.

    Attributes:
        steps: training timesteps.
        beta_start, beta_end: first and last beta of the scaled-linear schedule.
        prediction: prediction type; only "v".
        zero_terminal_snr: rescale so that the last timestep is pure noise.
        shared_noise: share of the noise's variance, 0..1, that all frames of a clip have in
            common; it keeps details in place from frame to frame.
        guidance: classifier-free guidance scale of all conditions together; 1 is off.
        text_guidance, music_guidance, reference_guidance: additional guidance weights per
            condition; 0 is off.
        guidance_rescale: 0..1, how far to rescale to the standard deviation of the conditional
            prediction (diffusers' `guidance_rescale`).
        sampling_steps: default number of denoising steps.
    """

    steps: int = 1000
    beta_start: float = 0.00085
    beta_end: float = 0.012
    prediction: str = "v"
    zero_terminal_snr: bool = True
    shared_noise: float = 0.0
    guidance: float = 3.5
    text_guidance: float = 0.0
    music_guidance: float = 0.0
    reference_guidance: float = 0.0
    guidance_rescale: float = 0.7
    sampling_steps: int = 25

    def __post_init__(self) -> None:
        require_sizes(self)
        require(self.prediction == "v", f"prediction must be 'v': {self.prediction!r}")
        require(
            0 < self.beta_start < self.beta_end < 1,
            f"betas must rise within (0, 1): {self.beta_start}, {self.beta_end}",
        )
        require(0 <= self.shared_noise <= 1, f"shared_noise must be 0..1: {self.shared_noise}")
