"""The chunks nearest to a vector, from Chroma or by comparing with the vectors in the catalog one by one.

One by one, which is exact, for the few documents that a filter leaves, and where Chroma cannot be used at
the moment: while another process mends it, or in a folder that cannot be written. Only chunks that the
catalog has are given, whatever Chroma says.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from rag.library.catalog import Catalog
from rag.library.indexing import Indexes
from rag.library.packing import Vector, chunk_from, chunk_ids, document_of
from rag.types import Chunk

ONE_BY_ONE = 1000  # documents that are compared in a few milliseconds
MOST_FROM_CHROMA = 5000  # more hits than this cost more than comparing all
PAGE = 1000  # documents held in memory at once: some 5 MB of vectors


def nearest(
    catalog: Catalog,
    indexes: Indexes,
    kind: str,
    query: Vector,
    k: int,
    allowed: Collection[str] | None = None,
) -> list[tuple[Chunk, float]]:
    """The `k` chunks with the highest cosine similarity, best first, ties by chunk id."""
    if k < 1 or not indexes.exist or (allowed is not None and not allowed):
        return []
    found = _from_chroma(catalog, indexes, kind, query, k, allowed)
    if found is None:
        found = _existing(catalog, kind, compare(catalog, kind, query, k, allowed))
    return sorted(found, key=lambda pair: (-pair[1], pair[0].id))[:k]


def _from_chroma(
    catalog: Catalog,
    indexes: Indexes,
    kind: str,
    query: Vector,
    k: int,
    allowed: Collection[str] | None,
) -> list[tuple[Chunk, float]] | None:
    """Ask for more until enough are allowed and exist; None where comparing one by one is better."""
    asked = k
    if allowed is not None:
        if len(allowed) <= ONE_BY_ONE:
            return None
        total = int(catalog.value("SELECT count(*) FROM documents"))
        asked = min(2 * k * max(1, total // len(allowed)), MOST_FROM_CHROMA)
    while True:
        rows = indexes.nearest(kind, query, asked)
        if rows is None:
            return None
        wanted = rows if allowed is None else [row for row in rows if document_of(row[0]) in allowed]
        found = _existing(catalog, kind, wanted)
        if len(found) >= k or len(rows) < asked:
            return found
        if asked >= MOST_FROM_CHROMA:
            return None
        asked = min(4 * asked, MOST_FROM_CHROMA)


def _existing(catalog: Catalog, kind: str, rows: Sequence[tuple[str, float]]) -> list[tuple[Chunk, float]]:
    """The chunks of these ids that the catalog has, with their text."""
    texts: dict[str, str] = {}
    for doc_id, spans, text in catalog.rows(
        "SELECT c.doc_id, c.spans, json_extract(d.json, '$.text') FROM chunks c "
        "JOIN documents d ON d.id = c.doc_id "
        "WHERE c.kind = ? AND c.doc_id IN (SELECT value FROM json_each(?))",
        kind,
        json.dumps(sorted({document_of(chunk_id) for chunk_id, _ in rows})),
    ):
        texts |= dict.fromkeys(chunk_ids(doc_id, spans), text)
    return [(chunk_from(chunk_id, texts[chunk_id]), similarity) for chunk_id, similarity in rows if chunk_id in texts]


def compare(
    catalog: Catalog, kind: str, query: Vector, k: int, allowed: Collection[str] | None = None
) -> list[tuple[str, float]]:
    """The ids of the `k` chunks with the highest cosine similarity, best first, ties by id."""
    unit = query / (np.linalg.norm(query) or 1.0)
    best: list[tuple[float, str]] = []
    for rows in _pages(catalog, kind, allowed):
        ids = [chunk_id for doc_id, spans, _ in rows for chunk_id in chunk_ids(doc_id, spans)]
        matrix = np.frombuffer(b"".join(vectors for _, _, vectors in rows), dtype="<f4").reshape(len(ids), -1)
        norms = np.linalg.norm(matrix, axis=1)
        similarities = (matrix @ unit) / np.where(norms > 0, norms, 1.0)
        best = heapq.nsmallest(k, [*best, *zip((-similarities).tolist(), ids, strict=True)])
    return [(chunk_id, -negative) for negative, chunk_id in best]


def _pages(catalog: Catalog, kind: str, allowed: Collection[str] | None) -> Iterator[list[tuple[str, bytes, bytes]]]:
    if allowed is not None:
        wanted = sorted(allowed)
        for start in range(0, len(wanted), PAGE):
            rows = catalog.rows(
                "SELECT doc_id, spans, vectors FROM chunks "
                "WHERE kind = ? AND doc_id IN (SELECT value FROM json_each(?))",
                kind,
                json.dumps(wanted[start : start + PAGE]),
            )
            if rows:
                yield rows
        return
    last = 0
    while numbered := catalog.rows(
        "SELECT rowid, doc_id, spans, vectors FROM chunks WHERE rowid > ? AND kind = ? ORDER BY rowid LIMIT ?",
        last,
        kind,
        PAGE,
    ):
        last = numbered[-1][0]
        yield [(doc_id, spans, vectors) for _, doc_id, spans, vectors in numbered]
