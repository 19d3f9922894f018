"""One segment of a dance: from its inputs to clean latents (the paper's section 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from einops import rearrange
from torch import Tensor

from ..audio.beats import BeatGrid, beat_frames
from ..audio.mel import HOP_SECONDS, clip_window
from ..audio.silence import Interval, find_rests
from ..dance.dancer import Dancer
from ..errors import InputError
from ..models import ClipAudio, Conditions, MuseDance, WarpedReference
from ..models.schedule import NoiseSchedule
from .guidance import CONDITIONS, ConditionSet, Guidance, guided_velocity
from .samplers import SAMPLERS, OnStep, require_sampler, start_at

OnShare = Callable[[float], None]
"""Called with the share in 0..1 of some work that is done; an exception from it ends the work."""
PLAN_STRENGTH = 0.625
"""Share of the denoising steps that are taken where the frames are planned; they start from the
plan with the noise of the first of them. Chosen on validation clips (docs/results.md)."""


@dataclass(frozen=True)
class Reference:
    """The picture to animate.

    Attributes:
        pixels: `[3 h w]` in 0..1, fitted to the model's size.
        latents: `[1 c h w]` of those pixels, as the denoiser takes them (scaled).
        part_map: ids 0..25 `[h w]`, or None where nothing is known of the picture's parts.
        dancer: the picture at its own size, ready to be moved; None for models without a
            choreographer.
    """

    pixels: Tensor
    latents: Tensor
    part_map: Tensor | None = None
    dancer: Dancer | None = None


@dataclass(frozen=True)
class SongFeatures:
    """A song as the model takes it: the log-mel `[t mel]` of the whole song, and its beats."""

    mel: Tensor
    grid: BeatGrid

    @property
    def seconds(self) -> float:
        """Length of the song."""
        return len(self.mel) * HOP_SECONDS

    @cached_property
    def rests(self) -> Sequence[Interval]:
        """Silences without beats, in seconds of the song, in which a dancer rests."""
        return find_rests(self.mel.cpu(), self.grid)


@dataclass(frozen=True)
class SegmentInput:
    """Everything that conditions one segment.

    Attributes:
        reference: latents of the picture `[1 c h w]`.
        previous: latents of the frames before `[m c h w]`; the picture's, m times, at the start.
        text: text tokens `[1 77 d]`.
        song: the whole song.
        start: where in the song the video starts, in seconds.
        first: the segment's first frame, counted from the video's.
        part_map: ids 0..25 `[1 h w]`, or None.
        negative: text tokens `[1 77 d]` of the negative prompt; None stands for zeros.
        planned: the planned frames `[f 3 h w]` and the dancer's alpha in them `[f 1 h w]`, or None.
    """

    reference: Tensor
    previous: Tensor
    text: Tensor
    song: SongFeatures
    start: float = 0.0
    first: int = 0
    part_map: Tensor | None = None
    negative: Tensor | None = None
    planned: tuple[Tensor, Tensor] | None = None


@dataclass(frozen=True)
class SamplingSettings:
    """Number of denoising `steps`, `guidance`, and the name of one of `SAMPLERS`.

    Raises:
        InputError: there is no such sampler, or fewer than one step.
    """

    steps: int
    guidance: Guidance
    sampler: str = "ddim"

    def __post_init__(self) -> None:
        require_sampler(self.sampler)
        if self.steps < 1:
            raise InputError(f"Sampling takes at least 1 step, not {self.steps}.")


@dataclass(frozen=True)
class DenoisedSegment:
    """One segment as the model made it.

    Attributes:
        latents: clean latents of the frames, `[f c h w]`; None where only the dance was planned.
        poses: the planned dance, `[n 27]` (`DanceMotion.features`), at the choreographer's rate;
            None for models without one.
        dance: the poses without accents and rests, from which the next segment goes on; None where
            they are the same.
    """

    latents: Tensor | None = None
    poses: Tensor | None = None
    dance: Tensor | None = None

    @property
    def context(self) -> Tensor | None:
        """The poses that the next segment continues, `[n 27]`: a rest does not end the dance."""
        return self.poses if self.dance is None else self.dance

    def first(self, share: float) -> DenoisedSegment:
        """The first `share` of the segment, 0..1."""
        return DenoisedSegment(
            **{name: x[: round(share * len(x))] for name, x in self.tensors().items()}
        )

    def tensors(self) -> Mapping[str, Tensor]:
        """The tensors by name, without those that are None."""
        named = {"latents": self.latents, "poses": self.poses, "dance": self.dance}
        return {name: tensor for name, tensor in named.items() if tensor is not None}


def require_finite(values: Tensor, name: str, dtype: torch.dtype) -> None:
    """Raises InputError where `values [...]`, computed in `dtype`, are not all finite."""
    if bool(torch.isfinite(values).all()):
        return
    if dtype == torch.float16:
        raise InputError(f"{name} are not finite numbers in float16: use bfloat16 or float32.")
    used = str(dtype).removeprefix("torch.")
    raise InputError(f"{name} are not finite numbers, although computed in {used}.")


def initial_noise(model: MuseDance, reference: Tensor, seed: int, index: int) -> Tensor:
    """The noise `[1 f c h w]` that segment `index` starts from, on the device and in the dtype of
    the picture's latents `reference [1 c h w]`."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
    shape = (1, model.config.clip.frames, *reference.shape[1:])
    return NoiseSchedule(model.config.schedule).sample_noise(shape, generator).to(reference)


