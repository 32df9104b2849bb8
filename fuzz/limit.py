"""limit: how long one text and all of them may take, counted in time of the processor.

A machine that is busy, or that stops a process for a while, must neither end a search early nor
make a text look slow.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LONGEST_S = 20.0
"""For one text: the largest take a tenth of a second."""


class TooSlow(Exception):
    """A text took longer than any may."""


@contextmanager
def alarmed(seconds: float = LONGEST_S) -> Iterator[None]:
    """Raises TooSlow in the block when it has computed for so long. In the main thread only."""

    def rang(number: int, frame: FrameType | None) -> None:
        raise TooSlow(f"a text took {seconds:g} s")

    before = signal.signal(signal.SIGVTALRM, rang)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


class Budget:
    """How long to search."""

    def __init__(self, seconds: float) -> None:
        self._end = time.process_time() + seconds
        self._start = self._end - seconds

    @property
    def is_spent(self) -> bool:
        return time.process_time() >= self._end

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return time.process_time() - self._start
