"""Time and memory from pressing return to a finished file: `python benchmarks/startup.py`.

    python benchmarks/startup.py [PICTURE] [SONG] [--seconds 4] [--size 512] [--repeats 3]

First the phases of one draft video in one process, as seconds and shares; CPU seconds add up all
threads, and vary less on a busy machine. Then whole commands in fresh processes: median, fastest
and slowest, and peak memory. Meaningful on idle cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path
from statistics import median
from wave import open as open_wav

ROOT = Path(__file__).parents[1]
LONG_SONG = 180.0
"""Seconds of the song of `musedance beats`."""
TEXT, FPS = "big jumping jacks", 24
PYTHON = (sys.executable, "-W", "ignore")


class Phases:
    """Wall-clock and CPU seconds by phase, from the start of the process on."""

    def __init__(self, began: float) -> None:
        self.rows: dict[str, tuple[float, float]] = {}
        self._wall, self._cpu = began, 0.0

    def end(self, name: str) -> None:
        """Add the time since the last phase to the phase `name`."""
        wall, cpu = time.time(), time.process_time()
        before = self.rows.get(name, (0.0, 0.0))
        self.rows[name] = before[0] + wall - self._wall, before[1] + cpu - self._cpu
        self._wall, self._cpu = wall, cpu


def measure_phases(args: argparse.Namespace) -> None:
    """Print the phases of one draft video as JSON; runs in a process of its own."""
    phases = Phases(args.began)
    phases.end("interpreter")
    import torch

    phases.end("import torch")
    from musedance_core.audio.tracker import track_beats
    from musedance_core.audio.waveform import load_waveform
    from musedance_core.media.images import load_picture
    from musedance_core.media.output import write_output
    from musedance_core.pipeline import MuseDancePipeline

    phases.end("import the rest")
    song = load_waveform(args.song)
    phases.end("song")
    beats = track_beats(song)
    phases.end("beats")
    pipeline = MuseDancePipeline.from_pretrained(device="cpu")
    phases.end("model")
    reference = pipeline.prepare_picture(load_picture(args.picture), size=args.size)
    phases.end("picture and rig")
    features = pipeline.encode_song(song, beats)
    phases.end("song")
    segments = pipeline.animate(
        reference,
        features,
        TEXT,
        frames=round(args.seconds * FPS),
        fps=FPS,
        draft=True,
        on_step=lambda info: phases.end("plan of the dance"),
    )

    def chunks() -> Iterator[torch.Tensor]:
        phases.end("file")
        for segment in segments:
            yield segment.frames  # encoded while the next ones are made
            phases.end("frames")

    with tempfile.TemporaryDirectory() as folder:
        write_output(Path(folder) / "dance.mp4", chunks(), FPS, song)
    phases.end("file")
    print(json.dumps(phases.rows))


def phases_table(args: argparse.Namespace) -> Iterator[str]:
    """Measures the phases in a fresh process and yields their table, line by line."""
    command = [*PYTHON, __file__, str(args.picture), str(args.song), "--size", str(args.size)]
    command += ["--seconds", str(args.seconds), "--began", str(time.time())]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    rows: dict[str, tuple[float, float]] = json.loads(done.stdout)
    total = sum(wall for wall, _ in rows.values())
    yield "| phase | seconds | share | CPU seconds |"
    yield "|---|---|---|---|"
    for name, (wall, cpu) in rows.items():
        yield f"| {name} | {wall:.2f} | {wall / total:.0%} | {cpu:.2f} |"
    planned = sum(rows[name][0] for name in list(rows)[: list(rows).index("plan of the dance")])
    cpu = sum(seconds for _, seconds in rows.values())
    yield f"| all | {total:.2f} | 100% | {cpu:.2f} |"
    yield f"\nPlanning begins after {planned:.2f} s."


def run_command(arguments: Sequence[str]) -> tuple[float, float, float]:
    """Runs `musedance` with `arguments`: wall-clock and CPU seconds, and peak memory in GB."""
    began = time.monotonic()
    process = subprocess.Popen(
        [*PYTHON, "-m", "musedance_core", *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    if status:
        raise SystemExit(errors.decode())
    scale = 1e9 if sys.platform == "darwin" else 1e6
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale


def commands_table(args: argparse.Namespace) -> Iterator[str]:
    """Runs whole commands and yields their table, line by line."""
    yield "| command | seconds | CPU seconds | GB |"
    yield "|---|---|---|---|"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song = lengthened(args.song, folder / "song.wav")
        video = ["--seconds", str(args.seconds), "--size", str(args.size), "--quality", "draft"]
        text = ["--text", TEXT, "--out", str(folder / "dance.mp4")]
        dance = ["--seconds", str(args.seconds), *text]
        commands = {
            "--help": ["--help"],
            f"beats, {LONG_SONG:g} s of song": ["beats", str(song)],
            "rig": ["rig", str(args.picture), "--json", str(folder / "rig.json")],
            f"pose, {args.seconds:g} s": ["pose", str(args.song), *dance],
            f"animate, {args.seconds:g} s": [
                *("animate", str(args.picture), str(args.song)),
                *(*video, *text),
            ],
        }
        for title, arguments in commands.items():
            runs = [run_command(arguments) for _ in range(args.repeats)]
            wall, cpu, memory = zip(*runs, strict=True)
            spread = f"{median(wall):.2f} [{min(wall):.2f}, {max(wall):.2f}]"
            yield f"| {title} | {spread} | {median(cpu):.2f} | {max(memory):.2f} |"


def lengthened(song: Path, target: Path) -> Path:
    """Writes `song`, repeated up to `LONG_SONG` seconds, as 16-bit WAV to `target`."""
    import numpy as np

    from musedance_core.audio.waveform import load_waveform

    wave = load_waveform(song)
    samples = np.tile(wave.samples, ceil(LONG_SONG / wave.seconds))
    samples = samples[:, : round(LONG_SONG * wave.sample_rate)]
    with open_wav(str(target), "wb") as file:
        file.setnchannels(len(samples))
        file.setsampwidth(2)
        file.setframerate(wave.sample_rate)
        file.writeframes((samples.T.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return target


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("picture", nargs="?", type=Path, default=ROOT / "assets/drawing-robot.png")
    add("song", nargs="?", type=Path, default=ROOT / "assets/demo-song.ogg")
    add("--seconds", type=float, default=4.0, help="of the video")
    add("--size", type=int, default=512, help="its longer side in pixels")
    add("--repeats", type=int, default=3, help="of every command")
    add("--began", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.picture, args.song = args.picture.resolve(), args.song.resolve()
    if args.began is not None:
        measure_phases(args)
        return
    for table in (phases_table, commands_table):
        for line in table(args):
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
