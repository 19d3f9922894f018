"""Signals that end a command, turned into an exception so that it cleans up as after Ctrl+C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (
    (signal.SIGINT,) if sys.platform == "win32" else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
)
"""Sent by Ctrl+C, by `kill` and `timeout`, and when a terminal closes; Windows sends only the
first."""
USUAL = (signal.SIG_DFL, signal.default_int_handler)
"""Handlers that are replaced."""

RETRY = 1.0
"""Seconds after which a signal is raised again, if the command still runs."""


class Terminated(KeyboardInterrupt):
    """A signal asked the process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def _is_cleaning_up() -> bool:
    """True in the middle of what an interruption, such as `Terminated`, makes a command do."""
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


@contextmanager
def unwinding_on_signals() -> Iterator[None]:
    """While the body runs, the signals `ENDING` raise `Terminated` instead of ending the process.

    So `files.atomic_path` removes unfinished files, and no further signal, such as a second Ctrl+C,
    stops it from that. A signal that has another handler, or is ignored as under `nohup`, is left
    alone; so are all signals outside of the main thread, where Python cannot handle them.
    """

    done, main = threading.Event(), threading.get_ident()

    def end(number: int, frame: FrameType | None) -> None:
        # An exception inside a destructor is lost, so it is raised again until the body has ended.
        # Windows cannot send a signal to a thread.
        if sys.platform == "win32":
            if not _is_cleaning_up():
                raise Terminated(number)
            return
        timer = threading.Timer(RETRY, repeat, (number,))
        timer.daemon = True
        timer.start()
        if not _is_cleaning_up():
            raise Terminated(number)

    def repeat(number: int) -> None:
        if not done.is_set():
            signal.pthread_kill(main, number)

    replaced = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in ENDING}
        replaced = {number: old for number, old in handlers.items() if old in USUAL}
    for number in replaced:
        signal.signal(number, end)
    try:
        yield
    finally:
        done.set()
        for number, handler in replaced.items():
            signal.signal(number, handler)
