"""One segment of a dance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from comfy_api.v0_0_2 import io

from . import host
from .types import CATEGORY, Beats, Guidance, Model, Music, Reference, Tail

SAMPLERS = ("ddim", "euler", "dpmpp_2m")


def dance_inputs() -> list[Any]:
    """Who dances, to what, and when to move."""
    return [
        Model.Input("model", tooltip="What Load MuseDance gives."),
        Reference.Input("reference", tooltip="The picture, from Encode reference."),
        Music.Input("music", tooltip="The song, from Embed music."),
        Beats.Input("beats", tooltip="When to move, from Extract beats."),
    ]


def denoising_inputs() -> list[Any]:
    """What every node that denoises asks for: how, and from where in the song on."""
    return [
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=2**32 - 1,
            control_after_generate=True,
            tooltip="Another seed draws it anew; how it dances follows from sentence and song.",
        ),
        io.Int.Input(
            "steps", default=0, min=0, max=1000, tooltip="Denoising steps; 0 takes the model's own."
        ),
        io.Combo.Input(
            "sampler",
            options=list(SAMPLERS),
            default="ddim",
            tooltip="dpmpp_2m makes most of few steps.",
        ),
        io.Float.Input(
            "guidance",
            default=0.0,
            min=0.0,
            max=20.0,
            step=0.1,
            tooltip="How strictly to follow all conditions; 0 takes the model's own.",
        ),
        io.Float.Input(
            "start",
            default=0.0,
            min=0.0,
            max=36000.0,
            step=0.01,
            tooltip="Where in the song the video starts, in seconds.",
        ),
    ]


class Sample(io.ComfyNode):
    """One segment, continuing another where its tail is given."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_Sample",
            display_name="Sample a segment",
            category=CATEGORY,
            description="One segment of the dance as latents, one a frame. The tail continues it "
            "in another of these; Chain segments does that for a whole song.",
            search_aliases=["musedance sampler", "ksampler", "animate", "dance"],
            inputs=[
                *dance_inputs(),
                io.Conditioning.Input("positive", tooltip="How to dance."),
                *denoising_inputs(),
                io.Int.Input(
                    "frames",
                    default=48,
                    min=1,
                    max=48,
                    tooltip="How many of the segment's frames to keep.",
                ),
                io.Conditioning.Input(
                    "negative", optional=True, tooltip="What guidance leads away from."
                ),
                Guidance.Input("weights", optional=True, tooltip="From Guidance per condition."),
                Tail.Input(
                    "tail", optional=True, tooltip="The segment before; start then is its start."
                ),
            ],
            outputs=[io.Latent.Output(display_name="latent"), Tail.Output(display_name="tail")],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        reference: dict[str, Any],
        music: dict[str, Any],
        beats: Any,
        positive: list[Any],
        seed: int,
        steps: int,
        sampler: str,
        guidance: float,
        start: float,
        frames: int,
        negative: list[Any] | None = None,
        weights: dict[str, Any] | None = None,
        tail: dict[str, Any] | None = None,
    ) -> io.NodeOutput:
        settings = settings_of(model, steps, sampler, guidance, weights)
        if tail is not None:
            start = tail["start"]
        job = Job(model, reference, music, beats, negative, seed, start, settings)
        before = tail or job.beginning()
        progress = host.Progress(model, settings.steps)
        made = job.segment(before, positive, progress)
        made = {name: tensor[:frames] for name, tensor in made.items()}
        scaled = made["latents"] / model.config.vae.scale
        return io.NodeOutput({"samples": scaled}, job.after(before, made))


def settings_of(
    model: Any, steps: int, sampler: str, guidance: float, weights: dict[str, Any] | None
) -> Any:
    """How to denoise, with the model's own where nothing is asked for."""
    from ..musedance_core.diffusion.guidance import Guidance as CoreGuidance
    from ..musedance_core.diffusion.segment import SamplingSettings

    own = model.config.schedule
    asked = CoreGuidance.of(own, guidance or None, (weights or {}).get("weights"))
    if weights:
        asked = replace(asked, rescale=weights["rescale"])
    return SamplingSettings(steps or own.sampling_steps, asked, sampler)


