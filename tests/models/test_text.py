"""Properties of the CLIP text encoder."""

from __future__ import annotations

import torch

from musedance_core.config import TextConfig
from musedance_core.models.text import TextEncoder
from musedance_core.presets import preset

SMALL = TextConfig(vocab_size=60, width=32, layers=2, heads=4)


def encoder() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(SMALL).eval().requires_grad_(False)


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
