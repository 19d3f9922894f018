"""Training of the choreographer: diffusion over the world's dances, as poses alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import torch
from einops import reduce, repeat
from torch import Tensor, nn

from ...dance.stick import stick_joints
from ...errors import InputError
from ...models import Choreographer, ClipAudio, Conditions, MuseDance
from ...models.beat import NULL_BEAT
from ...models.music import clip_columns
from ...models.schedule import NoiseSchedule
from ...models.tokenizer import Tokenizer
from ..config import TrainConfig
from ..data.dances import WorldDances
from ..runtime.attention import fast_attention
from ..runtime.step_random import StepRandom
from .base import Batch, SampleSource, Stage
from .diffusion import EVALUATION_SEED, EVALUATION_TIMES, mean_losses, mismatch
from .losses import ConditionMask, draw_condition_mask, draw_timesteps
from .stage2 import beat_ids

STATISTICS_SAMPLES = 512
"""The most dances that the features' statistics are taken of; small batches use four batches."""
LEAST_STD = 0.02
"""Of a feature, so that one that hardly changes is not blown up."""


@dataclass(frozen=True)
class JointLoss:
    """Weights of the errors of the clean poses that a prediction implies, as joints.

    Attributes:
        position, speed: weights of the squared errors of positions and of changes from pose to
            pose, next to the squared error of v.
        position_scale, speed_scale: errors that count as 1, in body heights.
    """

    position: float = 0.5
    speed: float = 0.5
    position_scale: float = 0.1
    speed_scale: float = 0.02


JOINT_LOSS = JointLoss()


class _TokenCache:
    """The frozen encoders' tokens of earlier inputs, in half precision."""

    def __init__(self) -> None:
        self._tokens: dict[Hashable, Tensor] = {}

    def get(self, keys: Sequence[Hashable], encode: Callable[[list[int]], Tensor]) -> Tensor:
        """Returns the tokens of `keys`, float32; `encode` gives those of the new ones, from their
        places in `keys`."""
        new = [i for i, key in enumerate(keys) if key not in self._tokens]
        if new:
            for i, tokens in zip(new, encode(new).half(), strict=True):
                self._tokens[keys[i]] = tokens
        return torch.stack([self._tokens[key].float() for key in keys])


