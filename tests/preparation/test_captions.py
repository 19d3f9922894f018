"""Captions from a file, and from a local server that answers well, badly or not at all."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from musedance_core.cli import main
from musedance_core.dataset.format import read_metadata
from musedance_core.errors import InputError
from musedance_core.preparation.captions.caption_file import read_captions
from musedance_core.preparation.captions.captioner import (
    KEY_VARIABLE,
    CaptionError,
    EndpointCaptioner,
    clean_answer,
    requests_needed,
)
from musedance_core.preparation.captions.endpoint import MAX_WAIT, Endpoint

SENTENCE = "The dancer hops twice, then sways to the left."
SECRET = "sk-very-secret-123"


class Server(ThreadingHTTPServer):
    """Sends the answers of `script` (status, headers, body) one by one, then usable ones.

    Status 0 stands for no answer while the test runs.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[tuple[int, dict[str, str], str]] = []
        self.ended = threading.Event()
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def will_answer(self, status: int, body: str = "{}", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script.append((status, named, body))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that do not wait for the answer."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append({"path": self.path, **json.loads(body)})
        self.server.headers.append(dict(self.headers))
        script = self.server.script
        status, headers, text = script.pop(0) if script else (200, {}, completion())
        if status == 0:
            self.server.ended.wait()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        pass


def completion(content: str | None = SENTENCE, reason: str = "stop", **message: Any) -> str:
    answer = {"role": "assistant", "content": content, **message}
    return json.dumps({"choices": [{"index": 0, "message": answer, "finish_reason": reason}]})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.ended.set()
        running.shutdown()
        thread.join()


def frames(seed: int = 0, side: int = 40) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [np.full((side, side // 2, 3), rng.integers(256), np.uint8) for _ in range(5)]


def captioner(server: Server, folder: Path, **options: Any) -> EndpointCaptioner:
    return EndpointCaptioner(
        server.url, "looker-7b", folder / "captions", **{"pause": 0.0, "attempts": 3, **options}
    )


def test_a_request_holds_the_frames_in_order_and_names_the_model(
    server: Server, tmp_path: Path
) -> None:
    clip = frames(side=1200)
    assert captioner(server, tmp_path)("a", clip) == SENTENCE
    (request,) = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert request["model"] == "looker-7b"
    prompt, *pictures = request["messages"][0]["content"]
    assert prompt["type"] == "text" and "background" in prompt["text"]
    assert len(pictures) == len(clip)
    for picture, frame in zip(pictures, clip, strict=True):
        head, data = picture["image_url"]["url"].split(",")
        assert head == "data:image/jpeg;base64"
        with Image.open(BytesIO(base64.b64decode(data))) as image:
            assert image.format == "JPEG" and image.size == (256, 512)
            assert abs(int(np.asarray(image).mean()) - int(frame[0, 0, 0])) <= 2
    assert "Authorization" not in server.headers[0]


def test_a_second_run_requests_nothing_again(server: Server, tmp_path: Path) -> None:
    first = captioner(server, tmp_path)
    assert first.cached("a", frames()) is None
    first("a", frames())
    again = captioner(server, tmp_path)
    assert again("a", frames()) == again.cached("a", frames()) == SENTENCE
    assert len(server.requests) == 1
    again("a", frames(seed=1))
    other = EndpointCaptioner(server.url, "other", tmp_path / "captions")
    assert other.cached("a", frames()) is None
    assert len(server.requests) == 2


def test_needed_requests_are_counted_without_a_request(server: Server, tmp_path: Path) -> None:
    asking = captioner(server, tmp_path)
    asking("a", frames(0))
    clips = [("a", frames(0)), ("b", frames(1)), ("b2", frames(1)), ("c", frames(2))]
    assert requests_needed(asking, clips) == 2
    assert len(server.requests) == 1


def test_it_waits_as_long_as_the_server_asks(server: Server) -> None:
    waits: list[float] = []
    endpoint = Endpoint(server.url, pause=1.0, sleep=waits.append)
    soon = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=100), usegmt=True)
    server.will_answer(429, Retry_After="7")
    server.will_answer(503, Retry_After=soon)
    server.will_answer(500)
    server.will_answer(502, Retry_After="nonsense")
    assert "choices" in endpoint.ask({}, "a")
    assert waits[0] == 7 and 2 < waits[1] <= 100
    assert waits[2:] == [4, 8]


def test_too_long_a_wait_fails_at_once(server: Server) -> None:
    server.will_answer(429, '{"error": {"message": "Daily quota used up"}}', Retry_After="86400")
    waits: list[float] = []
    with pytest.raises(InputError, match=r"429: Daily quota used up \(retry after 86400 s\)"):
        Endpoint(server.url, sleep=waits.append).ask({}, "a")
    assert not waits and MAX_WAIT < 86400


def test_the_failure_names_the_address_the_status_and_the_clip(
    server: Server, tmp_path: Path
) -> None:
    for _ in range(3):
        server.will_answer(500, "<html>Out <b>of order</b></html>")
    with pytest.raises(InputError) as caught:
        captioner(server, tmp_path)("clip-7", frames())
    message = str(caught.value)
    for words in (server.url, "clip-7", "status 500", "3 times", "Out of order"):
        assert words in message
    assert "<" not in message
    assert not isinstance(caught.value, CaptionError)
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 404])
def test_other_client_errors_fail_at_once(server: Server, tmp_path: Path, status: int) -> None:
    server.will_answer(status, json.dumps({"error": {"message": f"Wrong key {SECRET}\nor model"}}))
    with pytest.raises(InputError, match=rf"status {status}: Wrong key \*\*\* or model\.$"):
        captioner(server, tmp_path, api_key=SECRET)("a", frames())
    assert len(server.requests) == 1


