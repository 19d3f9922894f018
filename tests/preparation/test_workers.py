"""Workers: a source that crashes its process is rejected, and all others are cut."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from musedance_core.preparation.cutting import CutJob
from musedance_core.preparation.options import ClipOptions
from musedance_core.preparation.sources import SourceVideo
from musedance_core.preparation.state import load_source_state
from musedance_core.preparation.workers import cut_sources


class Deadly(SourceVideo):
    """Crashes the process that unpickles it."""

    def __reduce__(self) -> Any:
        return os._exit, (1,)


def test_a_crash_rejects_one_source_only(tmp_path: Path) -> None:
    sources = []
    for name, kind in (("a", SourceVideo), ("b", Deadly), ("c", SourceVideo), ("d", SourceVideo)):
        (tmp_path / f"{name}.mp4").write_text("no video")
        sources.append(kind(f"{name}.mp4", tmp_path / f"{name}.mp4"))
    for folder in ("clips", "tracks", "maps"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    cut_sources([CutJob(source, tmp_path / "set", ClipOptions()) for source in sources], 1)
    states = [load_source_state(tmp_path / "set", source, ClipOptions()) for source in sources]
    kinds = [[r.kind for r in state.rejected] for state in states if state is not None]
    assert kinds == [["unreadable"], ["crash"], ["unreadable"], ["unreadable"]]
    # A process may also die for lack of memory, so the next run tries again.
    assert [state.is_final for state in states if state is not None] == [True, False, True, True]
