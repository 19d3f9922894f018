"""Weights to start training from. Constructors never touch weights; this does."""

from __future__ import annotations

import torch
from torch import nn

from .body_warp import BodyWarp
from .layers import Attention, ConditionedTemporalBlock, ResBlock, seconds_embedding
from .mask import MaskEncoder
from .motion import MotionModule
from .reference import ReferenceNet
from .reference_copy import ReferenceCopy
from .transformer import SpatialTransformer
from .unet import MuseDanceUNet

SILU_GAIN = 1.68
"""By how much weights must be larger so that the mean square survives a SiLU."""


def _zero(module: nn.Module) -> None:
    for parameter in module.parameters(recurse=False):
        nn.init.zeros_(parameter)


@torch.no_grad()
def init_weights(model: nn.Module) -> None:
    """Start `model` afresh: every branch that adds to a stream begins at zero, the part map's tint
    of the reference apart.

    So a stage 2 of fresh modules equals stage 1 frame by frame at step 0.
    """
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.GroupNorm, nn.LayerNorm)):
            module.reset_parameters()
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
    for module in model.modules():
        if isinstance(module, ResBlock):
            _zero(module.conv2)
        elif isinstance(module, SpatialTransformer) and not module.read_only:
            _zero(module.proj_out)
        elif isinstance(module, MuseDanceUNet):
            _zero(module.conv_out)
        elif isinstance(module, MaskEncoder):
            _keep_spread(module)
        elif isinstance(module, ReferenceCopy):
            init_copy(module)
        elif isinstance(module, BodyWarp):
            _zero(module.out)
            _zero(module.turn)
            _zero(module.upright)
            nn.init.normal_(module.upright.weight[2:], std=0.1)  # a factor of what is zero
            for name, silent in module.named_modules():
                if name.startswith("music.") and name.endswith("to_out.0"):
                    _zero(silent)
    for module in model.modules():
        init_dynamics_outputs(module)


@torch.no_grad()
def init_copy(copy: ReferenceCopy) -> None:
    """At first up to half of what is found is shown everywhere, and nothing is drawn anew."""
    for silent in (copy.match_out, copy.conv_out, copy.share_out):
        _zero(silent)
    if hasattr(copy, "moved_in"):
        for silent in (copy.moved_in, copy.moved_out, copy.still_out):
            _zero(silent)


def _keep_spread(mask: MaskEncoder) -> None:
    """Let a part map tint the reference from the first step on, by a quarter of its spread.

    Torch's default loses two thirds of the spread at every layer; and a tint that starts at zero
    grows only as far as somebody listens to it, while nobody learns to listen to nothing.
    """
    for conv in (mask.conv_in, *mask.blocks, mask.conv_out):
        gain = 0.5 if conv is mask.conv_out else SILU_GAIN
        nn.init.normal_(conv.weight, std=gain / conv.weight[0].numel() ** 0.5)
        nn.init.zeros_(conv.bias)


def init_dynamics_outputs(module: nn.Module) -> None:
    """Silence one fresh music, beat or motion module."""
    if isinstance(module, ConditionedTemporalBlock):
        align_in_time(module.cross)
        for attention in (module.cross, module.temporal):
            for linear in attention.to_out:
                _zero(linear)
    elif isinstance(module, MotionModule):
        _zero(module.proj_out)
        if module.slot is not None:
            _zero(module.previous_proj)


@torch.no_grad()
def align_in_time(attention: Attention, gain: float = 0.5) -> None:
    """Let every frame begin by listening to the tokens of its own moment.

    Keys are random maps of a token, times included; queries are fitted so that the time of a frame
    maps to where the keys of that time are. Without this an attention has to discover time first.
    """
    width, context = attention.to_q.in_features, attention.to_k.in_features
    nn.init.normal_(attention.to_k.weight, std=gain / width**0.25)
    seconds = torch.arange(0.0, 5.0, 0.01)
    keys = attention.to_k(seconds_embedding(seconds, context))
    times = seconds_embedding(seconds, width)
    ridge = 1e-4 * len(seconds) * torch.eye(width)
    fitted = torch.linalg.solve(times.T @ times + ridge, times.T @ keys)
    attention.to_q.weight.copy_(fitted.T)


@torch.no_grad()
def copy_unet_to_reference(unet: MuseDanceUNet, reference: ReferenceNet) -> None:
    """ReferenceNet starts as the denoiser's copy (section 4.2)."""
    own = unet.state_dict()
    reference.load_state_dict({name: own[name] for name in reference.state_dict()})
