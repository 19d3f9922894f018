"""MuseDance as a ComfyUI pack: the nodes, and the script of the beat timeline."""

from .nodes import comfy_entrypoint

__all__ = ["comfy_entrypoint"]
