"""The pack's nodes. Nothing of the model is imported before a node runs."""

from __future__ import annotations

from comfy_api.v0_0_2 import ComfyExtension, io

from . import host
from .beats import BeatSyncScore, ExtractBeats
from .chain import ChainSegments
from .guidance import GuidanceWeights, PromptTimeline
from .load import LoadMuseDance
from .music import EmbedMusic
from .reference import EncodeReference
from .restore import RestorePicture
from .sample import Sample


class MuseDanceExtension(ComfyExtension):
    """What the host asks for the pack's nodes."""

    async def on_load(self) -> None:
        """Make the checkpoints' folders known, and lay out what the templates begin with."""
        host.register_folders()
        host.offer_inputs()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """All nodes, in the order of a workflow."""
        return [
            LoadMuseDance,
            EncodeReference,
            EmbedMusic,
            ExtractBeats,
            PromptTimeline,
            GuidanceWeights,
            Sample,
            RestorePicture,
            ChainSegments,
            BeatSyncScore,
        ]


async def comfy_entrypoint() -> MuseDanceExtension:
    """The host's way in."""
    return MuseDanceExtension()
