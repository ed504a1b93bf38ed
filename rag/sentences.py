"""How well each sentence of a document matches a question, word by word ("late interaction").

One vector for a whole question blurs what it asks. Here each of its words looks for its best
counterpart among the words of a sentence; a match is the mean of those similarities, and rare words
count more. Paraphrases find each other this way that neither shared words nor whole vectors bring
together.

Sentences are embedded when first needed and kept: at ingest that would double the cost for vectors
that most questions never touch. Ten papers take about 0.1 s.

Source: MaxSim, Khattab and Zaharia, ColBERT, SIGIR 2020; weighted by inverse document frequency.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from rag.library.lexical import terms
from rag.models import Embedder
from rag.models.embedder import Vectors
from rag.text import Span, sentence_spans
from rag.types import Chunk, Document

KEPT = 1_000  # documents: about 200 MB

Idf = Callable[[Sequence[str]], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Query:
    """A question or claim: its vector `(d,)`, those of its tokens `(m, d)`, and their weights `(m,)`, of sum 1.

    `asked`, `(m,)`, is true for the tokens of content words that belong to what is asked; a follow-up's
    topic does not. `lists` says that papers are asked for, and the text is what they are about; `question` is the
    whole of what was asked.
    """

    text: str
    vector: Vectors
    tokens: Vectors
    weights: NDArray[np.float32]
    asked: NDArray[np.bool_]
    lists: bool = False
    question: str = ""


@dataclass(frozen=True, slots=True)
class Sentences:
    """A document's sentences in order, and the vectors of their tokens, `(tokens, d)` each, in 16 bits."""

    document: Document
    chunks: tuple[Chunk, ...]
    tokens: tuple[NDArray[np.float16], ...]

    def matches(self, query: Query) -> NDArray[np.float32]:
        """How well each sentence matches, `(n,)`, 1 at most."""
        return np.asarray(self.found(query) @ query.weights, np.float32)

    def found(self, query: Query) -> NDArray[np.float32]:
        """How similar to each token of the query the nearest of each sentence is, `(n, m)`."""
        if not self.tokens:
            return np.zeros((0, len(query.weights)), np.float32)
        starts = np.cumsum([0, *(len(own) for own in self.tokens[:-1])])
        similar = np.concatenate(self.tokens).astype(np.float32) @ query.tokens.T
        return np.asarray(np.maximum.reduceat(similar, starts), np.float32)


@dataclass
class SentenceVectors:
    """A cache of embedded sentences, least recently used out first; safe between threads."""

    embedder: Embedder
    _kept: OrderedDict[tuple[str, str], Sentences] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def query(self, text: str, idf: Idf, *, asked: int | None = None) -> Query:
        """Embed a question; `idf` says how much each term tells documents apart.

        Of the text, the first `asked` characters are what is asked, the rest its topic.
        """
        (own,) = self.embedder.encode_tokens([text], query=True)
        weights = _weights(text, own.spans, idf)
        inside = np.asarray([asked is None or start < asked for start, _ in own.spans], np.bool_)
        return Query(text, own.vector, own.tokens, weights, (weights > 0) & inside)

    def of(self, documents: Sequence[Document]) -> list[Sentences]:
        """The sentences of each document, in the order given."""
        with self._lock:
            missing = {(d.id, d.text): d for d in documents if (d.id, d.text) not in self._kept}
            for found in self._embedded(list(missing.values())):
                self._kept[found.document.id, found.document.text] = found
            result = [self._kept[d.id, d.text] for d in documents]
            for document in documents:
                self._kept.move_to_end((document.id, document.text))
            while len(self._kept) > max(KEPT, len(documents)):
                self._kept.popitem(last=False)
        return result

    def _embedded(self, documents: Sequence[Document]) -> list[Sentences]:
        spans = [sentence_spans(document.text) for document in documents]
        texts = [d.text[a:b] for d, own in zip(documents, spans, strict=True) for a, b in own]
        tokens = iter(self.embedder.encode_tokens(texts))
        return [
            Sentences(
                document,
                tuple(Chunk(document.id, a, b, document.text[a:b]) for a, b in own),
                tuple(next(tokens).tokens.astype(np.float16) for _ in own),
            )
            for document, own in zip(documents, spans, strict=True)
        ]


def _weights(text: str, spans: Sequence[Span], idf: Idf) -> NDArray[np.float32]:
    """The weight of each token: a word's inverse document frequency, shared among its pieces; stop words none."""
    words = [match.span() for match in re.finditer(r"\w+", text)]
    stems = [terms(text[start:end]) for start, end in words]
    rarity = idf([stem for own in stems for stem in own])
    weights = np.zeros(len(spans), np.float32)
    for (start, end), own in zip(words, stems, strict=True):
        pieces = [i for i, (first, last) in enumerate(spans) if first < end and last > start]
        if own and pieces:
            weights[pieces] += max(rarity[stem] for stem in own) / len(pieces)
    total = float(weights.sum())
    return weights / total if total else np.full(len(spans), 1 / max(1, len(spans)), np.float32)
