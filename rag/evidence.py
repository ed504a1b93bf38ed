"""Question and hits → the evidence sentences, and whether they can answer.

A sentence is scored by how well it fits the question, by meaning and by words, and by how well its
paper does. The sum is on a scale that means the same for every question, so one threshold separates
evidence from noise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.cite import Evidence
from rag.lexical import terms
from rag.sentences import SentenceVectors
from rag.types import Document, Hit

Idf = Callable[[Sequence[str]], Mapping[str, float]]

# Chosen on the dev questions.
PAPERS = 5  # papers whose sentences compete
MOST = 5  # sentences in all
WORD_WEIGHT = 0.4
PAPER_WEIGHT = 2.0
WEAK = 0.0

_WANTS_MANY = re.compile(
    r"\b(?:which|what|list|name|find|show|any|all|every|how many)\b[\w\s,'-]{0,40}?"
    r"\b(?:papers?|works|studies|articles?|abstracts?|publications|authors|researchers)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Evidence, best first; `strength` is the best one's score, `answers` whether that is enough."""

    evidence: tuple[Evidence, ...]
    strength: float

    @property
    def answers(self) -> bool:
        """Whether the evidence is strong enough to answer from."""
        return bool(self.evidence) and self.strength >= WEAK


def wants_many(question: str) -> bool:
    """Whether the question asks for papers rather than for a fact."""
    return bool(_WANTS_MANY.search(question))


def select(
    question: str,
    query: NDArray[np.float32],
    hits: Sequence[Hit],
    documents: Mapping[str, Document],
    sentences: SentenceVectors,
    *,
    idf: Idf,
) -> Selection:
    """Pick the best sentences of the best papers; ties by document and place."""
    papers = [hit for hit in hits[:PAPERS] if hit.chunk.doc_id in documents]
    scored = [
        evidence
        for hit in papers
        for evidence in _scored(question, query, documents[hit.chunk.doc_id], sentences, idf, hit.score)
    ]
    scored.sort(key=lambda e: (-e.score, e.chunk.doc_id, e.chunk.start))
    return Selection(tuple(scored[:MOST]), scored[0].score if scored else 0.0)


def nearest_sentences(
    claim: str,
    query: NDArray[np.float32],
    document: Document,
    sentences: SentenceVectors,
    *,
    idf: Idf,
    most: int,
) -> list[Evidence]:
    """The sentences of one document that fit a claim best, best first."""
    scored = _scored(claim, query, document, sentences, idf, 0.0)
    return sorted(scored, key=lambda e: (-e.score, e.chunk.start))[:most]


def _scored(
    question: str,
    query: NDArray[np.float32],
    document: Document,
    sentences: SentenceVectors,
    idf: Idf,
    paper_score: float,
) -> list[Evidence]:
    (own,) = sentences.of([document])
    similarity = own.vectors @ query
    shares = word_shares(question, [chunk.text for chunk in own.chunks], idf)
    return [
        Evidence(document, chunk, round(float(s + WORD_WEIGHT * w + PAPER_WEIGHT * paper_score), 6))
        for chunk, s, w in zip(own.chunks, similarity, shares, strict=True)
    ]


def word_shares(question: str, texts: Sequence[str], idf: Idf) -> list[float]:
    """For each text, the share of the question's term weight (inverse document frequency) it has."""
    wanted = list(dict.fromkeys(terms(question)))
    weights = idf(wanted)
    total = sum(weights[term] for term in wanted)
    if not total:
        return [0.0] * len(texts)
    return [sum(weights[t] for t in wanted if t in own) / total for own in (set(terms(text)) for text in texts)]
