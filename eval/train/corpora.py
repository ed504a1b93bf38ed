"""The folder of training data: labelled sets, summaries and papers, as rows.

Only sets whose licence allows weights to be passed on are named in this package. Papers that are in
the seed corpus are left out, wherever they turn up.
"""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rag.errors import BadInputError
from rag.text import fold, sentences

Row = dict[str, Any]


class _Line(Row):
    """A row that says where it is from when it lacks a field."""

    def __init__(self, fields: Row, place: str) -> None:
        super().__init__(fields)
        self.place = place

    def __missing__(self, field: str) -> Any:
        raise BadInputError(f"{self.place} has no {field!r}")


def rows(folder: Path, name: str) -> list[Row]:
    """All rows of `<name>.jsonl.gz`, in order. Raises BadInputError when the folder has no such set."""
    path = folder / f"{name}.jsonl.gz"
    if not path.exists():
        raise BadInputError(f"no training set {path}; point --data at the folder that holds the labelled sets")
    return list(lines(path))


def papers(path: Path, *, most: int, seed: int, leave_out: frozenset[str]) -> list[Row]:
    """A seeded sample of papers with at least three sentences, without those whose title is in `leave_out`."""
    chosen = random.Random(seed)
    pool = [row for row in lines(path) if title_key(row["title"] or "") not in leave_out]
    chosen.shuffle(pool)
    kept: list[Row] = []
    for row in pool:
        parts = [fold(sentence) for sentence in sentences(row["abstract"] or "")]
        if len(parts) >= 3:
            kept.append({"title": fold(row["title"] or ""), "sentences": parts})
        if len(kept) == most:
            break
    return kept


def title_key(title: str) -> str:
    """Form in which titles are compared: letters and digits only, lower case."""
    return "".join(char for char in title.lower() if char.isalnum())


def seed_titles(metadata: Iterable[Path]) -> frozenset[str]:
    """Title keys of the papers that no training data may hold, out of JSON Lines files with a `title`."""
    return frozenset(title_key(row["title"]) for path in metadata for row in lines(path) if row.get("title"))


def lines(path: Path) -> Iterator[Row]:
    """The rows of a JSON Lines file, gz or not. What cannot be read is a BadInputError, and so is a missing field."""
    opened = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _Line(json.loads(line), f"{path}, line {number},")
    except (OSError, EOFError, zlib.error, ValueError, TypeError) as error:
        raise BadInputError(f"{path} cannot be read at line {number}: {error}") from error
