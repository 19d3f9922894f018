"""What a training run is, as frozen dataclasses that check themselves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import InputError
from ..presets import PRESETS
from ..world.cast import KINDS
from ..world.choreography import MOVES

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
SHARES = (
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
    """Where samples come from, and by how many processes (0: in the training one).

    `dataset` is the folder of a data set; without it clips are drawn from the dance world. `cache`
    keeps latents, text tokens and music tokens of a data set beside it instead of computing them in
    every step. Of the world: `songs` is the size of the bank of songs; `mixture` weighs "emoji"
    against "puppet"; `font` is the file of Noto Color Emoji, where it is not at a usual place;
    `moves` are those that are danced, by default all; `bystanders` is the share of samples in whose
    picture somebody else stands still, so that the part map tells who dances.
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
    """The optimizer; linear warm-up, then `schedule` "cosine" (to zero at max_steps) or "constant".

    Steps are those of the optimizer, however many processes there are. `scale_lr` multiplies `lr`
    by (the square root of) processes times accumulated batches. The 8-bit kinds need bitsandbytes
    and a GPU. `ema` is the average's decay; 0 keeps no average.
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
    """How the diffusion loss is drawn and weighted.

    Timesteps are `steps * u ** timestep_power`: 1 is uniform, below 1 favours high noise; a share
    `timestep_uniform` of samples is uniform all the same. `motion` weighs places that move by
    1 + motion * |difference of frames|. `previous_noise` is the largest noise on the previous
    frames. `min_snr_gamma` and `noise_offset` (0: off) are for schedules without zero terminal SNR.
    The drops are shares of samples that lose a condition.
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
    """One run of one stage.

    Attributes:
        output_dir: the run's folder.
        preset: which base the model is, where there is no `init`.
        model: overrides of the preset's or the `init` checkpoint's config.
        init: the checkpoint to start from; "" starts from fresh weights.
        fresh: patterns of parameters that start afresh in spite of `init`.
        note: kept in the provenance.
        trainable: patterns (as in file names) of the parameters that learn.
        resume: "latest", "none" or the path of a state.
        weights_only: of the state `resume` names take weights and average only; optimizer and
            warm-up start anew.
        batch: samples per process and micro-batch.
        accumulate: micro-batches per step.
        max_minutes: ends the run early; 0 never does.
        checkpoint_every, keep: steps between states, and how many of them stay.
        evaluate_every, evaluate_batch: steps between held-out losses, and their samples (0: none;
            at least two, since a wrong condition is that of another sample).
        validate_every, validate_clips, validate_steps: steps between validation clips, how many
            (0: none), and their denoising steps (0: the model's own).
        trackers: "tensorboard", "wandb".
        precision: "fp32" or "bf16": autocast on a GPU; what learns stays in single precision.
        frozen_precision: in which frozen weights are held while training on a GPU.
        export_dtype: of the weights in model.safetensors.
        gradient_checkpointing: trade time for memory.
        compile: torch.compile the denoiser and ReferenceNet.
        abort_after: steps in a row without a finite loss that end the run.
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
        values = flat(asdict(self))
        for key, choices in CHOICES.items():
            _check(values[key] in choices, key, f"one of {', '.join(choices)}", values[key])
        for key in AT_LEAST_ONE:
            _check(values[key] >= 1, key, "at least 1", values[key])
        for key in NOT_NEGATIVE:
            _check(values[key] >= 0, key, "0 or more", values[key])
        for key in ABOVE_ZERO:
            _check(values[key] > 0, key, "above 0", values[key])
        for key in SHARES:
            _check(0 <= values[key] <= 1, key, "within 0..1", values[key])
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
        """A JSON-ready nested dict."""
        return asdict(self)


def _check(holds: bool, key: str, wanted: str, value: Any) -> None:
    if not holds:
        raise InputError(f"{key} must be {wanted}, not {value!r}.")


def _check_mixture(mixture: dict[str, Any]) -> None:
    known = all(name in KINDS for name in mixture)
    numbers = all(isinstance(share, (int, float)) and share >= 0 for share in mixture.values())
    possible = known and numbers and sum(mixture.values()) > 0
    _check(possible, "data.mixture", f"weights of {' and '.join(KINDS)}", mixture)


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested dict with dotted keys; `model` and `mixture` count as nested too."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found
