"""Sentences that say how a clip moves: from a file, or from a model that looks at it (section 4.1).

The paper shows every tenth frame of a clip to a vision model, which is to tell the motion and
nothing of how the dancer and the place look. Any server that speaks OpenAI's chat completions does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...errors import InputError
from ...files import atomic_path
from .endpoint import Endpoint

Captioner = Callable[[str, Sequence[np.ndarray]], str]
"""From a clip's name and the frames to show, each uint8 `[h w 3]`, to its sentence."""
KEY_VARIABLE = "MUSEDANCE_CAPTION_KEY"
SIDE, JPEG_QUALITY = 512, 85
LONGEST = 600
"""Characters; more is no caption of one or two sentences."""
PROMPT = """\
These pictures are moments of one short dance video, in the order in which they happen. Describe \
the dancing in one or two plain English sentences of at most 45 words.
Tell only movements: which parts of the body move, to which side, upwards or downwards, how large \
the movement is, and what follows what. Left and right are those of the viewer.
Do not mention how the dancer looks, what it wears, who or what it is, colours, the place, the \
background, the camera, the music, the speed, or that these are pictures. Call it "the dancer", \
whatever it is.
Answer with the description alone."""

_THOUGHTS = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)
_MARKS = re.compile(r"```\w*|^\s*(?:#+|[-*>•]|\d+[.)])\s+|\*+|__", re.MULTILINE)
_LABEL = re.compile(r"^(?:motion |dance )?(?:caption|description)\s*:\s*", re.IGNORECASE)
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“", "`": "`"}  # noqa: RUF001
_REFUSAL = re.compile(
    r"(?:i['’]m|i am|we['’]re)\s+(?:\w+\s+)?(?:sorry|unable|not able|afraid)"  # noqa: RUF001
    r"|i\s+(?:can['’]?t|cannot|can not|won['’]t|do not|don['’]t|apologi[sz]e)\b"  # noqa: RUF001
    r"|(?:sorry|apologies|unfortunately|as an ai|my apologies)\b",
    re.IGNORECASE,
)


class CaptionError(InputError):
    """A clip for which the model gave no usable sentence; others are not affected."""


def read_captions(path: str | Path) -> dict[str, str]:
    """Sentences by the name of a clip or of a source video.

    Each line is a JSON object with "file_name" and "text"; other keys and empty lines are allowed.

    Raises:
        InputError: no such file, a line is something else, or a name comes twice.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no file of captions at {path}.")
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text.") from error
    captions: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        name, text = _caption(line, where)
        if name in captions:
            raise InputError(f"{where}: {name} has a caption already.")
        captions[name] = text
    return captions


def _caption(line: str, where: str) -> tuple[str, str]:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise InputError(f"{where} must be an object with file_name and text.")
    name, text = values.get("file_name"), values.get("text")
    for key, value in (("file_name", name), ("text", text)):
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{where}: {key} must be a text that is not empty, got {value!r}.")
    return str(name), " ".join(str(text).split())


class EndpointCaptioner:
    """Motion captions from a vision model behind an OpenAI-compatible endpoint.

    Every good answer is kept in `cache`, under a hash of what was asked: the frames shown, the
    model and the prompt. So a later run asks for what is new, and for what was refused.
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
        """`url` ends before `/chat/completions`; see `Endpoint` for timeout, attempts and pause.

        api_key: by default that of the environment variable MUSEDANCE_CAPTION_KEY; servers on one's
            own machine need none. It is never written or printed.

        Raises:
            InputError: the address or the key cannot be used, or the model has no name.
        """
        if not model.strip():
            raise InputError("The caption model needs a name.")
        key = api_key or os.environ.get(KEY_VARIABLE) or None
        self.endpoint = Endpoint(url, key, timeout, attempts, pause)
        self.model, self.cache = model, Path(cache)

    def __call__(self, key: str, frames: Sequence[np.ndarray]) -> str:
        """The sentence for the clip called `key`.

        Args:
            frames: what to show, each uint8 `[h w 3]`, in order: the paper's choice is every tenth
                frame of the clip.

        Raises:
            CaptionError: the model refuses, says nothing, or gives no sentence.
            ValueError: there is no frame, or one is no uint8 picture.
            InputError: the server cannot be used; see `Endpoint.ask`.
        """
        known = self.cached(key, frames)
        if known is not None:
            return known
        answer = self.endpoint.ask(self._body(frames), key)
        text = clean_answer(_content(answer, key, self.endpoint.address), key)
        self.cache.mkdir(parents=True, exist_ok=True)
        with atomic_path(self._path(frames)) as temporary:
            told = {"clip": key, "model": self.model, "text": text}
            temporary.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        return text

    def cached(self, key: str, frames: Sequence[np.ndarray]) -> str | None:
        """The sentence if an earlier call has got it, without asking.

        Raises:
            InputError: the cache's file for the clip called `key` is damaged.
        """
        path = self._path(frames)
        if not path.is_file():
            return None
        try:
            return str(json.loads(path.read_text(encoding="utf-8"))["text"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}, the caption of {key}, is damaged; delete it.") from error

    def _path(self, frames: Sequence[np.ndarray]) -> Path:
        if not frames or any(f.dtype != np.uint8 or f.shape[2:] != (3,) for f in frames):
            raise ValueError("frames must be uint8 [h w 3], one at least")
        digest = hashlib.sha256(json.dumps([self.model, PROMPT, SIDE, JPEG_QUALITY]).encode())
        for frame in frames:
            digest.update(f"{frame.shape}".encode())
            digest.update(np.ascontiguousarray(frame).tobytes())
        return self.cache / f"{digest.hexdigest()}.json"

    def _body(self, frames: Sequence[np.ndarray]) -> dict[str, Any]:
        """No sampling options: some models refuse any that are not their own."""
        pictures = [{"type": "image_url", "image_url": {"url": _data_url(f)}} for f in frames]
        content = [{"type": "text", "text": PROMPT}, *pictures]
        return {"model": self.model, "messages": [{"role": "user", "content": content}]}


def requests_needed(
    captioner: EndpointCaptioner, clips: Iterable[tuple[str, Sequence[np.ndarray]]]
) -> int:
    """How many requests captions of `clips`, pairs of a key and frames, would need; none is made.

    Retries are not counted, and clips that show the same frames count once.
    """
    return len({captioner._path(f) for key, f in clips if captioner.cached(key, f) is None})


def _data_url(frame: np.ndarray) -> str:
    """A frame as a JPEG of at most `SIDE` pixels a side."""
    picture = Image.fromarray(frame)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    picture.save(buffer, format="JPEG", quality=JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _content(answer: dict[str, Any], clip: str, address: str) -> str:
    """The text of a chat completion."""
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
        CaptionError: nothing is left, it is a refusal, or far more than two sentences.
    """
    text = " ".join(_MARKS.sub("", _THOUGHTS.sub("", answer)).split())
    text = _unquoted(_LABEL.sub("", _unquoted(text)))
    if not re.search(r"[^\W\d_]", text):
        raise CaptionError(f"The model gave no caption of {clip}: {answer[:80]!r}.")
    if _REFUSAL.match(text):
        raise CaptionError(f"The model refuses to caption {clip}: {text[:80]!r}.")
    if len(text) > LONGEST:
        raise CaptionError(f"The model's caption of {clip} has {len(text)} characters.")
    return text


def _unquoted(text: str) -> str:
    """Without the quotes around all of it."""
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text
