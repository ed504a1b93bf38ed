"""Question → ranked hits: whole abstracts and sentence windows by meaning, BM25 by words, fused.

Ranks are not fused but scores, each on a scale that means the same for every question: cosine as it
is, BM25 as a share of what a document with every word of the question could score. A question that
shares no rare word with the library gets small shares, so BM25 cannot push down what meaning found.
Reciprocal rank fusion lacks that: the best of ten bad word matches counts as much as a perfect one.

Source: convex combination of scores under absolute normalization, Bruch, Gai, Ingber, ACM TOIS 2023.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.library import Filters, Library
from rag.types import Chunk, Hit

# Measured on MED, CISI and the dev questions; flat between 0.7 and 1.5.
BM25_WEIGHT = 1.0
POOL = 100  # candidates a channel proposes; a document outside a pool is scored by the others' exact values


@dataclass(frozen=True, slots=True)
class _Candidate:
    chunk: Chunk
    scores: Mapping[str, float]

    @property
    def score(self) -> float:
        dense = (self.scores["dense"] + self.scores["window"]) / 2
        return dense + BM25_WEIGHT * self.scores.get("bm25_share", 0.0)


def retrieve(
    question: str,
    query: NDArray[np.float32],
    library: Library,
    *,
    k: int = 10,
    filters: Filters | None = None,
) -> list[Hit]:
    """The `k` best documents, each with its best window; `query` is the embedded question, `(d,)`.

    Ties are broken by document id. `scores` holds `dense` (cosine with the abstract), `window` (cosine
    with the best window), `bm25` and `bm25_share` (absent where no word matched).
    """
    allowed = library.allowed(filters) if filters else None
    words = dict(library.bm25(question, POOL, allowed=allowed))
    near = {
        chunk.doc_id
        for kind in ("abstract", "window")
        for chunk, _ in library.nearest(kind, query, POOL, allowed=allowed)
    }
    bound = library.bm25_bound(question)
    doc_ids = sorted(near | words.keys())
    candidates = [candidate for candidate in _scored(doc_ids, query, library, words, bound)]
    candidates.sort(key=lambda candidate: (-candidate.score, candidate.chunk.doc_id))
    documents = {
        document.id: document for document in library.documents([c.chunk.doc_id for c in candidates[:k]])
    }
    return [
        Hit(
            c.chunk,
            round(c.score, 6),
            rank,
            c.scores,
            documents[c.chunk.doc_id].source,
            documents[c.chunk.doc_id].title,
        )
        for rank, c in enumerate(candidates[:k], start=1)
    ]


def _scored(
    doc_ids: Sequence[str],
    query: NDArray[np.float32],
    library: Library,
    words: Mapping[str, float],
    bound: float,
) -> list[_Candidate]:
    abstracts = _best(query, library.vectors(doc_ids, "abstract"))
    windows = _best(query, library.vectors(doc_ids, "window"))
    found = []
    for doc_id in doc_ids:
        if doc_id not in windows or doc_id not in abstracts:
            continue  # removed while we looked
        chunk, window = windows[doc_id]
        scores = {"dense": abstracts[doc_id][1], "window": window}
        if doc_id in words:
            scores |= {
                "bm25": round(words[doc_id], 6),
                "bm25_share": round(words[doc_id] / bound, 6) if bound else 0.0,
            }
        found.append(_Candidate(chunk, scores))
    return found


def _best(
    query: NDArray[np.float32], vectors: Sequence[tuple[Chunk, NDArray[np.float32]]]
) -> dict[str, tuple[Chunk, float]]:
    """Each document's chunk nearest to the query, the earlier one of equals, with its cosine."""
    best: dict[str, tuple[Chunk, float]] = {}
    if not vectors:
        return best
    similarities = np.stack([vector for _, vector in vectors]) @ query
    for (chunk, _), similarity in zip(vectors, similarities.tolist(), strict=True):
        if chunk.doc_id not in best or similarity > best[chunk.doc_id][1]:
            best[chunk.doc_id] = (chunk, round(similarity, 6))
    return best
