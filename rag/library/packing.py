"""Documents and chunks as the catalog's columns hold them: JSON, folded text, little-endian arrays; ids of chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.text import fold, without_accents
from rag.types import JSON, Chunk, Document

Vector = NDArray[np.float32]


def folded(text: str) -> str:
    """As texts are compared: without case, accents and runs of white space."""
    return fold(without_accents(text).casefold())


def document_to(document: Document) -> str:
    """A document as it is stored."""
    row: JSON = {
        "id": document.id,
        "title": document.title,
        "text": document.text,
        "source": document.source,
        "metadata": dict(document.metadata),
    }
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def document_from(stored: str) -> Document:
    """Inverse of `document_to`."""
    return Document(**json.loads(stored))


def chunks_to(chunks: Sequence[tuple[Chunk, Vector]]) -> tuple[bytes, bytes]:
    """The spans `(n, 2)` and vectors `(n, d)` of a document's chunks as they are stored."""
    spans = np.array([(chunk.start, chunk.end) for chunk, _ in chunks], dtype="<i4")
    vectors = np.array([vector for _, vector in chunks], dtype="<f4")
    return spans.tobytes(), vectors.tobytes()


def chunks_from(doc_id: str, spans: bytes, vectors: bytes, text: str) -> Iterator[tuple[Chunk, Vector]]:
    """Inverse of `chunks_to`, given the document's text."""
    places = np.frombuffer(spans, dtype="<i4").reshape(-1, 2).tolist()
    matrix = np.frombuffer(vectors, dtype="<f4").reshape(len(places), -1)
    for (start, end), vector in zip(places, matrix, strict=True):
        yield Chunk(doc_id, start, end, text[start:end]), vector


def chunk_ids(doc_id: str, spans: bytes) -> list[str]:
    """The ids of a document's chunks out of their stored spans."""
    return [f"{doc_id}:{start}-{end}" for start, end in np.frombuffer(spans, dtype="<i4").reshape(-1, 2).tolist()]


def document_of(chunk_id: str) -> str:
    """The id of the document that a chunk belongs to."""
    return chunk_id.rpartition(":")[0]


def chunk_from(chunk_id: str, text: str) -> Chunk:
    """The chunk of this id in a document's text."""
    doc_id, _, span = chunk_id.rpartition(":")
    start, _, end = span.partition("-")
    return Chunk(doc_id, int(start), int(end), text[int(start) : int(end)])