def latent_shape(config: Any) -> tuple[int, int, int]:
    """Channels, height and width of the latents of a model."""
    side = config.clip.size // config.vae.reduction
    return config.vae.latent_channels, side, side


def require_fitting(name: str, found: Sequence[int], wanted: Sequence[int]) -> None:
    """Refuse what was made for another model.

    Raises:
        InputError: its shape is not this model's.
    """
    from ..musedance_core.errors import InputError

    if tuple(found) != tuple(wanted):
        here, there = (" x ".join(map(str, shape)) for shape in (wanted, found))
        raise InputError(
            f"The {name} comes from another model or autoencoder: it has {there}, this model takes "
            f"{here}."
        )


class Job:
    """What all segments of a dance share."""

    def __init__(
        self,
        model: Any,
        reference: dict[str, Any],
        music: dict[str, Any],
        beats: Any,
        negative: list[Any] | None,
        seed: int,
        start: float,
        settings: Any,
    ) -> None:
        from ..musedance_core.errors import InputError

        require_fitting("reference", reference["latent"].shape[1:], latent_shape(model.config))
        require_fitting("music", music["mel"].shape[1:], (model.config.music.mel_bins,))
        if start >= music["seconds"]:
            raise InputError(
                f"The song is {music['seconds']:.2f} s long, so a start at {start:g} s is past its "
                f"end."
            )
        self.model, self.reference, self.music, self.beats = model, reference, music, beats
        self.negative, self.seed, self.start, self.settings = negative, seed, start, settings

    def beginning(self) -> dict[str, Any]:
        """The tail of nothing: the picture, so many times."""
        latent = self.reference["latent"]
        previous = latent.expand(self.model.config.clip.previous, -1, -1, -1)
        return {"latents": previous, "frame": 0, "index": 0, "start": self.start, "warp": None}

    def after(self, before: dict[str, Any], made: dict[str, torch.Tensor]) -> dict[str, Any]:
        """The tail behind what `segment` made after `before`."""
        latents = made["latents"]
        whole = torch.cat([before["latents"].to(latents), latents])
        last = whole[len(whole) - self.model.config.clip.previous :]
        frame = before["frame"] + len(latents)
        return {
            "latents": last,
            "frame": frame,
            "index": before["index"] + 1,
            "start": before["start"],
            "warp": made.get("warp"),
        }

    def segment(
        self, before: dict[str, Any], positive: list[Any], progress: Any
    ) -> dict[str, torch.Tensor]:
        """What follows `before`: clean `latents [f c h w]`, and the `warp [f 2 6]` if planned."""
        from ..musedance_core.diffusion.segment import (
            SegmentInput,
            SongFeatures,
            denoise_segment,
            initial_noise,
        )

        previous = (self.model.config.clip.previous, *latent_shape(self.model.config))
        require_fitting("tail", before["latents"].shape, previous)
        network = self.model.ready()
        device, dtype = self.model.managed.device, self.model.dtype

        def words(conditioning: list[Any]) -> torch.Tensor:
            said = conditioning[0][0]
            require_fitting("conditioning", said.shape[2:], (self.model.config.text.width,))
            return said.to(device, dtype)

        latent = self.reference["latent"].to(device, dtype)
        parts = self.reference["part_map"]
        given = SegmentInput(
            reference=latent,
            previous=before["latents"].to(device, dtype),
            text=words(positive),
            song=SongFeatures(self.music["mel"], self.beats),
            start=before["start"],
            first=before["frame"],
            part_map=None if parts is None else parts.to(device),
            negative=None if self.negative is None else words(self.negative),
        )
        noise = initial_noise(network, latent, self.seed, before["index"])
        try:
            made = denoise_segment(network, given, noise, self.settings, progress)
        except RuntimeError as error:
            clip = self.model.config.clip
            host.require_memory(error, f"{clip.frames} frames of {clip.size} x {clip.size} pixels")
            raise
        tensors = {"latents": made.latents, "warp": made.warp}
        return {name: x.float().cpu() for name, x in tensors.items() if x is not None}
