"""Seconds spent by stage, for the timings of an answer."""

from __future__ import annotations

import time

STAGES = ("retrieve", "select", "generate", "verify")


class Clock:
    """Runs from when it is made; a stage that was not come to took no time."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps = dict.fromkeys(STAGES, 0.0)

    def lap(self, stage: str) -> None:
        """End a stage, and begin the next."""
        now = time.perf_counter()
        self._laps[stage] = round(now - self._last, 4)
        self._last = now

    def first(self, stage: str) -> None:
        """Note the seconds since the beginning, once."""
        self._laps.setdefault(stage, round(time.perf_counter() - self._start, 4))

    def done(self) -> dict[str, float]:
        """What was noted, and the `total`."""
        return {**self._laps, "total": round(time.perf_counter() - self._start, 4)}
