"""Pulls from an iterator in a thread of its own, so that whoever reads can leave while nothing comes.

A server that hangs keeps its answer to itself for minutes; a press of Stop does not wait for it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.2


def apart(items: Iterator[T]) -> Iterator[T | None]:
    """What the iterator gives, and None each `POLL_S` while it gives nothing; raises what it raises.

    When this is closed, the iterator is closed as soon as it gives the next item or ends.
    """
    given: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()
    left = threading.Event()

    def pull() -> None:
        end: BaseException = StopIteration()
        try:
            with closing(items):  # type: ignore[type-var]
                for item in items:
                    given.put((item, None))
                    if left.is_set():
                        break
        except BaseException as error:  # handed over to the reader
            end = error
        given.put((None, end))

    threading.Thread(target=pull, name="answer", daemon=True).start()
    try:
        while True:
            try:
                item, end = given.get(timeout=POLL_S)
            except queue.Empty:
                yield None
                continue
            if isinstance(end, StopIteration):
                return
            if end is not None:
                raise end
            yield item
    finally:
        left.set()
