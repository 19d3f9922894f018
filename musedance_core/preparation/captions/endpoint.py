"""Asking an OpenAI-compatible chat endpoint, with patience where the server asks for it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ...errors import InputError

LONGEST_WAIT = 120.0
"""Seconds: a server that asks for more patience than this is given up."""
TOLD = 300
"""Characters of a server's own message that are passed on."""


@dataclass(frozen=True)
class Endpoint:
    """A server and how to wait for it.

    Attributes:
        url: up to `/chat/completions`, such as `https://api.openai.com/v1`.
        key: sent as a bearer token; None sends none. It is in no message and no representation.
        timeout: seconds without an answer after which a request has failed.
        attempts: requests in all, of which the first may already be the last.
        pause: seconds before the second request; doubled before every further one.
        sleep: waits.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 60.0
    attempts: int = 6
    pause: float = 1.0
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if not _is_address(self.url):
            raise InputError(
                f"The caption endpoint must be an http(s) address in ASCII, got {self.url!r}."
            )
        if self.key is not None and not re.fullmatch(r"[\x21-\x7e]+", self.key):
            raise InputError("The caption endpoint's key must be printable ASCII without spaces.")

    @property
    def address(self) -> str:
        """Where requests go."""
        return f"{self.url.rstrip('/')}/chat/completions"

    def ask(self, body: Mapping[str, Any], clip: str) -> dict[str, Any]:
        """The server's JSON answer to `body`, about the clip of that name.

        Status 408, 429 and 5xx, a broken connection and silence are tried again: after what
        `Retry-After` says, else after a pause that doubles.

        Raises:
            InputError: another status; no answer after all attempts, or the server asks to wait
                for longer than `LONGEST_WAIT`; the answer is no JSON object.
        """
        for attempt in range(1, self.attempts + 1):
            pause = self.pause * 2 ** (attempt - 1)
            try:
                return self._json(self._send(json.dumps(body).encode()), clip)
            except HTTPError as error:
                told = f"status {error.code}: {self._message(error)}"
                if error.code not in (408, 429) and error.code < 500:
                    raise self._failure(clip, told) from error
                pause = _retry_after(error.headers, pause)
                if pause > LONGEST_WAIT:
                    raise self._failure(clip, f"{told} (retry after {pause:.0f} s)") from error
            except (URLError, HTTPException, OSError) as error:
                told = f"no answer: {getattr(error, 'reason', error) or type(error).__name__}"
            if attempt < self.attempts:
                self.sleep(pause)
        raise self._failure(clip, f"{told}, {self.attempts} times")

    def _send(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        request = Request(self.address, data=body, headers=headers, method="POST")
        with build_opener(_NoRedirect).open(request, timeout=self.timeout) as answer:
            content: bytes = answer.read()
        return content

    def _json(self, content: bytes, clip: str) -> dict[str, Any]:
        try:
            answer = json.loads(content)
        except ValueError as error:
            raise self._failure(clip, "an answer that is no JSON") from error
        if not isinstance(answer, dict):
            raise self._failure(clip, "an answer that is no JSON object")
        return answer

    def _message(self, error: HTTPError) -> str:
        """What the server says about a failure, on one line, without the key."""
        try:
            with error:
                content = error.read().decode("utf-8", errors="replace")
        except (HTTPException, OSError):
            return str(error.reason)
        if self.key is not None:
            content = content.replace(self.key, "***")
        try:
            told = json.loads(content)["error"]
            content = told["message"] if isinstance(told, dict) else str(told)
        except (ValueError, KeyError, TypeError):
            content = re.sub(r"<[^>]*>", " ", content)
        return " ".join(str(content).split())[:TOLD] or str(error.reason)

    def _failure(self, clip: str, told: str) -> InputError:
        return InputError(f"{self.address} gave no caption of {clip}: {told.rstrip('.')}.")


class _NoRedirect(HTTPRedirectHandler):
    """A redirect is an error: following it would hand the key to another server."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> None:
        return None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(known and re.fullmatch(r"[\x21-\x7e]+", url))


def _retry_after(headers: Message, otherwise: float) -> float:
    """Seconds that `Retry-After` says, as a number or as a date."""
    told = headers.get("Retry-After", "")
    if re.fullmatch(r"\d+(\.\d+)?", told.strip()):
        return float(told)
    try:
        date = parsedate_to_datetime(told)
    except ValueError:
        return otherwise
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())
