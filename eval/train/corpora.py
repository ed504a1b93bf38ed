"""The folder of training data: labelled sets, summaries and papers, as rows.

Only sets whose licence allows weights to be passed on are named in this package. Papers that are in
the seed corpus are left out, wherever they turn up.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rag.errors import BadInputError
from rag.text import fold, sentences

Row = dict[str, Any]


def rows(folder: Path, name: str) -> list[Row]:
    """All rows of `<name>.jsonl.gz`, in order. Raises BadInputError when the folder has no such set."""
    path = folder / f"{name}.jsonl.gz"
    if not path.exists():
        raise BadInputError(f"no training set {path}; point --data at the folder that holds the labelled sets")
    return list(lines(path))


def papers(path: Path, *, most: int, seed: int, leave_out: frozenset[str]) -> list[Row]:
    """A seeded sample of papers with at least three sentences, without those whose title is in `leave_out`."""
    chosen = random.Random(seed)
    pool = [row for row in lines(path) if title_key(row["title"]) not in leave_out]
    chosen.shuffle(pool)
    kept: list[Row] = []
    for row in pool:
        parts = [fold(sentence) for sentence in sentences(row["abstract"])]
        if len(parts) >= 3:
            kept.append({"title": fold(row["title"]), "sentences": parts})
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
    """The rows of a JSON Lines file, gz or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
