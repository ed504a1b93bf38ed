"""JSON Lines (read line by line, in any size) and JSON (read whole).

A line or an array element that is no JSON costs one rejection, not the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from rag.ingest.generic import entry_of, has_abstract, has_title
from rag.ingest.records import Outcome, reject

LINE_LIMIT = 64_000_000  # characters: a whole collection as one object on one line still fits
_LIST_NAMES = "papers data records results items works documents docs articles entries".split()
_WRAPPERS = ("message", "response")  # Crossref's and Solr's
_SPACE = " \t\n\r"


def read_json_lines(stream: TextIO) -> Iterator[Outcome]:
    """One object a line; blank lines are skipped."""
    for number, line in enumerate(_lines(stream), start=1):
        place = f"line {number}"
        if len(line) > LINE_LIMIT:
            yield reject(place, f"longer than {LINE_LIMIT:,} characters")
        elif line.strip():
            yield from _parsed(line, place)


def read_json(text: str) -> Iterator[Outcome]:
    """An array of objects, an object that holds such an array, or one record."""
    start = len(text) - len(text.lstrip())
    if text.startswith("[", start):
        yield from _elements(text, start + 1)
    else:
        yield from _parsed(text, "record 1")


def container(value: dict[str, Any]) -> list[Any] | None:
    """The records that an object wraps, as in `{"papers": [...]}` or `{"<id>": {...}}`; None: it is one itself.

    An object with an abstract is a record, whatever else it holds. One with a title is a record too,
    unless what it lists has abstracts.
    """
    if has_abstract(value):
        return None
    inner = next((value[name] for name in _WRAPPERS if isinstance(value.get(name), dict)), value)
    if has_abstract(inner):
        return [inner]
    rows = next((rows for name in _LIST_NAMES if _has_objects(rows := inner.get(name))), None)
    if rows is None and all(isinstance(row, dict) and has_abstract(row) for row in inner.values()):
        rows = [{"id": key, **row} for key, row in inner.items()]
    if rows and has_title(inner) and not any(isinstance(row, dict) and has_abstract(row) for row in rows):
        return None
    return rows or None


def _has_objects(rows: object) -> bool:
    return isinstance(rows, list) and any(isinstance(row, dict) for row in rows)


def _lines(stream: TextIO) -> Iterator[str]:
    """Lines, each cut after the limit, so that one endless line does not fill the memory."""
    while line := stream.readline(LINE_LIMIT + 1):
        rest = line
        while len(rest) > LINE_LIMIT and not rest.endswith("\n"):
            rest = stream.readline(LINE_LIMIT + 1)
        yield line


def _parsed(text: str, place: str) -> Iterator[Outcome]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if place.startswith("record") else f"column {error.colno}"
        yield reject(place, f"not valid JSON: {error.msg} at {where}")
    except (ValueError, RecursionError) as error:
        yield reject(place, f"not usable JSON: {error}")
    else:
        yield from _entries(value, place)


def _entries(value: object, place: str) -> Iterator[Outcome]:
    if not isinstance(value, dict):
        yield reject(place, f"a record must be a JSON object, this is {type(value).__name__}")
    elif (rows := container(value)) is not None:
        within = "" if place.startswith("record") else f"{place}, "
        for number, row in enumerate(rows, start=1):
            yield from _element(row, f"{within}record {number}")
    else:
        yield _entry(value, place)


def _entry(value: dict[str, Any], place: str) -> Outcome:
    try:
        return entry_of(value, place)
    except RecursionError:
        return reject(place, "nested too deeply")


def _elements(text: str, index: int) -> Iterator[Outcome]:
    """The elements of an array whose bracket was read, and of those that follow it, up to the first that is no JSON."""
    decoder = json.JSONDecoder()
    number = 0
    while True:
        index = _past(_SPACE, text, index)
        if text.startswith("]", index):
            index = _past(_SPACE, text, index + 1)
            if text.startswith("[", index):
                index += 1
                continue
            if index < len(text):
                yield reject(f"record {number + 1}", "what follows the array was not read")
            return
        number += 1
        try:
            value, index = decoder.raw_decode(text, index)
        except (ValueError, RecursionError) as error:
            yield reject(f"record {number}", f"not valid JSON: {error}; the rest of the array was not read")
            return
        yield from _element(value, f"record {number}")
        index = _past(_SPACE + ",", text, index)


def _past(characters: str, text: str, index: int) -> int:
    while index < len(text) and text[index] in characters:
        index += 1
    return index


def _element(value: object, place: str) -> Iterator[Outcome]:
    if isinstance(value, dict):
        yield _entry(value, place)
    else:
        yield reject(place, f"a record must be a JSON object, this is {type(value).__name__}")
