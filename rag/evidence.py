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
from rag.words import figures, names

Idf = Callable[[Sequence[str]], Mapping[str, float]]

# Chosen on eval/data/claims-dev.jsonl; flat around these values. To be fitted again on dev questions.
WORD_WEIGHT = 0.8
PAPER_WEIGHT = 1.0
FIGURE_BONUS = 0.2  # for a sentence with a figure, when the question asks for one
# Below these there is an abstention. Far questions stay under the first; the second catches questions that
# name a paper which does not speak of what is asked. Near misses above both are still answered.
PAPER_FLOOR = 0.3
ASPECT_FLOOR = 0.22
_FEWEST_TERMS = 3  # "What is it?" asks for the paper itself


@dataclass(frozen=True, slots=True)
class _Breadth:
    """How many papers a question wants, how near to the best they must be, and how much of each."""

    papers: int
    share: float  # of the best paper's score
    sentences: int  # of one paper
    most: int  # in all


_FACT = _Breadth(papers=3, share=0.7, sentences=5, most=5)
_COMPARISON = _Breadth(papers=3, share=0.6, sentences=2, most=5)
_LIST = _Breadth(papers=8, share=0.55, sentences=1, most=8)

_WANTS_MANY = re.compile(
    r"\b(?:which|what|list|name|find|show|any|all|every|how many)\b[\w\s,'-]{0,40}?"
    r"\b(?:papers?|works|studies|articles?|abstracts?|publications|authors|researchers)\b",
    re.IGNORECASE,
)
_COUNTS = re.compile(r"\bhow many\b|\bwhat (?:percentage|share|fraction|proportion|number)\b", re.IGNORECASE)
_MEASURES = re.compile(
    r"\bhow (?:much|large|big|long|fast|often|accurate|far|high|low|well)\b|\bby what\b|\bsizes?\b|\bscores?\b",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\b(?:one|single|just one|both|pair|dozens|hundreds|thousands|millions|billions)\b", re.IGNORECASE
)
_COMPARES = re.compile(
    r"\b(?:compar\w+|differ\w*|contrast\w*|versus|vs|both|respectively|in common"
    r"|similarit\w+|share[sd]?|(?:dis)?agree)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Evidence, best first, and whether it is strong enough to answer from."""

    evidence: tuple[Evidence, ...]
    answers: bool
    names_papers: bool = False  # the question asks about papers, so that an answer has to say which


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
    papers = _near_the_best(hits, breadth)
    if breadth is _COMPARISON and len(papers) == 1:  # within one paper
        breadth = _FACT
        papers = _near_the_best(hits, breadth)
    scored = [
        evidence
        for hit in papers
        for evidence in _best(
            _scored(question, query, documents[hit.chunk.doc_id], sentences, idf, hit.score), breadth.sentences
        )
    ]
    chosen = _best(scored, breadth.most)
    answers = bool(chosen) and hits[0].score >= PAPER_FLOOR
    if answers and breadth is _FACT:
        answers = _speaks_of(question, documents[hits[0].chunk.doc_id], sentences)
        if _COUNTS.search(question):
            best = hits[0].chunk.doc_id
            answers = answers and any(_has_figure(item.text) for item in chosen if item.document.id == best)
    several = len({item.document.id for item in chosen}) > 1
    return Selection(tuple(chosen), answers, names_papers=several and breadth is not _FACT)


def _near_the_best(hits: Sequence[Hit], breadth: _Breadth) -> list[Hit]:
    return [hit for hit in hits[: breadth.papers] if hit.score >= breadth.share * hits[0].score]


def _speaks_of(question: str, paper: Document, sentences: SentenceVectors) -> bool:
    """Whether any sentence of the paper is near to what is asked, the names in the question aside.

    A name finds its paper whatever is asked about it; what is left of the question must find a sentence.
    """
    aspect = question
    for name in names(question):
        aspect = aspect.replace(name, "it")
    if aspect == question or len(terms(aspect)) < _FEWEST_TERMS:
        return True
    (own,) = sentences.of([paper])
    query = sentences.embedder.encode_query(aspect)
    return bool((own.vectors @ query).max(initial=-1.0) >= ASPECT_FLOOR)


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
    bonus = FIGURE_BONUS if _COUNTS.search(question) or _MEASURES.search(question) else 0.0
    return [
        Evidence(
            document,
            chunk,
            round(float(s + WORD_WEIGHT * w + PAPER_WEIGHT * paper_score + bonus * _has_figure(chunk.text)), 6),
        )
        for chunk, s, w in zip(own.chunks, similarity, shares, strict=True)
    ]


def _has_figure(text: str) -> bool:
    return bool(figures(text) or _QUANTITY.search(text))


def word_shares(question: str, texts: Sequence[str], idf: Idf) -> list[float]:
    """For each text, the share of the question's term weight (inverse document frequency) it has."""
    wanted = list(dict.fromkeys(terms(question)))
    weights = idf(wanted)
    total = sum(weights[term] for term in wanted)
    if not total:
        return [0.0] * len(texts)
    return [sum(weights[t] for t in wanted if t in own) / total for own in (set(terms(text)) for text in texts)]
