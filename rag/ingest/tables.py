"""CSV and TSV with a header, row by row; the delimiter is the one that makes sense of the header.

A quotation mark that begins a cell may enclose it, line ends and all, or be a mark of its text. A row
is read by the rules of CSV where they fit it to the letter. Where they do not, the marks of a TSV are
text; a CSV's row that then runs over several lines has swallowed others and is rejected.
"""

from __future__ import annotations

import ast
import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from rag.ingest.generic import KNOWN_NAMES, TEXT_NAMES, entry_of, squash
from rag.ingest.records import Outcome, reject

_DELIMITERS = ",\t;|"
_HEADER_LIMIT = 100_000  # characters
_PREFACE_LIMIT = 5  # lines that say what was exported, before the header
_CELL_LIMIT = 4_000_000  # characters: the full text of a paper beside its abstract
_NO_HEADER = re.compile(r'\s*(?:"?sep=.?"?\s*)?')  # a line for Excel
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_STRING = re.compile(r"""('(?:[^'\\]|\\.)*+(?:'|\Z)|"(?:[^"\\]|\\.)*+(?:"|\Z))(\s+(?=['"]))?""", re.S)


def delimiter_of(header: str) -> str | None:
    """The delimiter that splits a line into column names with an abstract among them, or None."""
    best = max(_DELIMITERS, key=lambda delimiter: len(_known(header, delimiter)))
    known = _known(header, best)
    return best if len(known) > 1 and known & set(TEXT_NAMES) else None


def read_table(stream: TextIO) -> Iterator[Outcome]:
    """Rows as records; a row with more cells than the header has is rejected."""
    number, seen = 0, ""
    while number < _PREFACE_LIMIT and (header := stream.readline(_HEADER_LIMIT)):
        number += 1
        if delimiter := delimiter_of(header) or _only_column(header):
            yield from _records(_Lines(stream, number), delimiter, _cells(header, delimiter))
            return
        seen = seen or ("" if _NO_HEADER.fullmatch(header) else header.strip()[:80])
    yield reject("line 1", f"no header with an abstract (or text, or summary) column: “{seen}”")


def _records(lines: _Lines, delimiter: str, columns: list[str]) -> Iterator[Outcome]:
    number = 0
    while True:
        number += 1
        first = lines.number + 1
        try:
            row = _row(lines, delimiter, len(columns))
        except StopIteration:
            return
        except csv.Error as error:
            last = lines.number
            place = f"lines {first}-{last}" if last > first else f"record {number}"
            yield reject(place, f"not a readable row: {error}; is a quotation mark left open?")
        else:
            yield from _outcome(columns, row, f"record {number}")


class _Lines:
    """The rest of a stream, by line; lines can be given back. `number` is that of the last one taken."""

    def __init__(self, stream: TextIO, number: int) -> None:
        self.number = number
        self._stream = stream
        self._back: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        while line := self._back.popleft() if self._back else self._stream.readline():
            self.number += 1
            yield line

    def give_back(self, lines: list[str]) -> None:
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


def _row(lines: _Lines, delimiter: str, columns: int) -> list[str]:
    """The cells of the next row. Raises csv.Error if it is none, StopIteration after the last."""
    taken: list[str] = []
    try:
        row = _strict_row(_kept(lines, taken), delimiter)
        if not _swallows(row, delimiter, columns) or (delimiter != "\t" and len(row) >= columns):
            return row
    except csv.Error:
        pass
    lines.give_back(taken)
    if delimiter == "\t":
        return [_unquoted(cell) for cell in next(iter(lines)).rstrip("\n").split(delimiter)]
    row = next(csv.reader(iter(lines), delimiter=delimiter))
    if _swallows(row, delimiter, columns):
        raise csv.Error("a cell holds whole rows")
    return row


def _strict_row(lines: Iterator[str], delimiter: str) -> list[str]:
    """The next row by the rules to the letter, however long its cells; elsewhere a long one is an open quotation."""
    limit = csv.field_size_limit(_CELL_LIMIT)
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True))
    finally:
        csv.field_size_limit(limit)


def _kept(lines: Iterable[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _swallows(row: list[str], delimiter: str, columns: int) -> bool:
    """Whether a cell holds what may be rows: a line end, and as many delimiters as a row has."""
    return any("\n" in cell and cell.count(delimiter) >= columns - 1 for cell in row)


def _unquoted(cell: str) -> str:
    found = _QUOTED.fullmatch(cell)
    return found[1].replace('""', '"') if found else cell


def _outcome(columns: list[str], row: list[str], place: str) -> Iterator[Outcome]:
    if not any(cell.strip() for cell in row):
        return
    if any(cell.strip() for cell in row[len(columns) :]):
        yield reject(place, f"{len(row)} cells, the header has {len(columns)}; put cells in quotation marks")
    else:
        record: dict[str, Any] = {}
        for column, cell in zip(columns, row, strict=False):
            if cell.strip():  # of a column that is there twice the first cell that is filled counts
                record.setdefault(column, _listed(cell))
        yield entry_of(record, place)


def _listed(cell: str) -> Any:
    """The cell, or the list of strings or objects in it, which pandas writes as Python, without commas if an array."""
    if not cell.startswith("[") or not cell.endswith("]"):
        return cell
    try:
        found = ast.literal_eval(_STRING.sub(lambda string: string[1] + (", " if string[2] else ""), cell))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return cell
    return found if isinstance(found, list) and all(isinstance(one, str | dict) for one in found) else cell


def _only_column(header: str) -> str | None:
    is_one = not any(delimiter in header for delimiter in _DELIMITERS)
    return "," if is_one and squash(header) in TEXT_NAMES else None


def _known(header: str, delimiter: str) -> set[str]:
    return {squash(cell) for cell in _cells(header, delimiter)} & KNOWN_NAMES


def _cells(header: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:
        return []
