"""The dance of a song as poses, segment by segment: sampling of the choreographer.

Every segment continues the poses of the one before, and a sentence counts from the first segment
that begins at or after its time. So memory is bounded by one segment, on the song's own clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import torch
from einops import rearrange, repeat
from torch import Tensor

from ..dance.motion import FEATURES, DanceMotion, join
from ..dance.planting import plant_feet
from ..errors import InputError
from ..models import Choreographer, ClipAudio, Conditions, MuseDance
from ..models.schedule import NoiseSchedule
from .accents import accented
from .guidance import CONDITIONS, ConditionSet, Guidance, guided_velocity
from .prompts import at_time
from .resting import rest_motion, rested
from .samplers import SAMPLERS
from .segment import DenoisedSegment, OnShare, SongFeatures, clip_audio, require_finite

SAMPLER = "dpmpp_2m"
"""Poses are sampled with the second-order solver: it needs the fewest steps."""
SMOOTHING = tuple(weight / 256 for weight in (1, 8, 28, 56, 70, 56, 28, 8, 1))
"""Weights of a pose and its neighbours: binomial, with a standard deviation of 1.4 poses. Noise of
the sampler from pose to pose would be seen as beats; dances lose a quarter of what swings twice a
second."""
SETTLING = 4.0
"""Time constant, in poses, with which a segment takes over from the poses before it."""


@dataclass(frozen=True)
class DanceSettings:
    """Number of denoising `steps`, and `guidance`, in which "reference" means the poses before.

    Raises:
        InputError: fewer than one step.
    """

    steps: int
    guidance: Guidance

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(f"Sampling takes at least 1 step, not {self.steps}.")

    @classmethod
    def of(
        cls,
        model: MuseDance,
        steps: int | None = None,
        guidance: float | None = None,
        weights: Mapping[str, float | None] | None = None,
    ) -> DanceSettings:
        """Returns the checkpoint's defaults, replaced by arguments that are not None."""
        schedule = require_choreographer(model).config.schedule
        return cls(
            schedule.sampling_steps if steps is None else steps,
            Guidance.of(schedule, guidance, weights),
        )

    @classmethod
    def guided_by(cls, model: MuseDance, guidance: Guidance) -> DanceSettings:
        """Returns the choreographer's defaults, replaced where `guidance` differs from the
        denoiser's: both have guidance of their own until somebody asks for another."""
        own = Guidance.of(model.config.schedule)
        scale = None if guidance.scale == own.scale else guidance.scale
        weights = {n: w for n, w in guidance.weights.items() if w != own.weights[n]}
        return cls.of(model, None, scale, weights)


@dataclass(frozen=True)
class DanceScore:
    """The inputs of a planned dance.

    Attributes:
        song: the whole song.
        prompts: seconds of the song, rising, and the text tokens `[1 77 d]` from then on.
        seed: the noise of segment k depends on the seed and k; another seed is another take.
        start: where in the song the dance starts, in seconds.
        negative: text tokens `[1 77 d]` that the dance leads away from; None stands for zeros.
    """

    song: SongFeatures
    prompts: Sequence[tuple[float, Tensor]]
    seed: int = 0
    start: float = 0.0
    negative: Tensor | None = None


def require_choreographer(model: MuseDance) -> Choreographer:
    """Returns the choreographer of a model.

    Raises:
        InputError: it has none.
    """
    if model.choreographer is None:
        raise InputError("This model plans no dance: it has no choreographer.")
    return model.choreographer


def choreograph(
    model: MuseDance,
    score: DanceScore,
    seconds: float,
    settings: DanceSettings | None = None,
    on_share: OnShare = lambda share: None,
) -> DanceMotion:
    """Returns the dance `[f]` of the next `seconds`; see `dance_segments`.

    Raises:
        InputError: the model has no choreographer, or its output is not finite.
    """
    motion = join(list(dance_segments(model, score, seconds, settings, on_share)))
    return motion[: max(1, ceil(seconds * motion.fps - 1e-6))]


