"""Question → ranked hits: whole abstracts and sentence windows by meaning, BM25 by words, fused.

Ranks are not fused but scores, each on a scale that means the same for every question: cosine as it
is, BM25 as a share of what a document with every word of the question could score. A question that
shares no rare word with the library gets small shares, so BM25 cannot push down what meaning found.
Reciprocal rank fusion lacks that: the best of ten bad word matches counts as much as a perfect one.
The best few are ranked again by their best sentence, matched word by word (`rag.sentences`), and by
a reranker where one is set. Where hardly a word is shared, a language model has a say as well.

Source: convex combination of scores under absolute normalization, Bruch, Gai, Ingber, ACM TOIS 2023.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rag.library import Filters, Library
from rag.models import QueryLikelihood, Reader
from rag.models.reader import titled
from rag.sentences import Query, SentenceVectors
from rag.types import Chunk, Document, Hit

# Chosen on eval/data/questions-dev.jsonl, MED and CISI; flat around these values.
MATCH_WEIGHT = 2.0
BM25_WEIGHT = 1.5
# A paper with all the words of a question is meant; one with a few of them may be anything.
BM25_POWER = 1.5
POOL = 100  # candidates that each channel proposes; every candidate is scored by all channels
RERANKED = 20  # papers whose sentences are looked at one by one
RERANKER_WEIGHT = 0.05  # of its logit
# A question whose best word match has less than this share of its words is in other words than the papers.
FEW_WORDS = 0.2
NOT_FAR = 0.4  # match and cosine together; of 66 such dev questions that can be answered, none has less than .53
GUESSED = 12  # papers that such a question is weighed against by its likelihood; more of them change nothing
LIKELIHOOD_WEIGHT = 2.0  # of a mean log-probability; 1.6 to 2.4 do alike
MOST_OF_A_TOKEN = 3.0  # what a token may be likelier or less likely than after the others: no one word decides


@dataclass(frozen=True, slots=True)
class _Candidate:
    chunk: Chunk
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        dense, window = self.scores["dense"], self.scores["window"]
        meaning = (dense + window) / 2 + MATCH_WEIGHT * self.scores.get("match", window)
        fused = meaning + BM25_WEIGHT * math.pow(self.scores.get("bm25_share", 0.0), BM25_POWER)
        return round(fused + RERANKER_WEIGHT * self.scores.get("reranker", 0.0), 6)


def retrieve(
    query: Query,
    library: Library,
    sentences: SentenceVectors,
    *,
    reranker: Reader | None = None,
    k: int = 10,
    filters: Filters | None = None,
) -> list[Hit]:
    """The `k` best documents, each with its best window.

    Ties are broken by document id. `scores` holds the cosines `dense` (abstract) and `window` (best
    window); `bm25` and `bm25_share` where a word matched; for the first `RERANKED` the `match` of the
    best sentence, and the logit of the best window by the `reranker`, where there is one.
    """
    first = _sorted(_candidates(query, library, filters))[: max(k, RERANKED)]
    documents = {d.id: d for d in library.documents([c.chunk.doc_id for c in first])}
    first = [c for c in first if c.chunk.doc_id in documents]
    again = _matched(first[:RERANKED], documents, query, sentences)
    if reranker:
        again = _reranked(query.text, again, documents, library, reranker)
    return [
        Hit(
            c.chunk,
            c.score,
            rank,
            c.scores,
            documents[c.chunk.doc_id].source,
            documents[c.chunk.doc_id].title,
        )
        for rank, c in enumerate((_sorted(again) + first[RERANKED:])[:k], start=1)
    ]


def in_other_words(hits: Sequence[Hit]) -> bool:
    """Whether no paper has much of the question's words, so that their order says little, but some is like it."""
    has_few = len(hits) > 1 and max(hit.scores.get("bm25_share", 0.0) for hit in hits) < FEW_WORDS
    return has_few and max(hit.scores.get("match", 0.0) + hit.scores.get("dense", 0.0) for hit in hits) >= NOT_FAR


