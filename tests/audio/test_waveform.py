"""Sound from files: the right samples at the right time, and one sentence for other files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from musedance_core.audio.waveform import Waveform, load_waveform, require_music
from musedance_core.errors import InputError


def noise(seconds: float, rate: int, channels: int = 1, seed: int = 0) -> Waveform:
    """Low-passed noise: every codec preserves it, and only one alignment fits it."""
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal((channels, round(seconds * rate) + 15))
    smooth = [np.convolve(row, np.hanning(16), "valid") for row in samples]
    return Waveform((0.05 * np.array(smooth)).astype(np.float32), rate)


def encode(path: Path, wave: Waveform, codec: str, form: str = "fltp") -> Path:
    layout = "mono" if len(wave.samples) == 1 else "stereo"
    samples = wave.samples if form.startswith("flt") else (wave.samples * 32767).astype(np.int16)
    if not form.endswith("p"):
        samples = samples.T.reshape(1, -1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=wave.sample_rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), form, layout)
        frame.sample_rate, frame.pts = wave.sample_rate, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def encode_tracks(path: Path, *tracks: Waveform) -> Path:
    """A video file with several sound tracks."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=12)
        picture.width = picture.height = 32
        rates = [wave.sample_rate for wave in tracks]
        streams = [container.add_stream("aac", rate=rate, layout="mono") for rate in rates]
        container.mux(picture.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(picture.encode(None))
        for stream, wave in zip(streams, tracks, strict=True):
            frame = av.AudioFrame.from_ndarray(wave.samples, "fltp", "mono")
            frame.sample_rate, frame.pts = wave.sample_rate, 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def lag(truth: np.ndarray, sound: np.ndarray) -> int:
    """Samples by which `sound` is late, from the peak of the cross-correlation."""
    size = 1 << (len(truth) + len(sound)).bit_length()
    product = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(truth, size))
    peak = int(np.fft.irfft(product).argmax())
    return peak if peak < size // 2 else peak - size


@pytest.mark.parametrize(
    ("name", "codec", "form", "rate", "channels"),
    [
        ("a.wav", "pcm_s16le", "s16", 44_100, 2),
        ("a.wav", "pcm_s16le", "s16", 22_050, 1),
        ("a.flac", "flac", "s16", 48_000, 2),
        ("a.m4a", "aac", "fltp", 16_000, 1),
        ("a.m4a", "aac", "fltp", 44_100, 2),
        ("a.mp3", "libmp3lame", "fltp", 44_100, 2),
        ("a.mp3", "libmp3lame", "fltp", 16_000, 1),
        ("a.ogg", "libopus", "flt", 48_000, 2),
    ],
)
def test_every_format_decodes_to_the_same_sound_in_time(
    tmp_path: Path, name: str, codec: str, form: str, rate: int, channels: int
) -> None:
    wave = noise(3.7, rate, channels)
    sound = load_waveform(encode(tmp_path / name, wave, codec, form))
    assert sound.sample_rate == rate and sound.samples.dtype == np.float32
    assert sound.samples.shape == wave.samples.shape
    for truth, channel in zip(wave.samples, sound.samples, strict=True):
        assert lag(truth, channel) == 0
        assert np.corrcoef(truth, channel)[0, 1] > 0.97


def test_sound_of_a_file_that_changes_its_channels(tmp_path: Path) -> None:
    one = encode(tmp_path / "one.mp3", noise(1, 44_100, 1), "libmp3lame")
    two = encode(tmp_path / "two.mp3", noise(1, 44_100, 2), "libmp3lame")
    both = tmp_path / "both.mp3"
    both.write_bytes(one.read_bytes() + two.read_bytes())
    assert load_waveform(both).seconds == pytest.approx(2, abs=0.2)