def test_a_timeout_is_retried_and_then_fails(server: Server, tmp_path: Path) -> None:
    server.will_answer(0)
    assert captioner(server, tmp_path, timeout=1.5)("a", frames()) == SENTENCE
    server.will_answer(0)
    with pytest.raises(InputError, match="timed out"):
        captioner(server, tmp_path, timeout=0.1, attempts=1)("b", frames(1))


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", attempts=2, pause=0.0)
    with pytest.raises(InputError, match=rf"127\.0\.0\.1:{port}/v1.*no answer"):
        endpoint.ask({}, "a")


def test_a_run_requests_each_caption_once_and_stores_it(
    server: Server, tmp_path: Path, studio: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, dataset = tmp_path / "videos", tmp_path / "set"
    videos.mkdir()
    for i, name in enumerate(("a.mp4", "b.mp4")):
        dancer = studio.dancer(24, 96, 96, 12, seed=9 * i)
        studio.write(videos / name, dancer, 12, studio.noise(2, i))
    asking = ["--caption-url", server.url, "--caption-model", "m", "--size", "64"]
    run = [
        "prepare",
        str(videos),
        str(dataset),
        "--seconds",
        "2",
        "--shares",
        "1",
        "0",
        "0",
        *asking,
    ]
    server.will_answer(200, completion("It hops."))
    server.will_answer(401)
    assert main(run) == 2
    assert "status 401" in capsys.readouterr().err
    assert [record.text for record in read_metadata(dataset)] == ["It hops.", ""]
    assert main(run) == 0
    assert [record.text for record in read_metadata(dataset)] == ["It hops.", SENTENCE]
    assert len(server.requests) == 3
    assert main(run) == 0
    assert len(server.requests) == 3 and "0 without a caption" in capsys.readouterr().out


def test_the_key_is_sent_to_the_server_and_written_nowhere(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, SECRET)
    asking = captioner(server, tmp_path)
    asking("a", frames())
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET}"
    captioner(server, tmp_path, api_key="another")("b", frames(1))
    assert server.headers[1]["Authorization"] == "Bearer another"
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 2 and not any(SECRET in text for text in written)
    assert SECRET not in repr(asking.endpoint)
    assert SECRET not in "".join(capfd.readouterr())


