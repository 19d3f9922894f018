"""The Audio Spectrogram Transformer equals that of transformers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musedance_core.checkpoint.keymaps import PUBLISHED, rename
from musedance_core.config import MusicConfig
from musedance_core.models.spectrogram_transformer import SpectrogramTransformer
from musedance_core.presets import preset

STICKER, SD15 = preset("sticker").music, preset("sd15").music
SMALL = replace(SD15, mel_bins=40, length=100, frequency_stride=8, width=24, layers=2, heads=4)


@torch.no_grad()
@pytest.mark.parametrize("config", [SMALL, STICKER, replace(SD15, layers=1, length=200)])
def test_it_equals_the_model_of_transformers(config: MusicConfig) -> None:
    from transformers import ASTConfig, ASTModel

    torch.manual_seed(0)
    theirs = ASTModel(
        ASTConfig(
            hidden_size=config.width,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=config.width * config.ff_mult,
            patch_size=config.patch,
            frequency_stride=config.frequency_stride,
            time_stride=config.time_stride,
            max_length=config.length,
            num_mel_bins=config.mel_bins,
        )
    ).eval()
    for weight in theirs.parameters():  # positions too, which start at zero
        weight.add_(0.02 * torch.randn(weight.shape))
    ours = SpectrogramTransformer(config).eval()
    state = {rename(f"music.ast.{name}", PUBLISHED): w for name, w in theirs.state_dict().items()}
    ours.load_state_dict({name.removeprefix("music.ast."): w for name, w in state.items()})

    mel = torch.randn(2, config.length, config.mel_bins)
    expected = theirs(input_values=mel).last_hidden_state
    assert expected.shape == (2, 2 + config.rows * config.columns, config.width)
    assert (ours(mel) - expected).abs().max() < 1e-6 * expected.abs().max()
