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
from rag.library.lexical import terms
from rag.sentences import SentenceVectors
from rag.types import Document, Hit

Idf = Callable[[Sequence[str]], Mapping[str, float]]

# Chosen on the dev claims and questions; flat around these values.
WORD_WEIGHT = 0.8
PAPER_WEIGHT = 1.0
WEAK = 0.0


@dataclass(frozen=True, slots=True)
class _Breadth:
    """How many papers a question wants, how near to the best they must be, and how much of each."""

    papers: int
    share: float  # of the best paper's score
    sentences: int  # of one paper
    most: int  # in all


_FACT = _Breadth(papers=5, share=0.0, sentences=5, most=5)
_COMPARISON = _Breadth(papers=3, share=0.6, sentences=2, most=5)
_LIST = _Breadth(papers=8, share=0.55, sentences=1, most=8)

_WANTS_MANY = re.compile(
    r"\b(?:which|what|list|name|find|show|any|all|every|how many)\b[\w\s,'-]{0,40}?"
    r"\b(?:papers?|works|studies|articles?|abstracts?|publications|authors|researchers)\b",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"\b(?:compar\w+|differ\w*|contrast\w*|versus|vs|both|respectively|in common"
    r"|similarit\w+|share[sd]?|(?:dis)?agree)\b",
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


def breadth_of(question: str) -> _Breadth:
    """Whether a question asks for papers, compares, or wants a fact."""
    if _WANTS_MANY.search(question):
        return _LIST
    return _COMPARISON if _COMPARES.search(question) else _FACT


def select(
    question: str,
    query: NDArray[np.float32],
    hits: Sequence[Hit],
    documents: Mapping[str, Document],
    sentences: SentenceVectors,
    *,
    idf: Idf,
) -> Selection:
    """Pick the best sentences of the best papers, as many of each as the question's breadth has it."""
    breadth = breadth_of(question)
    papers = [hit for hit in hits[: breadth.papers] if hit.score >= breadth.share * hits[0].score]
    scored = [
        evidence
        for hit in papers
        for evidence in _best(
            _scored(question, query, documents[hit.chunk.doc_id], sentences, idf, hit.score), breadth.sentences
        )
    ]
    chosen = _best(scored, breadth.most)
    return Selection(tuple(chosen), chosen[0].score if chosen else 0.0)


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
    return _best(_scored(claim, query, document, sentences, idf, 0.0), most)


def _best(evidence: Sequence[Evidence], most: int) -> list[Evidence]:
    return sorted(evidence, key=lambda e: (-e.score, e.chunk.doc_id, e.chunk.start))[:most]


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
