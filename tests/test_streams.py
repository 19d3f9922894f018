"""Media files: opened whatever their tags, and placed on one rising clock."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from musedance_core.streams import LONGEST_GAP, StreamClock, open_media


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_media_with_tags_in_another_encoding_can_be_opened(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"song{suffix}"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "TITLE"
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data = path.read_bytes()
    assert data.count(b"TITLE") >= 1
    path.write_bytes(data.replace(b"TITLE", b"\xe4\xf6\xfc\xdf\xe9"))
    with open_media(path) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) >= 48_000


def test_a_clock_counts_from_the_start_of_playing() -> None:
    clock = StreamClock(1.4)
    assert [round(clock.seconds(stamp, 0.0), 6) for stamp in (1.38, 1.4, 2.4)] == [-0.02, 0.0, 1.0]
    assert clock.seconds(None, 3.0) == 3.0


def test_a_clock_that_starts_anew_goes_on_where_it_was() -> None:
    clock = StreamClock(1.0)
    assert clock.seconds(1.0, 0.0) == 0.0 and clock.seconds(11.0, 1.0) == 10.0
    assert clock.seconds(1.0, 10.5) == 10.5, "the stamps fall back"
    assert clock.seconds(3.0, 11.5) == 12.5, "a gap in the second part"
    assert clock.seconds(LONGEST_GAP + 99.0, 13.0) == 13.0, "no gap is as long as that"
    assert clock.seconds(LONGEST_GAP + 100.0, 13.0) == 14.0


def test_small_steps_back_are_not_a_new_clock() -> None:
    clock = StreamClock(0.0)
    stamps = [0.0, 0.5, 0.4, 0.6, 0.58, 1.0]
    assert [clock.seconds(stamp, 0.0) for stamp in stamps] == stamps