def by_likelihood(
    question: str, hits: Sequence[Hit], documents: Mapping[str, Document], model: QueryLikelihood
) -> list[Hit]:
    """The hits with the first `GUESSED` in order of score and how likely the question is after each abstract.

    A language model knows words for things that no encoder of this size brings together. `scores` gets
    `likelihood`, how much likelier the question's tokens are after this abstract than after the mean of them, a mean
    logarithm; `score` loses what it falls behind the best.

    Source: query likelihood, Ponte and Croft, SIGIR 1998; by a language model, Sachan et al., EMNLP 2022.
    """
    first, rest = hits[:GUESSED], hits[GUESSED:]
    papers = [documents[hit.chunk.doc_id] for hit in first]
    found = model.log_likelihood(question, [titled(paper.title, paper.text) for paper in papers])
    gains = found - (np.logaddexp.reduce(found, axis=0) - math.log(len(found)))
    likely = gains.clip(-MOST_OF_A_TOKEN, MOST_OF_A_TOKEN).mean(axis=1).tolist()
    ranked = [
        replace(
            hit,
            score=round(hit.score + LIKELIHOOD_WEIGHT * (own - max(likely)), 6),
            scores={**hit.scores, "likelihood": round(own, 4)},
        )
        for hit, own in zip(first, likely, strict=True)
    ]
    ranked.sort(key=lambda hit: (-hit.score, hit.chunk.doc_id))
    return [replace(hit, rank=rank) for rank, hit in enumerate([*ranked, *rest], start=1)]


def _candidates(query: Query, library: Library, filters: Filters | None) -> list[_Candidate]:
    allowed = library.allowed(filters) if filters else None
    words = dict(library.bm25(query.text, POOL, allowed=allowed))
    bound = library.bm25_bound(query.text)
    near = {
        chunk.doc_id
        for kind in ("abstract", "window")
        for chunk, _ in library.nearest(kind, query.vector, POOL, allowed=allowed)
    }
    doc_ids = sorted(near | words.keys())
    abstracts = _best(query.vector, library.vectors(doc_ids, "abstract"))
    windows = _best(query.vector, library.vectors(doc_ids, "window"))
    found = []
    for doc_id in windows.keys() & abstracts.keys():
        chunk, window = windows[doc_id]
        scores = {"dense": abstracts[doc_id][1], "window": window}
        if doc_id in words and bound > 0:
            scores |= {"bm25": round(words[doc_id], 6), "bm25_share": round(words[doc_id] / bound, 6)}
        found.append(_Candidate(chunk, scores))
    return found


def _matched(
    candidates: Sequence[_Candidate], documents: Mapping[str, Document], query: Query, sentences: SentenceVectors
) -> list[_Candidate]:
    found = sentences.of([documents[c.chunk.doc_id] for c in candidates])
    return [
        replace(c, scores={**c.scores, "match": round(float(own.matches(query).max(initial=0.0)), 6)})
        for c, own in zip(candidates, found, strict=True)
    ]


def _reranked(
    question: str,
    candidates: Sequence[_Candidate],
    documents: Mapping[str, Document],
    library: Library,
    reranker: Reader,
) -> list[_Candidate]:
    """Every window of the candidates, under its paper's title, in one batch; the best window counts."""
    windows = [
        (place, chunk)
        for place, candidate in enumerate(candidates)
        for chunk in library.chunks(candidate.chunk.doc_id, "window")
    ]
    texts = [titled(documents[chunk.doc_id].title, chunk.text) for _, chunk in windows]
    best: dict[int, float] = {}
    for (place, _), logit in zip(windows, reranker.read(question, texts).tolist(), strict=True):
        best[place] = max(logit, best.get(place, -99.0))
    return [
        replace(c, scores={**c.scores, "reranker": round(best[place], 4)}) if place in best else c
        for place, c in enumerate(candidates)
    ]


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