@torch.no_grad()
def dance_segments(
    model: MuseDance,
    score: DanceScore,
    seconds: float,
    settings: DanceSettings | None = None,
    on_share: OnShare = lambda share: None,
) -> Iterator[DanceMotion]:
    """Yields the dance of the next `seconds` in whole segments, on demand.

    Angles go on from segment to segment. The dancer rests where the song is silent, and where no
    beat was found in it. `on_share` is called after every denoising step, with the share of all of
    them that is done.

    Raises:
        InputError: the model has no choreographer, or its output is not finite.
    """
    settings = settings or DanceSettings.of(model)
    fps = pose_rate(model)
    poses: Tensor | None = None
    before: DanceMotion | None = None
    clip = model.config.clip
    count = max(1, ceil(seconds / clip.seconds - 1e-6))

    def shared(index: int) -> OnShare:
        return lambda share: on_share((index + share) / count)

    for index in range(count):
        first = index * clip.frames
        segment = plan_segment(model, score, index, first, poses, settings, shared(index))
        assert segment.poses is not None
        motion, poses = DanceMotion.from_features(segment.poses, fps), segment.context
        if before is not None:
            motion = join([before, motion])[1:]
        before = motion[-1:]
        yield motion


def pose_rate(model: MuseDance) -> int:
    """Returns the choreographer's poses a second."""
    return model.config.clip.fps * require_choreographer(model).config.poses


def plan_segment(
    model: MuseDance,
    score: DanceScore,
    index: int,
    first: int,
    before: Tensor | None = None,
    settings: DanceSettings | None = None,
    on_share: OnShare = lambda share: None,
) -> DenoisedSegment:
    """Returns the poses of a segment, `[k 27]` float32 on the CPU.

    The dance has accents on the beats, and rests where the song is silent or no beat was found.

    Args:
        model: has a choreographer.
        score: song, sentences and seed.
        index: number of segments before this one.
        first: its first frame, counted from the video's.
        before: the `context` of the segment before, `[n 27]`; None at the start.
        settings: steps and guidance; None is the checkpoint's own.
        on_share: called after every denoising step of the poses.

    Raises:
        InputError: the model has no choreographer, or its output is not finite.
    """
    config = require_choreographer(model).config
    count = model.config.clip.frames * config.poses
    if score.song.grid.assumed:
        rest = rest_motion(first * config.poses, count, pose_rate(model))
        return DenoisedSegment(poses=rest.features())
    previous = None
    if before is not None:
        # Whole tokens of poses, of which there are fewer after a short segment.
        token = config.frames * config.poses
        count = min(len(before), config.previous * config.poses) // token * token
        previous = before[-count:] if count else None
    settings = settings or DanceSettings.of(model)
    features = next_features(model, score, index, first, previous, settings, on_share)
    require_finite(features, f"The poses of segment {index + 1}", features.dtype)
    dance, fps = features.float().cpu(), pose_rate(model)
    numbers = first * config.poses + np.arange(len(dance))
    poses = accented(dance, before, score.song.grid.count(score.start + numbers / fps))
    poses = rested(poses, before, score.song.rests, score.start, first * config.poses, fps)
    return DenoisedSegment(poses=poses, dance=dance)


def next_features(
    model: MuseDance,
    score: DanceScore,
    index: int,
    first: int,
    previous: Tensor | None,
    settings: DanceSettings,
    on_share: OnShare = lambda share: None,
) -> Tensor:
    """Returns the features `[k 27]` of segment `index`, which begins at frame `first` of the video,
    after the poses `previous [m 27]`, of which the first segment has none."""
    clip, choreographer = model.config.clip, require_choreographer(model)
    like = choreographer.mean
    tokens = at_time(score.prompts, score.start + first / clip.fps)
    audio = clip_audio(model, score.song, score.start, first, like)
    generator = torch.Generator().manual_seed(score.seed * 1_000_003 + index)
    noise = pose_noise(model, [generator]).to(like)
    batch = None if previous is None else previous[None].to(like)
    negative = None if score.negative is None else score.negative.to(like)
    sampled = sample_features(
        model, tokens.to(like), audio, batch, noise, settings, negative, on_share
    )
    return sampled[0]


def pose_noise(model: MuseDance, generators: Sequence[torch.Generator]) -> Tensor:
    """Returns the noise `[b k 27]` of one segment, from one generator per sample."""
    shape = (model.config.clip.frames * require_choreographer(model).config.poses, FEATURES)
    return torch.stack([torch.randn(shape, generator=g) for g in generators])


