"""Captions of the motion in a clip, from a vision model that sees its frames (section 4.1).

The paper shows every tenth frame of a clip to a vision model, which describes the motion and leaves
out how the dancer and the place look. Any server with OpenAI's chat completions API will do.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange
from PIL import Image
from tqdm import tqdm

from ...dataset.format import ClipRecord
from ...errors import InputError
from ...files import atomic_path
from ...media.images import to_uint8
from ...media.video import read_video
from ..rejections import UnusedInput
from ..sources import SourceVideo
from .endpoint import Endpoint

Captioner = Callable[[str, Sequence[np.ndarray]], str]
"""From the key of a clip and some of its frames, each uint8 `[h w 3]`, to its caption."""
KEY_VARIABLE = "MUSEDANCE_CAPTION_KEY"
FRAME_STEP = 10
"""A captioner sees every tenth frame of a clip (section 4.1)."""
SIDE, JPEG_QUALITY = 512, 85
"""Longest side in pixels, and quality, of the pictures that are sent."""
MAX_CHARACTERS = 600
"""A longer answer is not a caption of one or two sentences."""
PROMPT = """\
These pictures are moments of one short dance video, in the order in which they happen. Describe \
the dancing in one or two plain English sentences of at most 45 words.
Tell only movements: which parts of the body move, to which side, upwards or downwards, how large \
the movement is, and what follows what. Left and right are those of the viewer.
Do not mention how the dancer looks, what it wears, who or what it is, colours, the place, the \
background, the camera, the music, the speed, or that these are pictures. Call it "the dancer", \
whatever it is.
Answer with the description alone."""

_REASONING = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
_MARKDOWN = re.compile(r"```\w*|^\s*(?:#+|[-*>•]|\d+[.)])\s+|\*+|__", re.MULTILINE)
_LABEL = re.compile(r"^(?:motion |dance )?(?:caption|description)\s*:\s*", re.IGNORECASE)
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“", "`": "`"}  # noqa: RUF001
_REFUSAL = re.compile(
    r"(?:i['’]m|i am|we['’]re)\s+(?:\w+\s+)?(?:sorry|unable|not able|afraid)"  # noqa: RUF001
    r"|i\s+(?:can['’]?t|cannot|can not|won['’]t|do not|don['’]t|apologi[sz]e)\b"  # noqa: RUF001
    r"|(?:sorry|apologies|unfortunately|as an ai|my apologies)\b",
    re.IGNORECASE,
)


class CaptionError(InputError):
    """The model gave no usable caption of one clip; other clips are not affected."""


@dataclass(frozen=True)
class ClipCaptioner:
    """Captions of a data set's clips, each from a captioner that sees some of its frames."""

    captioner: Captioner
    dataset: Path

    def captions(self, clips: Sequence[ClipRecord]) -> Iterator[str]:
        """The caption of each clip, one after the other; "" and a line on standard error where
        the captioner gives none.

        Raises:
            InputError: the captioner cannot be used, or a clip cannot be read.
        """
        for clip in tqdm(clips, desc="captions", unit="clip"):
            try:
                yield self.captioner(clip.key, caption_frames(self.dataset, clip))
            except CaptionError as error:
                tqdm.write(f"no caption: {error}", file=sys.stderr)
                yield ""

    def unused(
        self, clips: Sequence[ClipRecord], sources: Sequence[SourceVideo]
    ) -> list[UnusedInput]:
        """Nothing: captions are asked for clip by clip."""
        return []


def caption_frames(dataset: Path, clip: ClipRecord) -> list[np.ndarray]:
    """The frames of a clip, each uint8 `[h w 3]`, that a captioner sees."""
    frames, _ = read_video(dataset / clip.file_name)
    pixels = rearrange(to_uint8(frames[::FRAME_STEP]), "f c h w -> f h w c")
    return [frame.contiguous().numpy() for frame in pixels]


