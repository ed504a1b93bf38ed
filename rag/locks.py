"""Locks on files, which end with the process that holds them, however it ends. Home of portalocker.

A `FileLock` is shared by readers or held by one writer. Each use opens the file anew, so that the
threads of a process exclude each other like processes do. Where the lock file cannot be written (a
read-only folder), nobody can write and there is nothing to wait for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rag.errors import LibraryBusyError

POLL_S = 0.02  # a waiting writer looks this often; a wait by the system could not time out


class FileLock:
    """A lock that many may share or one may have alone; readers queue behind a waiting writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._gate = path.with_name(path.name + ".next")

    @contextmanager
    def shared(self, *, timeout_s: float) -> Iterator[None]:
        """Hold the lock together with other readers."""
        deadline = time.monotonic() + timeout_s
        with _held(self._gate, False, deadline):
            file = _take(self.path, False, deadline)
        try:
            yield
        finally:
            _give_back(file)

    @contextmanager
    def exclusive(self, *, timeout_s: float) -> Iterator[None]:
        """Hold the lock alone; new readers wait at the gate from the moment of asking."""
        deadline = time.monotonic() + timeout_s
        with _held(self._gate, True, deadline), _held(self.path, True, deadline):
            yield


@contextmanager
def alone(path: Path, *, timeout_s: float, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock `path` alone; `on_wait` is called once when somebody else has it.

    Raises LibraryBusyError after `timeout_s`.
    """
    file = _try(path, True)
    if file is None:
        if on_wait and timeout_s > 0:
            on_wait()
        file = _take(path, True, time.monotonic() + timeout_s)
    try:
        yield
    finally:
        _give_back(file)


@contextmanager
def _held(path: Path, exclusively: bool, deadline: float) -> Iterator[None]:
    file = _take(path, exclusively, deadline)
    try:
        yield
    finally:
        _give_back(file)


def _take(path: Path, exclusively: bool, deadline: float) -> IO[Any] | None:
    while (file := _try(path, exclusively)) is None:
        if time.monotonic() >= deadline:
            raise LibraryBusyError(
                f"another process is using {path.parent} ({path.name}) and did not finish in time; "
                "wait for it to end, or raise FOOTNOTE_LOCK_TIMEOUT_S"
            )
        time.sleep(POLL_S)
    return file if file is not _UNLOCKED else None


def _try(path: Path, exclusively: bool) -> IO[Any] | object | None:
    """The locked file, `_UNLOCKED` where there is nothing to lock, None if another has it."""
    import portalocker

    try:
        file = path.open("a+b")
    except OSError:
        try:
            file = path.open("rb")
        except OSError:
            return _UNLOCKED
    kind = portalocker.LockFlags.EXCLUSIVE if exclusively else portalocker.LockFlags.SHARED
    try:
        portalocker.lock(file, kind | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.LockException:
        file.close()
        return None
    return file


def _give_back(file: IO[Any] | None) -> None:
    if file is not None:
        file.close()  # closing unlocks: each lock has its own open file


_UNLOCKED = object()