def test_the_key_is_not_sent_after_a_redirect(server: Server, tmp_path: Path) -> None:
    server.will_answer(302, Location=f"{server.url}/elsewhere")
    with pytest.raises(InputError, match="status 302"):
        captioner(server, tmp_path, api_key=SECRET)("a", frames())
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", ["<html>hello</html>", "[]", "{}", '{"choices": []}', "null"])
def test_an_answer_that_is_no_chat_completion(server: Server, tmp_path: Path, body: str) -> None:
    server.will_answer(200, body)
    with pytest.raises(InputError, match=r"127\.0\.0\.1"):
        captioner(server, tmp_path)("a", frames())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        completion(""),
        completion(None),
        completion("I'm sorry, but I can't help with that."),
        completion(None, refusal="I will not."),
        completion("The dan", "content_filter"),
        completion("The dancer lifts the", "length"),
        completion("*** --- ```"),
        completion("hop " * 300),
        completion("The dancer \ud800."),
    ],
)
def test_a_refusal_concerns_one_clip_and_is_not_stored(
    server: Server, tmp_path: Path, body: str
) -> None:
    asking = captioner(server, tmp_path)
    server.will_answer(200, body)
    with pytest.raises(CaptionError, match="clip-3"):
        asking("clip-3", frames())
    assert asking.cached("clip-3", frames()) is None
    assert asking("clip-3", frames()) == SENTENCE


@pytest.mark.parametrize(
    "answer",
    [
        f"  {SENTENCE}\n",
        f'"{SENTENCE}"',
        f"“{SENTENCE}”",
        f"**Caption:** {SENTENCE}",
        f"Motion description: {SENTENCE}",
        f"- {SENTENCE}",
        "The dancer *hops twice*,\n  then **sways** to the left.",
        f"1. {SENTENCE.replace(', ', ',' + chr(10) + '2. ')}",
        f"```text\n{SENTENCE}\n```",
        f"<think>Let me see. I can't tell.</think>\n\n{SENTENCE}",
        f'**"{SENTENCE}"**',
    ],
)
def test_answers_become_plain_sentences(answer: str) -> None:
    assert clean_answer(answer, "a") == SENTENCE


def test_captions_with_words_of_refusals_are_captions() -> None:
    for text in ("The dancer can't stop shaking the head.", "Unfolding the arms, it hops."):
        assert clean_answer(text, "a") == text


def test_wrong_settings_are_refused(tmp_path: Path) -> None:
    odd = ("http://[", "http://a/\u00e4", "http://a:99999999", "http://:80", "http://a b/")
    for url in ("file:///etc/passwd", "localhost:8000", "", *odd):
        with pytest.raises(InputError, match="address"):
            EndpointCaptioner(url, "model", tmp_path)
    with pytest.raises(InputError, match="name"):
        EndpointCaptioner("http://localhost/v1", " ", tmp_path)
    with pytest.raises(InputError, match="key") as caught:
        EndpointCaptioner("http://localhost/v1", "model", tmp_path, api_key="two\nlines")
    assert "two" not in str(caught.value)
    asking = EndpointCaptioner("http://localhost/v1", "model", tmp_path)
    for wrong in ([], [np.zeros((4, 4, 3), np.float32)], [np.zeros((4, 4), np.uint8)]):
        with pytest.raises(ValueError, match="uint8"):
            asking("a", wrong)


def test_a_damaged_stored_caption_is_named(server: Server, tmp_path: Path) -> None:
    asking = captioner(server, tmp_path)
    asking("a", frames())
    (path,) = (tmp_path / "captions").iterdir()
    path.write_text("{")
    with pytest.raises(InputError, match=path.name):
        asking("a", frames())


def test_captions_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "captions.jsonl"
    lines = [
        json.dumps({"file_name": "clips/a.mp4", "text": "  it hops\n twice "}),
        "",
        json.dumps({"text": "it\u2028sways", "file_name": "b", "more": 1}, ensure_ascii=False),
    ]
    path.write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    assert read_captions(path).texts == {"clips/a.mp4": "it hops twice", "b": "it sways"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("not json", "JSON"),
        ('["a", "b"]', "object"),
        ('{"file_name": "b"}', "text"),
        ('{"text": "it hops"}', "file_name"),
        ('{"file_name": "b", "text": " "}', "text"),
        ('{"file_name": 3, "text": "it hops"}', "file_name"),
        ('{"file_name": "a", "text": "it sways"}', "already"),
        (r'{"file_name": "b", "text": "it \ud800"}', "Unicode"),
        ("[" * 100_000, "JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text('{"file_name": "a", "text": "it hops"}\n' + line + "\n")
    with pytest.raises(InputError, match=words) as caught:
        read_captions(path)
    assert str(path) in str(caught.value) and "line 2" in str(caught.value)


def test_a_missing_captions_file_or_other_bytes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing"):
        read_captions(tmp_path / "nothing.jsonl")
    (tmp_path / "odd.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_captions(tmp_path / "odd.jsonl")
