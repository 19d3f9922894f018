"""The pack's own edges; everything else is the host's."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

Model = io.Custom("MUSEDANCE_MODEL")
Reference = io.Custom("MUSEDANCE_REFERENCE")
Music = io.Custom("MUSEDANCE_MUSIC")
Beats = io.Custom("MUSEDANCE_BEATS")
Prompts = io.Custom("MUSEDANCE_PROMPTS")
Guidance = io.Custom("MUSEDANCE_GUIDANCE")
Tail = io.Custom("MUSEDANCE_TAIL")

CATEGORY = "MuseDance"
