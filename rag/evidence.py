"""Question and hits → the evidence sentences, and how likely they answer it.

A sentence is scored by how well it matches the question word by word, by what the reader makes of the
two together, and by how well its paper does. Whether the evidence answers is judged in
`rag.confidence`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rag import guards
from rag.cite import Evidence
from rag.confidence import Signals
from rag.coordination import asked_of
from rag.figures import figures
from rag.models import NliEntailer, Reader
from rag.models.entailer import signs
from rag.models.reader import titled
from rag.sentences import Query, Sentences, SentenceVectors
from rag.spelling import is_alike, is_usual
from rag.types import Document, Hit
from rag.words import words

# Chosen on eval/data/questions-dev.jsonl; flat around these values.
READER_WEIGHT = 0.12  # of a logit
PAPER_WEIGHT = 1.0
SIGNAL_PAPERS = 3  # whose sentences say whether any answers
SIGNAL_SENTENCES = 3  # of the chosen ones, held against the question as if it were a claim
FIGURE_BONUS = 0.2  # for a sentence with a figure, when the question asks for one

# A question that lists is answered out of as many papers as are near the best, a sentence of each.
_LIST_PAPERS = 8
_LIST_SHARE = 0.55  # of the best paper's score
_SURELY_FROM = 0.8  # of the best sentence's score: of such papers in the dev lists, four in five are asked for
# Any other question out of the best paper and those that have words of it which the best one lacks.
_READ_PAPERS = 5
_MOST_PAPERS = 3
_JOINED_SHARE = 0.6  # of the best paper's score
_FOUND_FROM = 0.5  # a token less similar than this to any of a paper's is not found there
_JOINED_FROM = 0.04  # what such a paper adds to the match of the whole question
_FEW = 2  # sentences of each of several papers
_MOST = 5  # sentences in all
# Where one paper has everything, near equals of it may say more.
_EQUALS = 3
_EQUAL_SHARE = 0.9

_ENOUGH_PAPERS = 3  # one alone may say a name in another way: of the dev questions, for 7 in 100 the right one does
_LETTERS = re.compile(r"[^\W\d_]+")
_COUNTS = re.compile(r"\bhow many\b|\bwhat (?:percentage|share|fraction|proportion|number)\b", re.IGNORECASE)
_MEASURES = re.compile(
    r"\bhow (?:much|large|big|long|fast|often|accurate|far|high|low|well)\b|\bby what\b|\bsizes?\b|\bscores?\b",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\b(?:one|single|just one|both|pair|dozens|hundreds|thousands|millions|billions)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Evidence, best first, and the signs that it answers the question.

    `unmentioned` is a name in the question that no paper which was found mentions, if there is one. `sure` are those
    of a list that belong there however long it gets.
    """

    evidence: tuple[Evidence, ...] = ()
    signals: Signals = field(default_factory=Signals)
    unmentioned: str = ""
    names_papers: bool = False  # the question asks about papers, so that an answer has to say which
    sure: tuple[Evidence, ...] = ()


def select(
    query: Query,
    hits: Sequence[Hit],
    documents: Mapping[str, Document],
    sentences: SentenceVectors,
    *,
    reader: Reader | None = None,
    entailer: NliEntailer | None = None,
) -> Selection:
    """Pick the best sentences of the best papers, of one at least: one of each for a list, else of those that it takes.

    `entailer` is Footnote's own or none; it has no say in what is picked.
    """
    listing = query.lists
    most, share = (_LIST_PAPERS, _LIST_SHARE) if listing else (_READ_PAPERS, _JOINED_SHARE)
    hits = [*hits[:1], *(hit for hit in hits[1:most] if hit.score >= share * hits[0].score)]
    papers = sentences.of([documents[hit.chunk.doc_id] for hit in hits])
    near = [_Near(hit, paper, paper.found(query)) for hit, paper in zip(hits, papers, strict=True)]
    joined = near[:1] if listing else _joined(query, near)
    asked = _asked_of_each(query.text, joined)
    read = _read(query, near if listing else list(dict.fromkeys([*near[:SIGNAL_PAPERS], *joined])), asked, reader)
    if listing:
        chosen = _best([own.ranked[0] for own in read if own.ranked], _LIST_PAPERS)
    elif len(joined) > 1:
        ranked = {own.near: own.ranked for own in read}
        chosen = [ranked[paper][at] for at in range(_FEW) for paper in joined if at < len(ranked[paper])]
    else:
        equals = [own for own in read[:_EQUALS] if own.near.hit.score >= _EQUAL_SHARE * hits[0].score]
        chosen = _best([item for own in equals for item in own.ranked], _MOST)
    # Footnote's own reader was trained on questions after facts, not after papers.
    knows = reader is not None and reader.knows_none and not listing
    several = len({item.document.id for item in chosen}) > 1
    names_papers = several and (listing or len(joined) > 1)
    unmentioned = _unmentioned(query.text, documents.values())
    signals = _signals(query, joined, read[:SIGNAL_PAPERS] if knows else ())
    signals = replace(signals, is_unmentioned=bool(unmentioned))
    if knows and entailer and chosen:
        own = {paper.sentences.document.id: text for paper, text in asked.items()}
        claims = [(item.text, own.get(item.document.id, query.text)) for item in chosen[:SIGNAL_SENTENCES]]
        carried = entailer.uncalibrated(claims)
        signals = replace(signals, entailed=max(signs(found)[0] for found in carried))
    sure = [item for item in chosen if listing and item.score >= _SURELY_FROM * chosen[0].score]
    return Selection(tuple(chosen), signals, unmentioned, names_papers, tuple(sure))