def test_tags_in_another_encoding_are_ignored(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wav", noise(1, 16_000), "pcm_s16le", "s16")
    tag = b"INFOINAM" + (6).to_bytes(4, "little") + b"\xe4\xf6\xfc\xdf\xe9\x00"
    data = path.read_bytes() + b"LIST" + len(tag).to_bytes(4, "little") + tag
    path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    assert load_waveform(path).seconds == 1


@pytest.mark.parametrize(
    ("name", "codec", "form", "rate", "late"),
    [
        ("a.ogg", "libopus", "flt", 48_000, 0),
        ("a.ogg", "flac", "s16", 44_100, 0),
        ("a.flac", "flac", "s16", 44_100, 0),
        (
            "a.ts",
            "mp2",
            "s16",
            48_000,
            481,
        ),  # the codec's own delay, which the format does not tell
        ("a.ts", "aac", "fltp", 44_100, 1024),
    ],
)
def test_joined_files_play_one_after_the_other(
    tmp_path: Path, name: str, codec: str, form: str, rate: int, late: int
) -> None:
    """Time stamps that fall back at the seam overwrite nothing, however short the first part is."""
    for first_seconds in (4.0, 0.3):
        waves = [noise(seconds, rate, seed=seed) for seed, seconds in ((1, first_seconds), (2, 3))]
        parts = [encode(tmp_path / name, wave, codec, form).read_bytes() for wave in waves]
        joined = tmp_path / f"joined{Path(name).suffix}"
        joined.write_bytes(b"".join(parts))
        sound = load_waveform(joined)
        frame = 2500 / rate  # the last frame of either part may be padded
        assert sound.seconds == pytest.approx(first_seconds + 3, abs=2 * frame)
        assert lag(waves[0].samples[0], sound.samples[0]) == late
        start = lag(waves[1].samples[0], sound.samples[0])
        assert start / rate == pytest.approx(first_seconds, abs=2 * frame)


def test_a_gap_in_the_sound_is_silence(tmp_path: Path) -> None:
    path, wave = tmp_path / "a.mkv", noise(2, 16_000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for first in (0, 48_000):
            samples = (wave.samples * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 16_000, first, Fraction(1, 16_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    sound = load_waveform(path).samples[0]
    assert len(sound) == 80_000 and np.abs(sound[32_100:47_900]).max() == 0
    assert np.allclose(sound[:32_000], wave.samples[0], atol=1e-4)
    assert np.allclose(sound[48_000:], wave.samples[0], atol=1e-4)


def test_a_file_that_states_hours_of_gaps_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for k in range(8):
            frame = av.AudioFrame.from_ndarray(np.ones((1, 800), np.int16), "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 8000, k * 590 * 8000, Fraction(1, 8000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"a\.mkv has gaps of over 3600 s"):
        load_waveform(path)


def test_the_first_track_that_is_not_silent_is_the_song(tmp_path: Path) -> None:
    silence = Waveform(np.zeros((1, 32_000), np.float32), 32_000)
    first, second = noise(2, 44_100, seed=1), noise(3, 48_000, seed=2)
    path = encode_tracks(tmp_path / "a.mkv", silence, first, second)
    assert load_waveform(path).sample_rate == 44_100
    assert abs(lag(first.samples[0], load_waveform(path).samples[0])) <= 45  # a millisecond
    assert load_waveform(path, audio_track=1).is_silent
    chosen = load_waveform(path, audio_track=3)
    assert chosen.sample_rate == 48_000 and abs(lag(second.samples[0], chosen.samples[0])) <= 48
    silent = encode_tracks(tmp_path / "b.mkv", silence, silence)
    assert load_waveform(silent).is_silent
    for number in (0, 4, -1):
        with pytest.raises(InputError, match=rf"a\.mkv has no sound track {number}; its .* 1 to 3"):
            load_waveform(path, audio_track=number)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_sound_that_is_not_finite_is_refused(tmp_path: Path, value: float) -> None:
    wave = noise(1, 16_000)
    wave.samples[0, 8_000] = value
    path = encode(tmp_path / "a.wav", wave, "pcm_f32le", "flt")
    with pytest.raises(InputError, match=r"a\.wav holds samples that are not finite"):
        require_music(load_waveform(path), str(path))


def video_without_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width = stream.height = 32
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_files_without_sound_raise_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.mp3").write_text("This is a text, not a song.\n" * 100)
    (tmp_path / "nothing.mp3").write_text("")
    (tmp_path / "folder.mp3").mkdir()
    video_without_sound(tmp_path / "film.mp4")
    for name in ("missing.mp3", "text.mp3", "nothing.mp3", "folder.mp3", "film.mp4"):
        with pytest.raises(InputError) as caught:
            load_waveform(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)


def test_sound_without_a_decoder_raises_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Container:
        streams = SimpleNamespace(audio=[SimpleNamespace(codec_context=None)])

        def __enter__(self) -> Container:
            return self

        def __exit__(self, *_: object) -> None: ...

    (tmp_path / "strange.mp4").write_text("")
    monkeypatch.setattr(av, "open", lambda *_, **__: Container())
    with pytest.raises(InputError, match=r"strange\.mp4 has sound of a kind that cannot"):
        load_waveform(tmp_path / "strange.mp4")


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        (np.zeros((1, 0)), "0.00 s"),
        (np.ones((2, 3200)), "0.20 s"),
        (np.zeros((1, 16_000)), "silent"),
        (np.full((2, 16_000), 9e-5), "silent"),
        (np.full((1, 16_000), np.nan), "not finite"),
        (np.full((2, 16_000), -1e30), "damaged: a sample in it is 1e\\+30"),
    ],
)
def test_sound_that_is_no_music_raises_one_sentence(samples: np.ndarray, word: str) -> None:
    with pytest.raises(InputError, match=word) as caught:
        require_music(Waveform(samples.astype(np.float32), 16_000), "song.wav")
    assert str(caught.value).startswith("song.wav") and str(caught.value).count(".\n") == 0


def test_quiet_music_is_music() -> None:
    require_music(Waveform(noise(1, 16_000).samples * 0.01, 16_000), "song.wav")


def test_mono_and_resampled() -> None:
    t = np.arange(44_100) / 44_100
    tone = np.sin(2 * np.pi * 440 * t).astype(np.float32)
    wave = Waveform(np.stack([tone, 0 * tone]), 44_100)
    assert np.array_equal(wave.mono().samples, tone[None] / 2)
    lower = wave.resampled(16_000)
    assert lower.samples.dtype == np.float32 and lower.seconds == pytest.approx(wave.seconds)
    expected = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    assert np.abs(lower.samples[0] - expected)[200:-200].max() < 2e-3
    assert wave.resampled(44_100) is wave


@pytest.mark.parametrize(("start", "seconds"), [(-0.5, 1.0), (0.25, 0.5), (0.8, 1.0), (2.0, 0.3)])
def test_a_cut_is_filled_up_with_silence(start: float, seconds: float) -> None:
    wave = noise(1, 16_000)
    piece = wave.cut(start, seconds)
    assert piece.samples.shape == (1, round(seconds * 16_000))
    padded = np.pad(wave.samples, ((0, 0), (8_000, 40_000)))
    first = 8_000 + round(start * 16_000)
    assert np.array_equal(piece.samples, padded[:, first : first + piece.samples.shape[1]])
