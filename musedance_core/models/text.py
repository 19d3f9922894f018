"""The text encoder: CLIP's, from `transformers`."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from ..config import TextConfig


class TextEncoder(nn.Module):
    """CLIP's text transformer without pooling; frozen when the denoiser is trained."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        from transformers import CLIPTextConfig, CLIPTextModel

        self.config = config
        self.clip = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=config.vocab_size,
                hidden_size=config.width,
                intermediate_size=config.width * config.ff_mult,
                projection_dim=config.width,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                max_position_embeddings=config.max_tokens,
                bos_token_id=config.vocab_size - 2,
                eos_token_id=config.vocab_size - 1,
                pad_token_id=config.vocab_size - 1,
            )
        )
        self._restore_position_ids()

    def _restore_position_ids(self) -> None:
        """Make CLIP's position ids real even if the model is built on the meta device: they are
        constants that no checkpoint holds."""
        for module in self.clip.modules():
            if "position_ids" in dict(module.named_buffers(recurse=False)):
                ids = torch.arange(self.config.max_tokens, device="cpu")[None]
                module.register_buffer("position_ids", ids, persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids `[b 77]` -> text tokens `[b 77 d]`, the last hidden state."""
        return cast(Tensor, self.clip(input_ids=ids).last_hidden_state)
