"""`metadata.jsonl`: bibliographic facts for the records of the files beside it.

Each line names a record, `{"source": "<file name>#<n>", ...}`, and may guard against a shift with
`starts_with`, the first characters of the abstract. Its facts win over those in the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.errors import IngestError
from rag.ingest.generic import description_of
from rag.ingest.records import Entry, Rejection

NAME = "metadata.jsonl"
_SIZE_LIMIT = 256_000_000  # bytes


@dataclass(frozen=True)
class Line:
    """One line: `raw` as it stands in the file."""

    number: int
    raw: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Sidecar:
    """The lines of a sidecar by file name and record number, and the lines that are unusable."""

    path: Path
    lines: Mapping[str, Mapping[int, Line]]
    rejections: tuple[Rejection, ...]

    def reject(self, line: Line, reason: str) -> Rejection:
        """A rejection of one of its lines."""
        return Rejection(str(self.path), f"line {line.number}", reason)


def sidecar_of(path: Path) -> Sidecar | None:
    """The sidecar in the folder of a file, if there is one that can be read."""
    try:
        return readable_sidecar_of(path)
    except IngestError:
        return None  # `find_files` has reported it, once


def readable_sidecar_of(path: Path) -> Sidecar | None:
    """The sidecar in the folder of a file, if there is one. Raises IngestError if it is unreadable."""
    found = path.parent / NAME
    if path.name == NAME or not found.is_file():
        return None
    try:
        stat = found.stat()
        sidecar = _load(found, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise IngestError(f"{found} cannot be read: {error.strerror or error}") from error
    return sidecar if sidecar.lines else None


def is_sidecar(path: Path) -> bool:
    """Whether a `metadata.jsonl` describes other files, not papers of its own: most lines name a record of a file."""
    if path.name != NAME or not path.is_file():
        return False
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            lines = [values for _ in range(20) if (values := _values(stream.readline(100_000)))]
    except OSError:
        return False
    naming = sum(_record_of(values)[1] > 0 and "abstract" not in values for values in lines)
    return naming > 0 and 2 * naming >= len(lines)


def described(entry: Entry, line: Line) -> Entry | str:
    """The entry with the facts of its line, or the reason why the line is not about it."""
    guard = line.values.get("starts_with", "")
    if not isinstance(guard, str):
        return "starts_with must be a string"
    if not _folded(entry.text[: 2 * len(guard) + 100]).startswith(_folded(guard)):
        return f"starts_with is “{guard[:50]}”, the abstract starts with “{_folded(entry.text[:50])}”"
    title, metadata = description_of(line.values)
    return replace(entry, title=title or entry.title, metadata={**entry.metadata, **metadata})


@lru_cache(maxsize=64)
def _load(path: Path, mtime_ns: int, size: int) -> Sidecar:
    if size > _SIZE_LIMIT:
        raise IngestError(f"{path} is larger than {_SIZE_LIMIT:,} bytes")
    lines: dict[str, dict[int, Line]] = {}
    rejections = []
    text = path.read_bytes().decode("utf-8-sig", "replace")
    for number, raw in enumerate(text.split("\n"), start=1):
        if not raw.strip():
            continue
        line = Line(number, raw, _values(raw) or {})
        name, record = _record_of(line.values)
        if record < 1 or record in lines.get(name, {}):
            reason = f"{name}#{record} is described twice" if record else 'no JSON object with "source": "<file>#<n>"'
            rejections.append(Rejection(str(path), f"line {number}", reason))
        else:
            lines.setdefault(name, {})[record] = line
    return Sidecar(path, lines, tuple(rejections))


def _record_of(values: Mapping[str, Any]) -> tuple[str, int]:
    """File name and record number of a line; 0 if it names none."""
    name, _, number = str(values.get("source", "")).rpartition("#")
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    return (name, int(number)) if name and is_number else ("", 0)


def _values(raw: str) -> dict[str, Any] | None:
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _folded(text: str) -> str:
    return " ".join(text.split())
