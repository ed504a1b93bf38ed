"""One file to its documents, in order and one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from rag.errors import IngestError
from rag.ingest.bibtex import read_bibtex
from rag.ingest.identity import document_id, identity_keys
from rag.ingest.json_files import read_json, read_json_lines
from rag.ingest.kinds import Kind, kind_of
from rag.ingest.listing import read_text
from rag.ingest.opening import Source, open_source
from rag.ingest.papers_xml import read_xml
from rag.ingest.records import Entry, Outcome, Rejection, clean_text
from rag.ingest.sidecar import Line, Sidecar, described, sidecar_of
from rag.ingest.tables import read_table
from rag.ingest.tagged import read_medline, read_ris
from rag.text import whole
from rag.types import Document

_STREAMING: dict[Kind, Callable[[TextIO], Iterator[Outcome]]] = {
    Kind.JSON_LINES: read_json_lines,
    Kind.TABLE: read_table,
    Kind.XML: read_xml,
}
_WHOLE: dict[Kind, Callable[[str], Iterator[Outcome]]] = {
    Kind.TEXT: read_text,
    Kind.JSON: read_json,
    Kind.BIBTEX: read_bibtex,
    Kind.RIS: read_ris,
    Kind.MEDLINE: read_medline,
}


def read_file(path: Path) -> Iterator[Document | Rejection]:
    """The records of a file as documents, and a rejection for whatever could not be taken.

    Raises nothing for what a file holds; one that holds no papers is one rejection. Raises OSError where the
    disk fails, for then nobody knows what the file holds.
    """
    outcomes = 0
    try:
        source = open_source(path)
        for outcome in _outcomes(path, source):
            outcomes += 1
            yield outcome if not isinstance(outcome, Rejection) else _placed(outcome, str(path))
        if source.damage:
            yield Rejection(str(path), "end of file", f"{source.damage}; what came before was read")
        elif not outcomes:
            yield Rejection(str(path), "", "no record found in it")
    except IngestError as error:
        yield Rejection(str(path), "", str(error))


def _placed(rejection: Rejection, file: str) -> Rejection:
    return rejection if rejection.file else replace(rejection, file=file)


def _outcomes(path: Path, source: Source) -> Iterator[Document | Rejection]:
    sidecar = sidecar_of(path)
    lines = dict(sidecar.lines.get(path.name, {})) if sidecar else {}
    number = 0
    for outcome in _entries(source):
        if isinstance(outcome, Rejection):
            yield outcome
            continue
        number += 1
        entry = outcome
        if sidecar and (line := lines.pop(number, None)):
            entry, rejections = _with_line(entry, sidecar, line)
            yield from rejections
        yield _document(entry, path, number)
    if sidecar:
        reason = f"{path.name} has {number} records, none with this number"
        yield from [sidecar.reject(line, reason) for line in lines.values()]


def _entries(source: Source) -> Iterator[Outcome]:
    kind = kind_of(source.head, source.suffix)
    if kind in _STREAMING:
        with source.text() as stream:
            yield from _STREAMING[kind](stream)
        return
    outcomes = _WHOLE[kind](source.whole())
    if source.damage and kind == Kind.TEXT:  # the last abstract is cut off with the file
        *whole, last = list(outcomes)
        yield from whole
        yield (replace(last, metadata={**last.metadata, "truncated": True}) if isinstance(last, Entry) else last)
    else:
        yield from outcomes


def _with_line(entry: Entry, sidecar: Sidecar, line: Line) -> tuple[Entry, list[Rejection]]:
    found = described(entry, line)
    return (found, []) if isinstance(found, Entry) else (entry, [sidecar.reject(line, found)])


def _document(entry: Entry, path: Path, number: int) -> Document:
    metadata = {**entry.metadata, "file": whole(os.path.abspath(path))}
    document = Document("", entry.title, entry.text, f"{clean_text(path.name)}#{number}", metadata)
    return replace(document, id=document_id(identity_keys(document)))
