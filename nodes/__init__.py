"""The pack's nodes. Nothing of the model is imported before a node runs."""

from __future__ import annotations

from comfy_api.v0_0_2 import ComfyExtension, io

from . import host
from .apply import ApplyDance
from .beats import BeatSyncScore, ExtractBeats
from .chain import ChainSegments
from .guidance import GuidancePerCondition, PromptTimeline
from .load import LoadMuseDance
from .music import EmbedMusic
from .pose import DancePose
from .pulse import PulseOfBeats
from .reference import EncodeReference
from .restore import RestorePicture
from .rig import RigPicture
from .sample import Sample


class MuseDanceExtension(ComfyExtension):
    """The pack's nodes, as the host loads them."""

    async def on_load(self) -> None:
        """Registers the checkpoints' folders, and copies the templates' inputs to the host's."""
        host.register_folders()
        host.copy_template_inputs()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """All nodes, in the order of a workflow."""
        return [
            LoadMuseDance,
            RigPicture,
            EncodeReference,
            EmbedMusic,
            ExtractBeats,
            PromptTimeline,
            GuidancePerCondition,
            Sample,
            ApplyDance,
            RestorePicture,
            ChainSegments,
            DancePose,
            PulseOfBeats,
            BeatSyncScore,
        ]


async def comfy_entrypoint() -> MuseDanceExtension:
    """The entry point that the host calls."""
    return MuseDanceExtension()
