"""Question and hits → the evidence sentences, and how likely they answer.

A sentence is scored by how well it fits the question, by meaning and by words, and by how well its
paper does. The sum is on a scale that means the same for every question, so one threshold separates
evidence from noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.cite import Evidence
from rag.lexical import stems
from rag.text import sentence_spans
from rag.types import Chunk, Document, Hit

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Idf = Callable[[Sequence[str]], Mapping[str, float]]

# Fitted on the dev questions (see `footnote bench evidence`).
PAPERS = 5
WORD_WEIGHT = 0.5
PAPER_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Evidence, best first, all of it above the floor; `strength` of the best, comparable across questions."""

    evidence: tuple[Evidence, ...]
    strength: float


def candidates(documents: Sequence[Document]) -> list[tuple[Document, Chunk]]:
    """Every sentence of the documents as a chunk, in order."""
    return [
        (document, Chunk(document.id, start, end, document.text[start:end]))
        for document in documents
        for start, end in sentence_spans(document.text)
    ]


def select(
    question: str,
    query: NDArray[np.float32],
    hits: Sequence[Hit],
    documents: Mapping[str, Document],
    *,
    encode: Encode,
    idf: Idf,
    most: int,
) -> Selection:
    """Pick the `most` best sentences of the best papers."""
    papers = [hit for hit in hits[:PAPERS] if hit.chunk.doc_id in documents]
    found = candidates([documents[hit.chunk.doc_id] for hit in papers])
    if not found:
        return Selection((), 0.0)
    place = {hit.chunk.doc_id: hit.score for hit in papers}
    similarity = encode([f"{chunk.text}" for _, chunk in found]) @ query
    shares = word_shares(question, [chunk.text for _, chunk in found], idf)
    scored = [
        Evidence(document, chunk, float(s + WORD_WEIGHT * w + PAPER_WEIGHT * place[document.id]))
        for (document, chunk), s, w in zip(found, similarity, shares, strict=True)
    ]
    scored.sort(key=lambda e: (-e.score, e.chunk.doc_id, e.chunk.start))
    return Selection(tuple(scored[:most]), scored[0].score)


def word_shares(question: str, texts: Sequence[str], idf: Idf) -> list[float]:
    """For each text, the share of the question's term weight (inverse document frequency) it has."""
    wanted = list(dict.fromkeys(stems(question)))
    weights = idf(wanted)
    total = sum(weights[term] for term in wanted)
    if not total:
        return [0.0] * len(texts)
    return [
        sum(weights[t] for t in wanted if t in own) / total for own in (set(stems(text)) for text in texts)
    ]
