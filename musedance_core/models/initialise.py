"""Weight initialisation. Constructors never touch weights; `init_weights` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from .choreographer import Choreographer, ChoreographerLayer
from .layers import Attention, ConditionedTemporalBlock, ResBlock, seconds_embedding
from .mask import MaskEncoder
from .motion import MotionModule
from .reference import ReferenceNet
from .reference_copy import ReferenceCopy
from .transformer import SpatialTransformer
from .unet import MuseDanceUNet

SILU_GAIN = 1.68
"""Factor on weights that compensates the loss of mean square in a SiLU."""


class _SkipInit(TorchFunctionMode):
    """Turns the functions of `torch.nn.init` into no-operations."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


@contextmanager
def without_weights() -> Iterator[None]:
    """While the body runs, networks are built on the meta device, with names and shapes alone.

    Their default initialisation is skipped: on the meta device it would import torch's compiler,
    which takes a second.
    """
    with torch.device("meta"), _SkipInit():
        yield


def _zero(module: nn.Module) -> None:
    for parameter in module.parameters(recurse=False):
        nn.init.zeros_(parameter)


@torch.no_grad()
def init_weights(model: nn.Module) -> None:
    """Initialise all weights of `model`, with the output of every residual branch at zero.

    A stage-2 model with fresh modules therefore equals its stage-1 model frame by frame. Only the
    mask encoder contributes from the first step on.
    """
    # PyTorch's own initialisation first ...
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.GroupNorm, nn.LayerNorm)):
            module.reset_parameters()
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
    # ... then the outputs, network by network.
    for module in model.modules():
        if isinstance(module, ResBlock):
            _zero(module.conv2)
        elif isinstance(module, SpatialTransformer) and not module.features_only:
            _zero(module.proj_out)
        elif isinstance(module, MuseDanceUNet):
            _zero(module.conv_out)
        elif isinstance(module, MaskEncoder):
            _init_mask(module)
        elif isinstance(module, ReferenceCopy):
            init_copy(module)
        elif isinstance(module, Choreographer):
            _init_choreographer(module)
    for module in model.modules():
        init_dynamics_outputs(module)


@torch.no_grad()
def init_copy(copy: ReferenceCopy) -> None:
    """Start `copy` at shares of one half, less at little noise, and without corrections of v."""
    for output in (copy.match_out, copy.conv_out, copy.share_out):
        _zero(output)
    if hasattr(copy, "moved_in"):
        for output in (copy.moved_in, copy.moved_out, copy.still_out):
            _zero(output)


def _init_choreographer(choreographer: Choreographer) -> None:
    """Start at v = 0, with layers that are not modulated yet."""
    _zero(choreographer.pose_out)
    for layer in choreographer.modules():
        if isinstance(layer, ChoreographerLayer):
            _zero(layer.modulation)


def _init_mask(mask: MaskEncoder) -> None:
    """Let a part map change the reference from the first step on, by a quarter of its variance.

    PyTorch's default initialisation loses two thirds of the standard deviation at every layer. A
    zero-initialised output would grow only as the denoiser uses it, and the denoiser does
    not learn to use an input that is zero.
    """
    for conv in (mask.conv_in, *mask.blocks, mask.conv_out):
        gain = 0.5 if conv is mask.conv_out else SILU_GAIN
        nn.init.normal_(conv.weight, std=gain / conv.weight[0].numel() ** 0.5)
        nn.init.zeros_(conv.bias)


def init_dynamics_outputs(module: nn.Module) -> None:
    """Zero the outputs of one music, beat or motion module, and align its attention in time."""
    if isinstance(module, ConditionedTemporalBlock):
        align_in_time(module.cross)
        for attention in (module.cross, module.temporal):
            for linear in attention.to_out:
                _zero(linear)
    elif isinstance(module, MotionModule):
        _zero(module.proj_out)
        if module.attention_index is not None:
            _zero(module.previous_proj)


@torch.no_grad()
def align_in_time(attention: Attention, gain: float = 0.5) -> None:
    """Initialise cross-attention so that each frame attends to the tokens of its own time.

    Keys are random projections of tokens, which include time embeddings. Queries are fitted by
    ridge regression to map a frame's time to the keys of that time. Without this, attention has
    to discover time first.
    """
    width, context = attention.to_q.in_features, attention.to_k.in_features
    nn.init.normal_(attention.to_k.weight, std=gain / width**0.25)
    seconds = torch.arange(0.0, 5.0, 0.01)
    keys = attention.to_k(seconds_embedding(seconds, context))
    times = seconds_embedding(seconds, width)
    ridge = 1e-4 * len(seconds) * torch.eye(width)
    solution = torch.linalg.solve(times.T @ times + ridge, times.T @ keys)
    attention.to_q.weight.copy_(solution.T)


@torch.no_grad()
def copy_unet_to_reference(unet: MuseDanceUNet, reference: ReferenceNet) -> None:
    """Initialise ReferenceNet with the denoiser's weights (section 4.2)."""
    own = unet.state_dict()
    reference.load_state_dict({name: own[name] for name in reference.state_dict()})
