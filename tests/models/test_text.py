"""Properties of the CLIP text encoder."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musedance_core.checkpoint.keymaps import PUBLISHED, rename
from musedance_core.config import TextConfig
from musedance_core.models.text import TextEncoder
from musedance_core.presets import preset

SMALL = TextConfig(vocab_size=60, width=32, layers=2, heads=4)
SD15 = replace(preset("sd15").text, vocab_size=1000, layers=2)


def encoder() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(SMALL).eval().requires_grad_(False)


@torch.no_grad()
@pytest.mark.parametrize("config", [SMALL, preset("sticker").text, SD15])
def test_it_equals_the_text_model_of_transformers(config: TextConfig) -> None:
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    end = config.vocab_size - 1
    theirs = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.width,
            intermediate_size=config.width * config.ff_mult,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            bos_token_id=end - 1,
            eos_token_id=end,
            pad_token_id=end,
        )
    ).eval()
    for weight in theirs.parameters():  # biases too, which start at zero
        weight.add_(0.02 * torch.randn(weight.shape))
    ours = TextEncoder(config).eval()
    state = {rename(f"text.clip.{name}", PUBLISHED): w for name, w in theirs.state_dict().items()}
    ours.load_state_dict({name.removeprefix("text."): w for name, w in state.items()})

    ids = torch.randint(0, end - 1, (3, 77))
    for row, words in zip(ids, (0, 5, 75), strict=True):
        row[0], row[words + 1 :] = end - 1, end
    expected = theirs(input_ids=ids).last_hidden_state
    assert (ours(ids) - expected).abs().max() < 1e-6 * expected.abs().max()


def test_attention_is_causal() -> None:
    ids = torch.randint(0, 58, (2, 77))
    changed = ids.clone()
    changed[:, 40:] = (changed[:, 40:] + 1) % 58
    text = encoder()
    before, after = text(ids), text(changed)
    assert before.shape == (2, 77, 32)
    assert torch.allclose(before[:, :40], after[:, :40], atol=1e-6)
    assert not torch.allclose(before[:, 40:], after[:, 40:], atol=1e-2)


def test_sentences_of_a_batch_do_not_mix() -> None:
    ids, text = torch.randint(0, 58, (3, 77)), encoder()
    assert torch.allclose(text(ids)[1:2], text(ids[1:2]), atol=1e-6)


def test_at_full_size_it_is_clip_l() -> None:
    """123,060,480 parameters, the published count of CLIP-L's text transformer."""
    with torch.device("meta"):
        text = TextEncoder(preset("sd15").text)
    assert sum(p.numel() for p in text.parameters()) == 123_060_480


def test_a_model_built_on_meta_and_loaded_gives_the_same() -> None:
    ids, text = torch.randint(0, 58, (1, 77)), encoder()
    with torch.device("meta"):
        empty = TextEncoder(SMALL)
    empty.load_state_dict(text.state_dict(), assign=True)
    assert torch.equal(empty.eval()(ids), text(ids))
