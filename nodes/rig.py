"""The rig of a picture: found, taken from another node's keypoints, or edited by hand.

For the editor on the widget `edits`, a run returns

    {"images": [{"filename": ..., "subfolder": ..., "type": "temp"}], "rig": [RIG]}

in its ui output: the picture itself at its own size, without any drawing, and the rig in its pixels
as an object, which is the format of `edits` too:

    {"size": [width, height], "joints": {"right_wrist": [x, y] or null, ...},
     "confidence": {"right_wrist": 0..1, ...}}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfy_api.v0_0_2 import io
from PIL import Image
from torch import Tensor

from ..musedance_core.errors import InputError
from . import host
from .errors import readable_errors
from .images import as_image, as_picture, one_of, one_picture, subject_mask
from .types import CATEGORY, KEYPOINTS, MODEL, RIG, SHOWS_OUTPUT

if TYPE_CHECKING:
    from ..musedance_core.dance.rig import Rig
    from .host_models import HostModel

LARGEST = -1
"""The number of a person that stands for the largest one."""


class RigPicture(io.ComfyNode):
    """The joints of the dancer in a picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_Rig",
            display_name="Rig",
            category=CATEGORY,
            description="Finds the joints of the dancer in a picture, takes them from OpenPose or "
            "DWPose, or lets you edit them. A joint that is absent stays with the body.",
            search_aliases=["musedance rig", "joints", "skeleton", "openpose", "edit pose"],
            # The editor needs its data even where the rig comes from the host's cache.
            **SHOWS_OUTPUT,
            inputs=[
                MODEL.Input("model", tooltip="Output of Load MuseDance."),
                io.Image.Input("image", tooltip="The same picture as for Picture."),
                io.String.Input(
                    "edits",
                    default="",
                    multiline=True,
                    advanced=True,
                    tooltip='Joints by hand: {"size": [w, h], "joints": {"right_wrist": [x, y] or '
                    "null, ...}} in pixels of the picture. They replace all found joints; empty "
                    "leaves them.",
                ),
                io.Mask.Input(
                    "subject",
                    optional=True,
                    tooltip="White where the dancer is, of the picture's shape.",
                ),
                KEYPOINTS.Input(
                    "keypoints",
                    optional=True,
                    tooltip="Keypoints of the same picture from an OpenPose or DWPose node. They "
                    "replace the joints that the model finds.",
                ),
                io.Int.Input(
                    "person",
                    default=LARGEST,
                    min=LARGEST,
                    max=999,
                    optional=True,
                    advanced=True,
                    tooltip="Which person of the keypoints, from 0; -1 is the largest.",
                ),
            ],
            outputs=[
                RIG.Output(display_name="rig", tooltip="The joints, for Picture and Dance pose."),
                io.Image.Output(
                    display_name="drawn", tooltip="The picture with its joints and parts."
                ),
            ],
        )

    @classmethod
    @readable_errors
    def execute(
        cls,
        model: HostModel,
        image: Tensor,
        edits: str,
        subject: Tensor | None = None,
        keypoints: Any = None,
        person: int = LARGEST,
    ) -> io.NodeOutput:
        from ..musedance_core.media.images import require_picture
        from ..musedance_core.media.rig_plot import draw_rig_plot

        picture = require_picture(as_picture(one_picture(image, "Rig")), "The image")
        mask = subject_mask(one_of(subject, 0, 1, "subject masks"), picture)
        rig = chosen_rig(model, picture, mask, edits, keypoints, person)
        shown = {"images": host.save_preview(image), "rig": [rig.to_json()]}
        return io.NodeOutput(rig, as_image(draw_rig_plot(picture, rig)), ui=shown)


def chosen_rig(
    model: HostModel,
    picture: Image.Image,
    mask: Image.Image | None,
    edits: str,
    keypoints: Any,
    person: int,
) -> Rig:
    """The rig by hand, else that of the keypoints, else the one that the model finds.

    Raises:
        InputError: it cannot be read, belongs to another picture, or the model finds no rigs.
    """
    from ..musedance_core.dance.rig import parse_rig
    from ..musedance_core.media.staging import require_rig_of
    from ..musedance_core.models.rigging import find_rig

    if edits.strip():
        rig = parse_rig(edits, "The text in edits")
    elif keypoints is not None:
        rig = keypoints_rig(keypoints, picture.size, person)
    else:
        network = model.ready().rig
        if network is None:
            raise InputError(f"{model.name} has no rig network: connect keypoints or edit the rig.")
        return find_rig(network, picture, mask)
    require_rig_of(rig, picture)
    return rig.scaled(picture.size)


def keypoints_rig(
    keypoints: Any, size: tuple[int, int] | None = None, person: int = LARGEST
) -> Rig:
    """The rig of a person in the host's POSE_KEYPOINT, in the first frame that shows anybody, for a
    picture of `size`.

    Raises:
        InputError: there is no such person, or these are no keypoints.
    """
    from ..musedance_core.dance.openpose_json import openpose_frames

    frames = openpose_frames(keypoints, "The input keypoints", size)
    # Detectors lose people now and then, so the first frame may show nobody.
    frame = next((frame for frame in frames if len(frame.people)), None)
    if frame is None:
        raise InputError(
            "There is nobody in the keypoints: give those of a picture that shows a person."
        )
    if size is not None:
        frame = frame.in_picture(size)
    return frame.rig(None if person == LARGEST else person)
