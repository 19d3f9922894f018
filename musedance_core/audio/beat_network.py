"""The beat tracker's network: activations of beats and downbeats from a log-mel.

A convolutional front end over frequency, then dilated convolutions over time, as in temporal
convolutional beat trackers (Davies and Böck, "Temporal convolutional networks for musical audio
beat tracking", 2019).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from einops import rearrange
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import InputError
from ..files import atomic_path
from .mel import WINDOW, log_mel, song_samples
from .waveform import Waveform

FRAMES_PER_SECOND = 50
"""Rate of the activations; the log-mel has twice as many frames."""
RARE = -2.5
"""Initial logit of beats, which few frames have."""
WEIGHTS = Path(__file__).with_name("weights") / "beats-2.safetensors"
"""The shipped weights."""


@dataclass(frozen=True)
class BeatNetworkConfig:
    """Sizes of the beat network.

    Attributes:
        mel_bins: bins of the log-mel.
        front: channels of the convolutions over frequency.
        width: channels of the convolutions over time.
        layers: dilated layers; the dilation doubles from one to the next.
        kernel: frames of a dilated convolution.
        dropout: dropout rate after every layer.
    """

    mel_bins: int = 64
    front: int = 24
    width: int = 64
    layers: int = 8
    kernel: int = 5
    dropout: float = 0.1


class BeatNetwork(nn.Module):
    """Log-mel `[b t mel]` at 100 frames a second -> logits `[b 2 t/2]` of beat and downbeat."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: BeatNetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or BeatNetworkConfig()
        self.register_buffer("mean", torch.tensor(-6.0))
        self.register_buffer("std", torch.tensor(4.0))
        self.front = FrontEnd(config)
        self.layers = nn.ModuleList(
            DilatedLayer(config.width, config.kernel, 2**i, config.dropout)
            for i in range(config.layers)
        )
        self.heads = nn.Conv1d(config.width, 2, 1)
        nn.init.constant_(cast(Tensor, self.heads.bias), RARE)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.front((mel - self.mean) / self.std)
        total = torch.zeros_like(x)
        for layer in self.layers:
            x, skip = layer(x)
            total = total + skip
        logits: Tensor = self.heads(F.elu(total))
        return logits


class FrontEnd(nn.Module):
    """Convolutions over time and frequency that pool the frequencies; halves the frame rate."""

    def __init__(self, config: BeatNetworkConfig) -> None:
        super().__init__()
        c = config.front
        self.first = nn.Conv2d(1, c, 3, stride=(2, 1), padding=1)
        self.second = nn.Conv2d(c, c, (3, 5), padding=(1, 2))
        self.third = nn.Conv2d(c, c, (3, 5), padding=(1, 2))
        self.out = nn.Conv1d(c * (config.mel_bins // 16), config.width, 1)

    def forward(self, mel: Tensor) -> Tensor:
        x = rearrange(mel, "b t f -> b 1 t f")
        x = F.max_pool2d(F.elu(self.first(x)), (1, 4))
        x = F.max_pool2d(F.elu(self.second(x)), (1, 2))
        x = F.max_pool2d(F.elu(self.third(x)), (1, 2))
        out: Tensor = self.out(rearrange(x, "b c t f -> b (c f) t"))
        return out


class DilatedLayer(nn.Module):
    """A residual layer with two dilations at once, the second twice the first."""

    def __init__(self, width: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        half = width // 2
        self.near = nn.Conv1d(
            width, half, kernel, padding=dilation * (kernel // 2), dilation=dilation
        )
        self.far = nn.Conv1d(
            width, half, kernel, padding=2 * dilation * (kernel // 2), dilation=2 * dilation
        )
        self.out = nn.Conv1d(width, width, 1)
        self.dropout = dropout

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the residual stream and this layer's skip output, both `[b c t]`."""
        y = F.elu(torch.cat([self.near(x), self.far(x)], dim=1))
        y = F.dropout1d(y, self.dropout, self.training)
        skip = self.out(y)
        return x + skip, skip


def beat_mel(wave: Waveform, mel_bins: int) -> Tensor:
    """Log-mel `[t mel]` at 100 frames a second; frame t is centred on t * 10 ms."""
    return log_mel(F.pad(song_samples(wave), (WINDOW // 2, WINDOW)), mel_bins)


def save_beat_network(path: str | Path, network: BeatNetwork, training: dict[str, Any]) -> None:
    """Write the weights in half precision, with configuration and `training`, atomically.

    Raises:
        InputError: the file cannot be written, or a weight is not finite.
    """
    metadata = {
        "beat_network": json.dumps(asdict(network.config)),
        "training": json.dumps(training),
    }
    tensors = {
        name: weight.detach().half().cpu().contiguous()
        for name, weight in network.state_dict().items()
    }
    bad = [name for name, weight in tensors.items() if not weight.isfinite().all()]
    if bad:
        raise InputError(f"{path} is not written: its weights {bad[0]} are not finite.")
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata)


def load_beat_network(path: str | Path = WEIGHTS) -> BeatNetwork:
    """The network in a file of `save_beat_network`, by default the shipped one, for inference.

    Raises:
        InputError: there is no such file, or it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There are no weights of a beat network at {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            stated = json.loads((file.metadata() or {})["beat_network"])
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        network = BeatNetwork(BeatNetworkConfig(**stated))
        network.load_state_dict(weights)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} holds no weights of a beat network.") from error
    return network.eval()