def _unmentioned(question: str, papers: Collection[Document]) -> str:
    """A name in the question that none of the papers has, if there is one.

    No version of one that they have (`Gemma-9`), no misspelt one, and no usual word, for which they may have another.
    """
    if len(papers) < _ENOUGH_PAPERS:
        return ""
    told = " ".join(
        f"{paper.title} {paper.text} {paper.metadata.get('authors')} {paper.metadata.get('venue')}" for paper in papers
    )
    for name in guards.unmentioned(question, told):
        is_version = re.search(rf"\b{max(_LETTERS.findall(name), key=len, default='')}", told, re.IGNORECASE)
        if not (is_usual(name) or is_version or is_alike(name.lower(), words(told))):
            return name
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """A paper near a question; `found`: how similar to each token of that the nearest of each sentence is, `(n, m)`."""

    hit: Hit
    sentences: Sentences
    found: NDArray[np.float32]

    @property
    def best_found(self) -> NDArray[np.float32]:
        """How similar to each token of the question the nearest of the paper is, `(m,)`."""
        best: NDArray[np.float32] = self.found.max(0, initial=0.0)
        return best


def _joined(query: Query, near: Sequence[_Near]) -> list[_Near]:
    """The best paper, and while one adds enough to what is found of the question, that one.

    Where none does, one that the question asks about in the same breath as about the best.
    """
    joined = [near[0]]
    found = np.maximum(near[0].best_found, _FOUND_FROM)
    while len(joined) < _MOST_PAPERS:
        gains = [
            (float(np.maximum(own.best_found - found, 0) @ query.weights), own) for own in near if own not in joined
        ]
        gain, best = max(gains, key=lambda pair: (pair[0], pair[1].hit.score), default=(0.0, None))
        if best is None or gain < _JOINED_FROM:
            break
        joined.append(best)
        found = np.maximum(found, best.best_found)
    if len(joined) == 1:
        pairs = [[near[0], own] for own in near[1:]]
        joined = next((pair for pair in pairs if query.text not in _asked_of_each(query.text, pair).values()), joined)
    return joined


def _asked_of_each(question: str, joined: Sequence[_Near]) -> dict[_Near, str]:
    """What is asked of each of several papers."""
    texts = {paper: f"{paper.sentences.document.title} {paper.sentences.document.text}" for paper in joined}
    return {
        paper: asked_of(question, own, [other for another, other in texts.items() if another is not paper])
        for paper, own in texts.items()
    }


@dataclass(frozen=True, slots=True)
class _Read:
    """A paper, read for a question: its sentences, best first, and what the reader gave them, in their own order."""

    near: _Near
    ranked: Sequence[Evidence]
    logits: Sequence[float]


def _read(query: Query, near: Sequence[_Near], asked: Mapping[_Near, str], reader: Reader | None) -> list[_Read]:
    """The papers, read for what is asked of each, or of all."""
    asks_figure = bool(_COUNTS.search(query.text) or _MEASURES.search(query.text))
    logits = _logits([(paper, asked.get(paper, query.text)) for paper in near], reader) if reader else {}
    read = []
    for paper in near:
        document, chunks = paper.sentences.document, paper.sentences.chunks
        own = logits.get(paper, [])
        scored = []
        for at, (chunk, match) in enumerate(zip(chunks, (paper.found @ query.weights).tolist(), strict=True)):
            bonus = FIGURE_BONUS if asks_figure and _has_figure(chunk.text) else 0.0
            score = match + (READER_WEIGHT * own[at] if own else 0.0) + bonus + PAPER_WEIGHT * paper.hit.score
            scored.append(Evidence(document, chunk, round(score, 6)))
        read.append(_Read(paper, _best(scored, len(scored)), own))
    return read


def _logits(asked: Sequence[tuple[_Near, str]], reader: Reader) -> dict[_Near, list[float]]:
    """What the reader gives each sentence of the papers for the question, one call for all that have the same."""
    found = {}
    for question in dict.fromkeys(text for _, text in asked):
        papers = [paper for paper, text in asked if text == question]
        texts = [titled(p.sentences.document.title, chunk.text) for p in papers for chunk in p.sentences.chunks]
        logits = iter(reader.read(question, texts).tolist())
        found.update({paper: [next(logits) for _ in paper.sentences.chunks] for paper in papers})
    return found


def _signals(query: Query, joined: Sequence[_Near], read: Sequence[_Read]) -> Signals:
    """The signs without the entailer's; `read` are the papers whose logits count, none where the reader cannot tell."""
    logits = [logit for own in read for logit in own.logits]
    found = np.max([paper.best_found for paper in joined], axis=0)
    best = joined[0].hit.scores
    return Signals(
        words=best.get("bm25_share", 0.0),
        match=best.get("match", 0.0),
        similarity=best.get("dense", 0.0),
        least_found=float(found[query.asked].min(initial=1.0)),
        reader=float(np.logaddexp.reduce(logits)) if logits else None,
    )


def nearest_sentences(query: Query, document: Document, sentences: SentenceVectors, *, most: int) -> list[Evidence]:
    """The sentences of one document that match a claim best, best first."""
    (own,) = sentences.of([document])
    matches = own.matches(query).tolist()
    return _best([Evidence(document, chunk, round(m, 6)) for chunk, m in zip(own.chunks, matches, strict=True)], most)


def as_written(evidence: Sequence[Evidence]) -> list[str]:
    """The sentences of one document as they follow each other there."""
    return [item.text for item in sorted(evidence, key=lambda item: item.chunk.start)]


def _best(evidence: Sequence[Evidence], most: int) -> list[Evidence]:
    return sorted(evidence, key=lambda e: (-e.score, e.chunk.doc_id, e.chunk.start))[:most]


def _has_figure(text: str) -> bool:
    return bool(figures(text) or _QUANTITY.search(text))