@torch.no_grad()
def sample_features(
    model: MuseDance,
    text: Tensor,
    audio: ClipAudio,
    previous: Tensor | None,
    noise: Tensor,
    settings: DanceSettings,
    negative: Tensor | None = None,
    on_share: OnShare = lambda share: None,
) -> Tensor:
    """Samples segments of a dance.

    Args:
        text: text tokens `[b 77 d]`.
        audio: music and beats.
        previous: features of the poses before, `[b m 27]`; None at the start.
        noise: `[b k 27]`.
        settings: steps and guidance.
        negative: text tokens `[1 77 d]` of the negative prompt; None stands for zeros.
        on_share: called after every step.

    Returns:
        The features of the poses, `[b k 27]`.
    """
    choreographer = require_choreographer(model)
    conditions = condition_set(model, text, audio, previous, settings.guidance, negative)

    def predict(x: Tensor, t: Tensor, conditions: Conditions) -> Tensor:
        v = choreographer(rearrange(x, "b k d 1 1 -> b k d"), t, conditions)
        pixel: Tensor = rearrange(v, "b k d -> b k d 1 1")
        return pixel

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        return guided_velocity(predict, x, t, conditions, settings.guidance)

    # The samplers take latents; a pose is a picture of one pixel.
    schedule = NoiseSchedule(choreographer.config.schedule)
    start = rearrange(noise, "b k d -> b k d 1 1")
    clean = SAMPLERS[SAMPLER](
        denoise, start, schedule, settings.steps, lambda step, x: on_share(step / settings.steps)
    )
    features = choreographer.denormalise(rearrange(clean, "b k d 1 1 -> b k d"))
    if previous is not None:
        features = continued(features, previous.to(features))
    return plant_feet(smoothed(features, previous))


def continued(features: Tensor, previous: Tensor) -> Tensor:
    """Returns features `[b k 27]` that leave the poses `previous [b m 27]` without a jump of place
    or speed.

    The gap at the seam is closed as by a critically damped spring, 95 % of it in 19 poses:

        x(t) + (gap + (gap of speed + gap / SETTLING) t) exp(-t / SETTLING)
    """
    speed = previous[:, -1:] - previous[:, -2:-1] if previous.shape[1] > 1 else 0.0
    gap = previous[:, -1:] + speed - features[:, :1]
    speed_gap = speed - (features[:, 1:2] - features[:, :1])
    t = torch.arange(features.shape[1], device=features.device).to(features)[None, :, None]
    return features + (gap + (speed_gap + gap / SETTLING) * t) * (-t / SETTLING).exp()


def smoothed(features: Tensor, previous: Tensor | None) -> Tensor:
    """Returns features `[b k 27]` averaged over neighbouring poses with the weights `SMOOTHING`.

    The first ones have the poses `previous [b m 27]` before them. Where there are none, and at the
    end, the dance is extended by its reflection in the outermost pose, so that its speed stays.
    """
    reach = len(SMOOTHING) // 2
    before = features[:, :0] if previous is None else previous[:, -reach:].to(features)
    poses = torch.cat([before, features], dim=1)
    missing = reach - before.shape[1]
    first, last = poses[:, :1], poses[:, -1:]
    start = 2 * first - poses[:, 1 : 1 + missing].flip(1)
    end = 2 * last - poses[:, -1 - reach : -1].flip(1)
    padded = torch.cat([start, poses, end], dim=1)
    out: Tensor = padded.unfold(1, len(SMOOTHING), 1) @ features.new_tensor(SMOOTHING)
    return out


def condition_set(
    model: MuseDance,
    text: Tensor,
    audio: ClipAudio,
    previous: Tensor | None,
    guidance: Guidance,
    negative: Tensor | None = None,
) -> ConditionSet:
    """Returns the conditions of segments: all of them, none, and all but one for every weight that
    is not 0. Arguments as in `sample_features`."""
    choreographer = require_choreographer(model)
    before = None
    if previous is not None:
        before = choreographer.encode_previous(choreographer.normalise(previous))

    # No text is zeros unless there is a negative prompt.
    no_text = torch.zeros_like(text) if negative is None else negative.expand_as(text)

    def build(*dropped: str) -> Conditions:
        keep = repeat(torch.tensor("music" not in dropped), "-> b", b=len(text)).to(text.device)
        clip_audio = replace(audio, keep=keep)
        return Conditions(
            text=no_text if "text" in dropped else text,
            previous=None if "reference" in dropped else before,
            music=model.embed_music(clip_audio, choreographer),
            beat=model.embed_beats(clip_audio, choreographer),
            seconds=audio.seconds,
        )

    weighted = [name for name, weight in guidance.weights.items() if weight]
    return ConditionSet(build(), build(*CONDITIONS), {name: build(name) for name in weighted})
