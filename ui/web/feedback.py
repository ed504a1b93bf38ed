"""What readers say of an answer, kept as JSON Lines in the library's folder; nothing leaves the machine.

A line holds the whole answer, so that a question that went wrong can become one that is evaluated.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

from rag.errors import LibraryError
from rag.types import Answer

FILE_NAME = "feedback.jsonl"
KINDS = frozenset(
    {"helpful", "wrong_evidence", "wrong_answer", "should_have_abstained", "should_have_answered", "other"}
)
MAX_COMMENT = 1_000
_lock = threading.Lock()


def record(folder: Path, answer: Answer, kind: str, comment: str = "") -> Path:
    """Append what a reader says of an answer; returns the file. Raises LibraryError where it cannot be written.

    `kind` is one of `KINDS`.
    """
    row = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": kind,
        "comment": comment[:MAX_COMMENT],
        "question": answer.question,
        "answer": answer.to_dict(),
    }
    path = folder / FILE_NAME
    try:
        with _lock, path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise LibraryError(f"feedback cannot be kept in {path}: {error.strerror}") from error
    return path
