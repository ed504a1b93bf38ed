"""Whether anybody asks at the moment: an evaluation waits between its questions until nobody does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PAUSE_S = 1.0  # who waited in line has begun by then


class People:
    """Counts the questions of visitors and programs that are being answered."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asking = 0
        self._last = -PAUSE_S

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Around the answer to somebody's question."""
        with self._changed:
            self._asking += 1
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                self._last = time.monotonic()
                self._changed.notify_all()

    @property
    def are_asking(self) -> bool:
        """Whether somebody asks, or did so a moment ago."""
        return bool(self._asking) or time.monotonic() - self._last < PAUSE_S

    def wait_for_nobody(self, given_up: Callable[[], bool]) -> None:
        """Return when nobody asks, or when `given_up` says so."""
        with self._changed:
            while self.are_asking and not given_up():
                self._changed.wait(0.2)
