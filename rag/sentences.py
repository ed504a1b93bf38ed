"""Sentences of documents with their vectors, embedded when first needed and kept.

Embedding every sentence at ingest would double its cost for vectors that most questions never touch;
ten papers take about 0.1 s, and a paper that is asked about is usually asked about again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from rag.models import Embedder
from rag.text import sentence_spans
from rag.types import Chunk, Document

KEPT = 4_000  # documents: about 50 MB


@dataclass(frozen=True, slots=True)
class Sentences:
    """A document's sentences in order, and their vectors `(n, d)`."""

    document: Document
    chunks: tuple[Chunk, ...]
    vectors: NDArray[np.float32]


@dataclass
class SentenceVectors:
    """A cache of embedded sentences, least recently used out first; safe between threads."""

    embedder: Embedder
    _kept: OrderedDict[tuple[str, str], Sentences] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

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
        vectors = self.embedder.encode(texts) if texts else np.zeros((0, self.embedder.dimension), np.float32)
        embedded = []
        start = 0
        for document, own in zip(documents, spans, strict=True):
            chunks = tuple(Chunk(document.id, a, b, document.text[a:b]) for a, b in own)
            embedded.append(Sentences(document, chunks, vectors[start : start + len(own)]))
            start += len(own)
        return embedded
