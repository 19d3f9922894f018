"""The two base configurations: `sd15` as in the paper, and `sticker`, small enough for a CPU."""

from __future__ import annotations

from .config import (
    ChoreographerConfig,
    ClipConfig,
    DynamicsConfig,
    MaskConfig,
    MuseDanceConfig,
    MusicConfig,
    RigConfig,
    ScheduleConfig,
    TextConfig,
    UNetConfig,
    VAEConfig,
)

SD15 = MuseDanceConfig(
    preset="sd15",
    clip=ClipConfig(),
    unet=UNetConfig(),
    dynamics=DynamicsConfig(),
    mask=MaskConfig(),
    vae=VAEConfig(),
    text=TextConfig(),
    music=MusicConfig(),
    schedule=ScheduleConfig(),
)

STICKER = MuseDanceConfig(
    preset="sticker",
    clip=ClipConfig(size=64),
    unet=UNetConfig(
        latent_channels=48,
        channels=(96, 128),
        attention=(True, True),
        layers=1,
        heads=4,
        text_width=128,
        ff_mult=2,
        norm_groups=16,
        spatial_positions=True,
        copy_reach=3,
        copy_body=True,
    ),
    dynamics=DynamicsConfig(
        token_width=128, heads=4, motion_attentions=1, motion_ff_mult=2, beat_phase=True
    ),
    mask=MaskConfig(),
    vae=VAEConfig(
        kind="patch",
        channels=(),
        latent_channels=48,
        scale=1.0,
        refiner_width=48,
        refiner_blocks=3,
    ),
    text=TextConfig(vocab_size=1024, width=128, layers=3, heads=4),
    music=MusicConfig(
        mel_bins=64,
        frequency_stride=16,
        time_stride=20,
        width=128,
        layers=3,
        heads=4,
        mean=-3.0,
        std=3.0,
    ),
    schedule=ScheduleConfig(shared_noise=0.9, guidance=1.0, sampling_steps=8),
    rig=RigConfig(),
    choreographer=ChoreographerConfig(),
)

PRESETS = {"sd15": SD15, "sticker": STICKER}


def preset(name: str) -> MuseDanceConfig:
    """The preset called `name`, "sd15" or "sticker".

    Raises:
        ValueError: there is none of that name.
    """
    if name not in PRESETS:
        raise ValueError(f"no preset is called {name!r}; there are {sorted(PRESETS)}")
    return PRESETS[name]
