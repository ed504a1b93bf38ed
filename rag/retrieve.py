"""Question → ranked hits: whole abstracts and sentence windows by meaning, BM25 by words, fused.

Ranks are not fused but scores, each on a scale that means the same for every question: cosine as it
is, BM25 as a share of what a document with every word of the question could score. A question that
shares no rare word with the library gets small shares, so BM25 cannot push down what meaning found.
Reciprocal rank fusion lacks that: the best of ten bad word matches counts as much as a perfect one.
The best few are ranked again with their sentences embedded one by one, and by a reader, which sees
question and text together.

Source: convex combination of scores under absolute normalization, Bruch, Gai, Ingber, ACM TOIS 2023.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rag.library import Filters, Library
from rag.models import Reader
from rag.sentences import SentenceVectors
from rag.text import fold
from rag.types import Chunk, Document, Hit

# Measured on MED, CISI, SciTLDR summaries and the dev claims; flat between 0.7 and 1.5.
BM25_WEIGHT = 1.0
POOL = 100  # candidates that each channel proposes; every candidate is scored by all channels
RERANKED = 10  # papers whose sentences are looked at one by one
READ = 20  # papers that the reader sees: with all their windows about 80 texts
READER_WEIGHT = 0.05  # of its logit


@dataclass(frozen=True, slots=True)
class _Candidate:
    chunk: Chunk
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        dense, window = self.scores["dense"], self.scores["window"]
        meaning = (dense + window + self.scores.get("sentence", window)) / 3
        fused = meaning + BM25_WEIGHT * self.scores.get("bm25_share", 0.0)
        return round(fused + READER_WEIGHT * self.scores.get("reader", 0.0), 6)


def retrieve(
    question: str,
    query: NDArray[np.float32],
    library: Library,
    sentences: SentenceVectors,
    *,
    reader: Reader | None = None,
    k: int = 10,
    filters: Filters | None = None,
) -> list[Hit]:
    """The `k` best documents, each with its best window; `query` is the embedded question, `(d,)`.

    Ties are broken by document id. `scores` holds the cosines `dense` (abstract), `window` (best
    window) and, for the first `RERANKED`, `sentence` (best sentence); `bm25` and `bm25_share` where a
    word matched; `reader`, the logit of the best window, for the first `READ`.
    """
    first = _sorted(_candidates(question, query, library, filters))[: max(k, READ)]
    documents = {d.id: d for d in library.documents([c.chunk.doc_id for c in first])}
    first = [c for c in first if c.chunk.doc_id in documents]
    again = _sorted(_reranked(first[:RERANKED], documents, query, sentences)) + first[RERANKED:]
    if reader:
        again = _sorted(_read(question, again[:READ], documents, library, reader)) + again[READ:]
    return [
        Hit(
            c.chunk,
            c.score,
            rank,
            c.scores,
            documents[c.chunk.doc_id].source,
            documents[c.chunk.doc_id].title,
        )
        for rank, c in enumerate(again[:k], start=1)
    ]


def _candidates(
    question: str, query: NDArray[np.float32], library: Library, filters: Filters | None
) -> list[_Candidate]:
    allowed = library.allowed(filters) if filters else None
    words = dict(library.bm25(question, POOL, allowed=allowed))
    bound = library.bm25_bound(question)
    near = {
        chunk.doc_id
        for kind in ("abstract", "window")
        for chunk, _ in library.nearest(kind, query, POOL, allowed=allowed)
    }
    doc_ids = sorted(near | words.keys())
    abstracts = _best(query, library.vectors(doc_ids, "abstract"))
    windows = _best(query, library.vectors(doc_ids, "window"))
    found = []
    for doc_id in windows.keys() & abstracts.keys():
        chunk, window = windows[doc_id]
        scores = {"dense": abstracts[doc_id][1], "window": window}
        if doc_id in words and bound > 0:
            scores |= {"bm25": round(words[doc_id], 6), "bm25_share": round(words[doc_id] / bound, 6)}
        found.append(_Candidate(chunk, scores))
    return found


def _reranked(
    candidates: Sequence[_Candidate],
    documents: Mapping[str, Document],
    query: NDArray[np.float32],
    sentences: SentenceVectors,
) -> list[_Candidate]:
    found = sentences.of([documents[c.chunk.doc_id] for c in candidates])
    return [
        replace(c, scores={**c.scores, "sentence": round(float((own.vectors @ query).max(initial=-1.0)), 6)})
        for c, own in zip(candidates, found, strict=True)
    ]


def _read(
    question: str,
    candidates: Sequence[_Candidate],
    documents: Mapping[str, Document],
    library: Library,
    reader: Reader,
) -> list[_Candidate]:
    """Every window of the candidates, under its paper's title, in one batch; the best window counts."""
    windows = [
        (place, chunk)
        for place, candidate in enumerate(candidates)
        for chunk in library.chunks(candidate.chunk.doc_id, "window")
    ]
    texts = [titled(documents[chunk.doc_id], chunk.text) for _, chunk in windows]
    best: dict[int, float] = {}
    for (place, _), logit in zip(windows, reader.read(question, texts).tolist(), strict=True):
        best[place] = max(logit, best.get(place, -99.0))
    return [
        replace(c, scores={**c.scores, "reader": round(best[place], 4)}) if place in best else c
        for place, c in enumerate(candidates)
    ]


def titled(document: Document, text: str) -> str:
    """A part of a paper as the reader sees it: under the paper's title."""
    return f"{fold(document.title)}. {fold(text)}" if document.title else fold(text)


def _sorted(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    return sorted(candidates, key=lambda c: (-c.score, c.chunk.doc_id))


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