class ChoreographerStage(Stage):
    """Dances from a sentence, a song with its beats, and the poses before."""

    model: MuseDance
    part = "choreographer"
    trainable = ("choreographer.*",)

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        """
        Raises:
            InputError: the model has no choreographer; or the config names a data set, which has no
                poses.
        """
        if model.choreographer is None:
            raise InputError("This model plans no dance: model.choreographer is not set.")
        if config.data.dataset:
            raise InputError(
                f"data.dataset={config.data.dataset}: the choreographer learns from the dance "
                f"world alone, since data sets have no poses."
            )
        super().__init__(model)
        self.tokenizer, self.config, self.loss = tokenizer, config, config.loss
        self.schedule = NoiseSchedule(model.choreographer.config.schedule)
        self._windows, self._sentences = _TokenCache(), _TokenCache()
        # Not in `initialise`: training states hold no buffers, and a resumed run needs them.
        if bool((model.choreographer.std == 1).all()):
            self._fit_features()

    @property
    def choreographer(self) -> Choreographer:
        """The network that learns."""
        assert self.model.choreographer is not None
        return self.model.choreographer

    @torch.no_grad()
    def _fit_features(self) -> None:
        """Sets mean and standard deviation of the features, from samples of the world."""
        source = WorldDances(self.model.config, self.config.data, self.tokenizer, "train")
        count = min(STATISTICS_SAMPLES, 4 * self.config.batch)
        features = source.features([source.scene(index) for index in range(count)]).flatten(0, 1)
        self.choreographer.mean.copy_(features.mean(dim=0))
        self.choreographer.std.copy_(features.std(dim=0).clamp_min(LEAST_STD))

    def source(self, split: str) -> SampleSource:
        return WorldDances(self.model.config, self.config.data, self.tokenizer, split)

    def networks(self) -> list[nn.Module]:
        return [self.choreographer]

    def forward(self, batch: Batch, rng: StepRandom) -> Tensor:
        clean = self.choreographer.normalise(batch["poses"])
        # Sample dropped conditions, timesteps and noise.
        mask = draw_condition_mask(self.loss, rng, clean.device)
        t = draw_timesteps(self.schedule.config.steps, self.loss, rng).to(clean.device)
        noise = rng.normal(*clean.shape[1:]).to(clean)
        previous = self.choreographer.normalise(batch["previous"])
        strength = (rng.uniform() * self.loss.previous_noise)[:, None, None]
        previous = previous + (rng.normal(*previous.shape[1:]) * strength).to(previous)
        # Predict v, and compare with the truth as features and as joints.
        noisy = self.schedule.add_noise(clean, noise, t)
        with fast_attention(self.device):
            v = self.choreographer(noisy, t, self.conditions(batch, mask, previous))
        v = v.float()
        error = (v - self.schedule.velocity(clean, noise, t)) ** 2
        loss = reduce(error, "b k d -> b", "mean")
        predicted, _ = self.schedule.clean_and_noise(noisy, v, t)
        total: Tensor = loss + self.joint_loss(predicted, batch["poses"])
        return total

    def joint_loss(self, predicted: Tensor, poses: Tensor) -> Tensor:
        """Returns the weighted errors `[b]` of joints and their speeds; `predicted [b k 27]` is
        normalised, `poses [b k 27]` are not."""
        joints = stick_joints(self.choreographer.denormalise(predicted))
        error = joints - stick_joints(poses)
        place = (error / JOINT_LOSS.position_scale) ** 2
        speed = (error.diff(dim=1) / JOINT_LOSS.speed_scale) ** 2
        mean = "b k j xy -> b"
        return JOINT_LOSS.position * reduce(place, mean, "mean") + JOINT_LOSS.speed * reduce(
            speed, mean, "mean"
        )

    def conditions(self, batch: Batch, mask: ConditionMask, previous: Tensor) -> Conditions:
        """Returns the network's conditions, with the normalised poses `previous [b m 27]`."""
        audio = self.clip_audio(batch, mask)
        return Conditions(
            text=self.text_tokens(batch, mask.text),
            previous=self.choreographer.encode_previous(previous),
            music=self.model.embed_music(audio, self.choreographer),
            beat=self.model.embed_beats(audio, self.choreographer),
            seconds=audio.seconds,
            keep_reference=mask.reference & batch["continued"],
        )

    def clip_audio(self, batch: Batch, mask: ConditionMask) -> ClipAudio:
        """Returns music and beats of the batch."""
        config = self.model.config
        _, times = clip_columns(config.music, config.clip.seconds)
        tokens = self.music_tokens(batch)
        return ClipAudio(
            music=tokens,
            music_seconds=times.to(tokens.device),
            beat_ids=batch["beat_ids"],
            beat_count=batch["beat_count"],
            seconds=self.model.frame_seconds(config.clip.frames, tokens.device),
            keep=mask.music,
        )

    @torch.no_grad()
    def text_tokens(self, batch: Batch, keep: Tensor) -> Tensor:
        """Returns text tokens `[b 77 d]`, zero for samples where `keep [b]` is False."""
        keys = [row.cpu().numpy().tobytes() for row in batch["ids"]]
        tokens = self._sentences.get(keys, lambda new: self.model.text(batch["ids"][new]))
        return tokens * keep[:, None, None]

    @torch.no_grad()
    def music_tokens(self, batch: Batch) -> Tensor:
        """Returns music tokens `[b l d]`."""
        seconds = self.model.config.clip.seconds
        return self._windows.get(
            batch["window"].tolist(),
            lambda new: self.model.music.encode_clip(batch["mel"][new], seconds)[0],
        )

    def condition_variants(self, batch: Batch) -> dict[str, Batch]:
        """Returns the batch as "right", and copies with one wrong condition, by its name."""
        late = batch["beat_count"] + 0.5
        return {
            "right": batch,
            "text": mismatch(batch, "ids"),
            "music": mismatch(batch, "mel", "window"),
            "beats": {**batch, "beat_count": late, "beat_ids": beat_ids(late)},
            "no_beats": {**batch, "beat_ids": torch.full_like(batch["beat_ids"], NULL_BEAT)},
            "previous": mismatch(batch, "previous"),
        }

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Returns the unweighted loss on fixed noise, as `mean_losses` of `condition_variants`."""
        return mean_losses(self.condition_variants(batch), self.losses_by_time)

    def losses_by_time(self, batch: Batch) -> Tensor:
        """Returns losses `[times b]` at `EVALUATION_TIMES`, always with the same noise."""
        clean = self.choreographer.normalise(batch["poses"])
        previous = self.choreographer.normalise(batch["previous"])
        mask = ConditionMask.keep_all(len(clean), clean.device)
        generator = torch.Generator().manual_seed(EVALUATION_SEED)
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        losses = []
        with fast_attention(self.device):
            conditions = self.conditions(batch, mask, previous)
            for time in EVALUATION_TIMES:
                t = repeat(torch.tensor(time), "-> b", b=len(clean)).to(clean.device)
                v = self.choreographer(self.schedule.add_noise(clean, noise, t), t, conditions)
                error = (v.float() - self.schedule.velocity(clean, noise, t)) ** 2
                losses.append(reduce(error, "b k d -> b", "mean"))
        return torch.stack(losses)
