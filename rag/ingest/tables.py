"""CSV and TSV with a header, row by row; the delimiter is the one that makes sense of the header."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from rag.ingest.generic import KNOWN_NAMES, TEXT_NAMES, entry_of, squash
from rag.ingest.records import Outcome, reject

_DELIMITERS = ",\t;|"
_HEADER_LIMIT = 100_000  # characters


def delimiter_of(header: str) -> str | None:
    """The delimiter that splits a line into column names with an abstract among them, or None."""
    best = max(_DELIMITERS, key=lambda delimiter: len(_known(header, delimiter)))
    known = _known(header, best)
    return best if len(known) > 1 and known & set(TEXT_NAMES) else None


def read_table(stream: TextIO) -> Iterator[Outcome]:
    """Rows as records; a row with more cells than the header has is rejected."""
    header = stream.readline(_HEADER_LIMIT)
    while header and not header.strip():
        header = stream.readline(_HEADER_LIMIT)
    delimiter = delimiter_of(header) or _only_column(header)
    if not delimiter:
        shown = header.strip()[:80]
        yield reject("line 1", f"no header with an abstract (or text, or summary) column: “{shown}”")
        return
    columns = _cells(header, delimiter)
    rows = csv.reader(stream, delimiter=delimiter)
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield reject(f"record {number}", f"not a readable row: {error}; is a quotation mark left open?")
        else:
            yield from _outcome(columns, row, f"record {number}")


def _outcome(columns: list[str], row: list[str], place: str) -> Iterator[Outcome]:
    if not any(cell.strip() for cell in row):
        return
    if any(cell.strip() for cell in row[len(columns) :]):
        yield reject(place, f"{len(row)} cells, the header has {len(columns)}; put cells in quotation marks")
    else:
        yield entry_of(dict(zip(columns, row, strict=False)), place)


def _only_column(header: str) -> str | None:
    return "," if squash(header.strip().strip('"')) in TEXT_NAMES else None


def _known(header: str, delimiter: str) -> set[str]:
    return {squash(cell) for cell in _cells(header, delimiter)} & KNOWN_NAMES


def _cells(header: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:
        return []
