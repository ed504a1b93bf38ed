"""Locks on files, which end with the process that holds them, however it ends. Home of portalocker.

Each use opens the file anew, so that the threads of a process exclude each other as processes do.
Where the lock file cannot be written (a read-only folder) nobody can write, and there is nothing to
wait for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from rag.errors import LibraryBusyError, LibraryError

POLL_S = 0.02  # a waiting process looks this often; a wait inside the system could not time out


class WriteLock:
    """Held by the one thread of the one process that writes to a library; may be nested."""

    def __init__(self, folder: Path, *, writable: bool, timeout_s: float) -> None:
        self._folder = folder
        self._writable = writable
        self._timeout_s = timeout_s
        self._thread = threading.RLock()
        self._depth = 0

    @contextmanager
    def held(self, *, on_wait: Callable[[], None] | None = None, timeout_s: float | None = None) -> Iterator[bool]:
        """Hold the lock; gives whether this is the outermost hold. `on_wait` is called once if a process has it.

        Raises LibraryBusyError after `timeout_s` (default: the lock's own), LibraryError where the folder is
        read-only.
        """
        if not self._writable:
            raise LibraryError(
                f"library {self._folder} cannot be written: papers can be searched but not ingested, removed "
                "or repaired; copy the folder to a place of your own"
            )
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        if not self._thread.acquire(timeout=timeout_s):
            raise LibraryBusyError(f"another thread is writing to the library {self._folder}; try again")
        with ExitStack() as stack:
            stack.callback(self._thread.release)
            if not self._depth:
                stack.enter_context(held_alone(self._folder / "write.lock", timeout_s=timeout_s, on_wait=on_wait))
            self._depth += 1
            try:
                yield self._depth == 1
            finally:
                self._depth -= 1


class FileLock:
    """A lock that many readers share or one writer has alone; readers queue behind a waiting writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._gate = path.with_name(path.name + ".next")

    @contextmanager
    def shared(self, *, timeout_s: float) -> Iterator[None]:
        """Hold the lock together with other readers; raises LibraryBusyError after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        with _held(self._gate, deadline, exclusively=False):
            grip = _take(self.path, deadline, exclusively=False)
        try:
            yield
        finally:
            grip.release()

    @contextmanager
    def exclusive(self, *, timeout_s: float) -> Iterator[None]:
        """Hold the lock alone; from the moment of asking, new readers wait at the gate."""
        deadline = time.monotonic() + timeout_s
        with (
            _held(self._gate, deadline, exclusively=True),
            _held(self.path, deadline, exclusively=True),
        ):
            yield


@contextmanager
def held_alone(path: Path, *, timeout_s: float, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock `path` alone; `on_wait` is called once if somebody else has it.

    Raises LibraryBusyError after `timeout_s`.
    """
    grip = _try(path, exclusively=True)
    if grip is None:
        if on_wait and timeout_s > 0:
            on_wait()
        grip = _take(path, time.monotonic() + timeout_s, exclusively=True)
    try:
        yield
    finally:
        grip.release()


class _Grip:
    """A lock in hand; without a file where there was nothing to lock."""

    def __init__(self, file: IO[Any] | None) -> None:
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()  # unlocks, for each lock has an open file of its own


@contextmanager
def _held(path: Path, deadline: float, *, exclusively: bool) -> Iterator[None]:
    grip = _take(path, deadline, exclusively=exclusively)
    try:
        yield
    finally:
        grip.release()


def _take(path: Path, deadline: float, *, exclusively: bool) -> _Grip:
    while (grip := _try(path, exclusively=exclusively)) is None:
        if time.monotonic() >= deadline:
            raise LibraryBusyError(
                f"another process is writing to the library {path.parent} and did not finish in time; "
                "try again when it has ended, or wait longer: FOOTNOTE_LOCK_TIMEOUT_S=3600"
            )
        time.sleep(POLL_S)
    return grip


def _try(path: Path, *, exclusively: bool) -> _Grip | None:
    """The lock, or None while another has it."""
    import portalocker

    file = _opened(path)
    if file is None:
        return _Grip(None)
    kind = portalocker.LockFlags.EXCLUSIVE if exclusively else portalocker.LockFlags.SHARED
    try:
        portalocker.lock(file, kind | portalocker.LockFlags.NON_BLOCKING)
    except portalocker.LockException:
        file.close()
        return None
    return _Grip(file)


def _opened(path: Path) -> IO[Any] | None:
    for mode in ("a+b", "rb"):
        try:
            return path.open(mode)
        except OSError:
            continue
    return None
