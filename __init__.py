"""MuseDance as a ComfyUI pack: the nodes, and the editors in the browser."""

from .nodes import comfy_entrypoint

WEB_DIRECTORY = "./web"

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
