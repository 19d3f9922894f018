"""Configuration of a training run: frozen dataclasses that check their values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import InputError
from ..presets import PRESETS
from ..world.cast import KINDS
from ..world.dances import MOVES

CHOICES = {
    "precision": ("fp32", "bf16"),
    "frozen_precision": ("fp32", "bf16"),
    "export_dtype": ("float16", "bfloat16", "float32"),
    "optim.kind": ("adamw", "adam", "adamw8bit", "adam8bit"),
    "optim.schedule": ("cosine", "constant"),
    "optim.scale_lr": ("none", "sqrt", "linear"),
}
AT_LEAST_ONE = (
    "batch",
    "accumulate",
    "max_steps",
    "checkpoint_every",
    "keep",
    "log_every",
    "evaluate_every",
    "validate_every",
    "abort_after",
    "data.frames",
    "data.songs",
)
NOT_NEGATIVE = (
    "seed",
    "max_minutes",
    "evaluate_batch",
    "validate_clips",
    "validate_steps",
    "data.seed",
    "data.workers",
    "optim.warmup",
    "optim.weight_decay",
    "loss.motion",
    "loss.previous_noise",
    "loss.min_snr_gamma",
    "loss.noise_offset",
)
ABOVE_ZERO = ("optim.lr", "optim.clip", "loss.timestep_power")
PROBABILITIES = (
    "data.bystanders",
    "optim.ema",
    "loss.timestep_uniform",
    "loss.drop_text",
    "loss.drop_reference",
    "loss.drop_music",
    "loss.drop_all",
    "loss.drop_map",
    "loss.silhouette",
)


@dataclass(frozen=True)
class DataConfig:
    """The training data: a data set on disk, or the procedural dance world.

    Attributes:
        seed: seed of the samples and of their order.
        dataset: folder of a data set; "" for the dance world.
        cache: keep latents, text tokens and music tokens of the data set beside it instead of
            encoding them in every step.
        songs: number of songs in the dance world.
        frames: length of a clip.
        mixture: relative frequency of the dance world's characters, "emoji" and "puppet".
        workers: data loader processes; 0 loads in the training process.
        font: file of Noto Color Emoji; "" looks in the usual places.
        moves: moves of the dance world; one that is listed twice is twice as frequent.
        bystanders: probability that somebody else stands still in the picture, so that only the
            part map shows who dances.
    """

    seed: int = 0
    dataset: str = ""
    cache: bool = False
    songs: int = 64
    frames: int = 16
    mixture: dict[str, float] = field(default_factory=lambda: {"emoji": 0.6, "puppet": 0.4})
    workers: int = 1
    font: str = ""
    moves: tuple[str, ...] = MOVES
    bystanders: float = 0.0


@dataclass(frozen=True)
class OptimConfig:
    """The optimizer and the learning rate schedule, in optimizer steps.

    Attributes:
        kind: "adamw", "adam", or "adamw8bit" and "adam8bit", which need bitsandbytes and a GPU.
        lr: peak learning rate.
        warmup: steps of linear warm-up.
        schedule: "cosine" (down to 0 at `max_steps`) or "constant".
        scale_lr: multiply `lr` by the number of batches in a step (processes x `accumulate`):
            "linear", "sqrt" or "none".
        weight_decay: of AdamW.
        clip: largest norm of the gradient.
        ema: decay of the weights' exponential moving average; 0 for no average.
    """

    kind: str = "adamw"
    lr: float = 4e-4
    warmup: int = 100
    schedule: str = "cosine"
    scale_lr: str = "none"
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.999


@dataclass(frozen=True)
class LossConfig:
    """The diffusion loss: timestep sampling, loss weights and condition dropout.

    Attributes:
        timestep_power: p of t = steps * u ** p with uniform u; below 1 favours high noise.
        timestep_uniform: proportion of samples whose timestep is uniform all the same.
        motion: weight of moving places, 1 + motion * |difference between frames|.
        previous_noise: largest standard deviation of the noise on the previous frames' latents.
        min_snr_gamma: gamma of min-SNR weighting; 0 for none.
        noise_offset: standard deviation of the noise's offset per channel; 0 for none.
        drop_text: probability that a sample loses its text alone.
        drop_reference: the same for its picture and previous frames.
        drop_music: the same for its music and beats.
        drop_all: probability that a sample loses all three.
        drop_map: probability that a sample loses its part map.
        silhouette: probability that a part map becomes one silhouette.

    Min-SNR weighting and the offset need a schedule without zero terminal SNR.
    """

    timestep_power: float = 1.0
    timestep_uniform: float = 0.0
    motion: float = 0.0
    previous_noise: float = 0.0
    min_snr_gamma: float = 0.0
    noise_offset: float = 0.0
    drop_text: float = 0.1
    drop_reference: float = 0.1
    drop_music: float = 0.0
    drop_all: float = 0.1
    drop_map: float = 0.3
    silhouette: float = 0.3


@dataclass(frozen=True)
class TrainConfig:
    """One training run of one stage.

    Attributes:
        output_dir: folder of the run.
        preset: configuration of the model if there is no `init`.
        model: overrides of the configuration of the preset or of `init`.
        init: checkpoint to start from; "" for a fresh model.
        fresh: patterns of parameters that are initialised afresh in spite of `init`.
        note: free text for the checkpoint's provenance.
        trainable: patterns of the trainable parameters, as in file names; empty for the stage's
            default.
        resume: state to continue from: "latest", "none" or a path.
        weights_only: load only weights and average of that state; optimizer and warm-up restart.
        seed: seed of weights, noise and dropout.
        batch: samples per process and micro-batch.
        accumulate: micro-batches per step.
        max_steps: optimizer steps of the whole run.
        max_minutes: time limit of the whole run; 0 for none.
        checkpoint_every: steps between checkpoints.
        keep: number of states that stay on disk.
        log_every: steps between log lines.
        evaluate_every: steps between held-out metrics.
        evaluate_batch: held-out samples, 0 for no metrics; not 1, since a wrong condition comes
            from another sample.
        validate_every: steps between validation clips.
        validate_clips: number of validation clips, 0 for none.
        validate_steps: their denoising steps; 0 for the model's default.
        trackers: any of "tensorboard" and "wandb".
        precision: "fp32", or "bf16" for autocast, which also CPUs with AVX512-BF16 or AMX do
            faster; trainable weights stay in fp32.
        frozen_precision: precision of the frozen weights on a GPU.
        export_dtype: data type of model.safetensors.
        gradient_checkpointing: recompute activations to save memory.
        compile: compile the denoiser and ReferenceNet with torch.compile.
        abort_after: number of steps in a row without a finite loss that end the run.
        data, optim, loss: see `DataConfig`, `OptimConfig` and `LossConfig`.
    """

    output_dir: str
    preset: str = "sticker"
    model: dict[str, Any] = field(default_factory=dict)
    init: str = ""
    fresh: tuple[str, ...] = ()
    note: str = ""
    trainable: tuple[str, ...] = ()
    resume: str = "latest"
    weights_only: bool = False
    seed: int = 0
    batch: int = 48
    accumulate: int = 1
    max_steps: int = 1000
    max_minutes: float = 0.0
    checkpoint_every: int = 500
    keep: int = 2
    log_every: int = 20
    evaluate_every: int = 200
    evaluate_batch: int = 16
    validate_every: int = 1000
    validate_clips: int = 0
    validate_steps: int = 0
    trackers: tuple[str, ...] = ("tensorboard",)
    precision: str = "fp32"
    frozen_precision: str = "fp32"
    export_dtype: str = "float16"
    gradient_checkpointing: bool = False
    compile: bool = False
    abort_after: int = 20
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        """
        Raises:
            InputError: a value is out of range; the message names its key.
        """
        values = flatten(asdict(self))
        # Ranges of single values.
        for key, choices in CHOICES.items():
            _check(values[key] in choices, key, f"one of {', '.join(choices)}", values[key])
        for key in AT_LEAST_ONE:
            _check(values[key] >= 1, key, "at least 1", values[key])
        for key in NOT_NEGATIVE:
            _check(values[key] >= 0, key, "0 or more", values[key])
        for key in ABOVE_ZERO:
            _check(values[key] > 0, key, "above 0", values[key])
        for key in PROBABILITIES:
            _check(0 <= values[key] <= 1, key, "within 0..1", values[key])
        # Exceptions, and values that depend on each other.
        _check(self.optim.ema < 1, "optim.ema", "below 1", self.optim.ema)
        _check(self.preset in PRESETS, "preset", f"one of {sorted(PRESETS)}", self.preset)
        _check(self.evaluate_batch != 1, "evaluate_batch", "0 or at least 2", self.evaluate_batch)
        _check(
            self.frozen_precision == "fp32" or self.precision == "bf16",
            "precision",
            "bf16 with frozen_precision bf16",
            self.precision,
        )
        _check(self.seed < 2**63, "seed", "below 2**63", self.seed)
        _check(
            not self.weights_only or self.resume not in ("latest", "none"),
            "resume",
            "the path of a state with weights_only",
            self.resume,
        )
        _check_mixture(self.data.mixture)
        for move in self.data.moves or ("",):
            _check(move in MOVES, "data.moves", f"some of {', '.join(MOVES)}", move)
        for name in self.trackers:
            _check(name in ("tensorboard", "wandb"), "trackers", "tensorboard or wandb", name)
        drops = sum(values[f"loss.drop_{name}"] for name in ("text", "reference", "music", "all"))
        _check(drops <= 1, "the sum of loss.drop_*", "at most 1", drops)

    def to_dict(self) -> dict[str, Any]:
        """Returns the config as nested dicts for JSON."""
        return asdict(self)


def _check(holds: bool, key: str, requirement: str, value: Any) -> None:
    if not holds:
        raise InputError(f"{key} must be {requirement}, not {value!r}.")


def _check_mixture(mixture: dict[str, Any]) -> None:
    known = all(name in KINDS for name in mixture)
    numbers = all(isinstance(share, (int, float)) and share >= 0 for share in mixture.values())
    possible = known and numbers and sum(mixture.values()) > 0
    _check(possible, "data.mixture", f"weights of {' and '.join(KINDS)}", mixture)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns nested dicts as one dict with dotted keys; an empty dict stays a value."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            found |= flatten(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found
