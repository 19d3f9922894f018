"""Requests to an OpenAI-compatible chat endpoint, with retries."""

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

MAX_WAIT = 120.0
"""Seconds; a server that asks to wait longer before the next request has failed."""
MAX_MESSAGE = 300
"""Characters of a server's own message that an error quotes."""


@dataclass(frozen=True)
class Endpoint:
    """A server and its retry policy.

    Attributes:
        url: the address before `/chat/completions`, such as `https://api.openai.com/v1`.
        key: sent as a bearer token; None sends none. It is in no message and no representation.
        timeout: seconds without an answer after which a request has failed.
        attempts: the largest number of requests for one answer.
        pause: seconds before the second request; doubled before every further one.
        sleep: waits for a number of seconds.
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
        """The address of the requests."""
        return f"{self.url.rstrip('/')}/chat/completions"

    def ask(self, body: Mapping[str, Any], clip: str) -> dict[str, Any]:
        """The server's JSON answer to `body`, about the clip of that name.

        A request is repeated after status 408, 429 or 5xx, a broken connection or a timeout. The
        pause before it is the server's `Retry-After`, else one that doubles each time.

        Raises:
            InputError: another status; no answer after all attempts, or the server asks to wait
                for longer than `MAX_WAIT`; the answer is not a JSON object.
        """
        for attempt in range(1, self.attempts + 1):
            pause = self.pause * 2 ** (attempt - 1)
            try:
                return self._json(self._send(json.dumps(body).encode()), clip)
            except HTTPError as error:
                reason = f"status {error.code}: {self._message(error)}"
                # Any other 4xx, such as a wrong key, will not change by itself.
                if error.code not in (408, 429) and error.code < 500:
                    raise self._failure(clip, reason) from error
                pause = _retry_after(error.headers, pause)
                if pause > MAX_WAIT:
                    raise self._failure(clip, f"{reason} (retry after {pause:.0f} s)") from error
            except (URLError, HTTPException, OSError) as error:
                reason = f"no answer: {getattr(error, 'reason', error) or type(error).__name__}"
            if attempt < self.attempts:
                self.sleep(pause)
        raise self._failure(clip, f"{reason}, {self.attempts} times")

    def _send(self, body: bytes) -> bytes:
        """The content of the answer to one request."""
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
            raise self._failure(clip, "an answer that is not JSON") from error
        if not isinstance(answer, dict):
            raise self._failure(clip, "an answer that is not a JSON object")
        return answer

    def _message(self, error: HTTPError) -> str:
        """The server's own message about a failure, on one line and without the key."""
        try:
            with error:
                content = error.read().decode("utf-8", errors="replace")
        except (HTTPException, OSError):
            return str(error.reason)
        if self.key is not None:
            content = content.replace(self.key, "***")
        try:
            details = json.loads(content)["error"]
            content = details["message"] if isinstance(details, dict) else str(details)
        except (ValueError, KeyError, TypeError):
            content = re.sub(r"<[^>]*>", " ", content)
        return " ".join(str(content).split())[:MAX_MESSAGE] or str(error.reason)

    def _failure(self, clip: str, reason: str) -> InputError:
        return InputError(f"{self.address} gave no caption of {clip}: {reason.rstrip('.')}.")


class _NoRedirect(HTTPRedirectHandler):
    """Treats a redirect as an error: following it would send the key to another server."""

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
    """True if `url` is an http(s) address of printable ASCII."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(known and re.fullmatch(r"[\x21-\x7e]+", url))


def _retry_after(headers: Message, otherwise: float) -> float:
    """The seconds of the `Retry-After` header, which is a number or a date."""
    value = headers.get("Retry-After", "")
    if re.fullmatch(r"\d+(\.\d+)?", value.strip()):
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return otherwise
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())