class EndpointCaptioner:
    """Motion captions from a vision model behind an OpenAI-compatible endpoint.

    Every usable answer is stored in the folder `cache`, under a hash of the frames, the model and
    the prompt. A later run requests only captions of new frames, and those that were refused.
    """

    def __init__(
        self,
        url: str,
        model: str,
        cache: Path,
        api_key: str | None = None,
        timeout: float = 60.0,
        attempts: int = 6,
        pause: float = 1.0,
    ) -> None:
        """Prepare requests to `url`, which ends before `/chat/completions`.

        Args:
            model: name of the model at the endpoint.
            cache: folder of the stored captions.
            api_key: by default the value of the environment variable MUSEDANCE_CAPTION_KEY; a local
                server needs none. It is never written or printed.
            timeout, attempts, pause: see `Endpoint`.

        Raises:
            InputError: the address or the key cannot be used, or the model has no name.
        """
        if not model.strip():
            raise InputError("The caption model needs a name.")
        key = api_key or os.environ.get(KEY_VARIABLE) or None
        self.endpoint = Endpoint(url, key, timeout, attempts, pause)
        self.model, self.cache = model, Path(cache)

    def __call__(self, key: str, frames: Sequence[np.ndarray]) -> str:
        """The caption of the clip `key`.

        Args:
            frames: frames of the clip in order, each uint8 `[h w 3]`. The paper's choice is every
                tenth frame.

        Raises:
            CaptionError: the model refuses, or its answer is not a sentence.
            ValueError: there is no frame, or one has another shape or type.
            InputError: the server cannot be used; see `Endpoint.ask`.
        """
        known = self.cached(key, frames)
        if known is not None:
            return known
        answer = self.endpoint.ask(self._body(frames), key)
        text = clean_answer(_answer_text(answer, key, self.endpoint.address), key)
        self.cache.mkdir(parents=True, exist_ok=True)
        with atomic_path(self._path(frames)) as temporary:
            content = {"clip": key, "model": self.model, "text": text}
            temporary.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        return text

    def cached(self, key: str, frames: Sequence[np.ndarray]) -> str | None:
        """The stored caption of the clip `key`; None if there is none yet.

        Raises:
            InputError: the stored file is damaged.
        """
        path = self._path(frames)
        if not path.is_file():
            return None
        try:
            return str(json.loads(path.read_text(encoding="utf-8"))["text"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}, the caption of {key}, is damaged; delete it.") from error

    def _path(self, frames: Sequence[np.ndarray]) -> Path:
        """The file of the stored caption, named by a hash of everything that the model sees."""
        if not frames or any(f.dtype != np.uint8 or f.shape[2:] != (3,) for f in frames):
            raise ValueError("frames must be uint8 [h w 3], at least one")
        digest = hashlib.sha256(json.dumps([self.model, PROMPT, SIDE, JPEG_QUALITY]).encode())
        for frame in frames:
            digest.update(f"{frame.shape}".encode())
            digest.update(np.ascontiguousarray(frame).tobytes())
        return self.cache / f"{digest.hexdigest()}.json"

    def _body(self, frames: Sequence[np.ndarray]) -> dict[str, Any]:
        """The request. Sampling options stay out: some models refuse any but their own."""
        pictures = [{"type": "image_url", "image_url": {"url": _data_url(f)}} for f in frames]
        content = [{"type": "text", "text": PROMPT}, *pictures]
        return {"model": self.model, "messages": [{"role": "user", "content": content}]}


def requests_needed(
    captioner: EndpointCaptioner, clips: Iterable[tuple[str, Sequence[np.ndarray]]]
) -> int:
    """The number of requests for the captions of `clips`, pairs of a key and frames.

    No request is made. Retries are not counted, and clips with the same frames count once.
    """
    return len({captioner._path(f) for key, f in clips if captioner.cached(key, f) is None})


def _data_url(frame: np.ndarray) -> str:
    """A frame as a JPEG of at most `SIDE` pixels a side."""
    picture = Image.fromarray(frame)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    picture.save(buffer, format="JPEG", quality=JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _answer_text(answer: dict[str, Any], clip: str, address: str) -> str:
    """The text of a chat completion about the clip of that name."""
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        content, refusal = message.get("content"), message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise InputError(f"{address} answers, but not as chat completions do ({clip}).") from error
    reason = choice.get("finish_reason")
    if refusal or reason == "content_filter":
        raise CaptionError(f"The model refuses to caption {clip}: {refusal or reason}.")
    if reason == "length":
        raise CaptionError(f"The model's caption of {clip} was cut off: {content!r}.")
    return content if isinstance(content, str) else ""


def clean_answer(answer: str, clip: str) -> str:
    """A model's answer as one line of plain text, without markdown, label and quotes.

    Raises:
        CaptionError: nothing is left, it is a refusal, it cannot be written as Unicode, or it is
            far longer than two sentences.
    """
    text = " ".join(_MARKDOWN.sub("", _REASONING.sub("", answer)).split())
    text = _without_quotes(_LABEL.sub("", _without_quotes(text)))
    if not re.search(r"[^\W\d_]", text) or not _is_unicode(text):
        raise CaptionError(f"The model gave no caption of {clip}: {answer[:80]!r}.")
    if _REFUSAL.match(text):
        raise CaptionError(f"The model refuses to caption {clip}: {text[:80]!r}.")
    if len(text) > MAX_CHARACTERS:
        raise CaptionError(f"The model's caption of {clip} has {len(text)} characters.")
    return text


def _without_quotes(text: str) -> str:
    """The text without quotes around all of it."""
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def _is_unicode(text: str) -> bool:
    """True if the text can be written as UTF-8; JSON may hold lone surrogates."""
    return not re.search(r"[\ud800-\udfff]", text)