@torch.no_grad()
def denoise_segment(
    model: MuseDance,
    inputs: SegmentInput,
    noise: Tensor,
    settings: SamplingSettings,
    on_step: OnStep,
    on_conditions: OnShare = lambda share: None,
) -> Tensor:
    """Denoises one segment from `noise [1 f c h w]`, on its device and in its dtype: clean latents
    `[f c h w]`.

    Planned frames are refined by the last `PLAN_STRENGTH` of the steps alone. `on_conditions` is
    called while the conditions are computed, and `on_step(step, denoised)` after every step; an
    exception from them ends the sampling.
    """
    conditions = condition_set(model, inputs, settings.guidance, on_conditions)
    schedule = NoiseSchedule(model.config.schedule)

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        return guided_velocity(model.unet, x, t, conditions, settings.guidance)

    sample = SAMPLERS[settings.sampler]
    # Planned frames are refined, others are made of noise alone.
    first, planned = 0, conditions.full.warped_reference
    if planned is not None:
        first = settings.steps - max(1, round(PLAN_STRENGTH * settings.steps))
        if first:
            latents = planned.latents.to(noise)
            noise = start_at(latents, noise, schedule, settings.steps, first)
    return sample(denoise, noise, schedule, settings.steps, on_step, first)[0]


def clip_audio(
    model: MuseDance, song: SongFeatures, start: float, first: int, like: Tensor
) -> ClipAudio:
    """Music and beats of the segment whose first frame is `first` of a video that starts at `start`
    seconds of the song, on the device and in the dtype of `like`."""
    clip = model.config.clip
    begin = start + first / clip.fps
    window = clip_window(song.mel, begin, clip.frames, clip.fps, model.config.music.length)
    music, seconds = model.music.encode_clip(window[None].to(like), clip.seconds)
    beats = beat_frames(song.grid, start, clip.frames, clip.fps, first)
    return ClipAudio(
        music=music,
        music_seconds=seconds,
        beat_ids=torch.from_numpy(beats.ids)[None].to(like.device),
        beat_count=torch.from_numpy(beats.count)[None].float().to(like.device),
        seconds=model.frame_seconds(clip.frames, like.device),
    )


@dataclass(frozen=True)
class SharedConditions:
    """Parts of a segment's conditions that do not depend on its sentence.

    Attributes:
        audio: music and beats.
        previous: latents of the frames before, `[1 m c h w]`.
        warped: the planned frames, or None in models that do not take them.
    """

    audio: ClipAudio
    previous: Tensor
    warped: WarpedReference | None


def shared_conditions(model: MuseDance, inputs: SegmentInput) -> SharedConditions:
    """Encodes music, beats and planned frames of a segment, on the device and in the dtype of
    `inputs.reference`."""
    like = inputs.reference
    planned, coverage = (None, None) if inputs.planned is None else inputs.planned
    return SharedConditions(
        clip_audio(model, inputs.song, inputs.start, inputs.first, like),
        rearrange(inputs.previous, "m c h w -> 1 m c h w"),
        model.warp_reference(
            like,
            None if planned is None else planned[None].to(like),
            None if coverage is None else coverage[None].to(like),
        ),
    )


def segment_conditions(
    model: MuseDance,
    inputs: SegmentInput,
    shared: SharedConditions,
    text: Tensor,
    dropped: Sequence[str] = (),
) -> Conditions:
    """The conditions of one segment with the text tokens `text [1 77 d]`.

    Of the names in `dropped`, "music" leaves out music and beats, and "reference" the picture and
    the frames before; for "text" the caller gives other tokens.
    """
    audio, like = shared.audio, inputs.reference
    dropping = replace(audio, keep=torch.tensor(["music" not in dropped], device=like.device))
    features = model.reference_features(like, text, inputs.part_map)
    conditions = Conditions(
        text=text,
        reference=model.unet.project_reference(features),
        previous=model.reference.motion_features(shared.previous, text),
        music=model.embed_music(dropping),
        beat=model.embed_beats(dropping),
        seconds=audio.seconds,
        warped_reference=shared.warped,
    )
    return conditions.without_reference() if "reference" in dropped else conditions


def condition_set(
    model: MuseDance,
    inputs: SegmentInput,
    guidance: Guidance,
    on_conditions: OnShare = lambda share: None,
) -> ConditionSet:
    """The conditions of one segment: all of them, none, and all but one for every weight that is
    not 0. `on_conditions` is called when the first of them begin and after each of them."""
    shared = shared_conditions(model, inputs)
    # No text is zeros unless there is a negative prompt.
    no_text = torch.zeros_like(inputs.text) if inputs.negative is None else inputs.negative
    dropped = [name for name, weight in guidance.weights.items() if weight]
    built: list[Conditions] = []
    for names in ((), CONDITIONS, *((name,) for name in dropped)):
        on_conditions((len(built) + 1) / (len(dropped) + 3))
        text = no_text if "text" in names else inputs.text
        built.append(segment_conditions(model, inputs, shared, text, names))
    on_conditions(1.0)
    return ConditionSet(built[0], built[1], dict(zip(dropped, built[2:], strict=True)))
