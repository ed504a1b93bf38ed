"""A standalone question → how it was understood, and its best papers.

A question for papers is searched for what they are about. Misspelt words are put right by the papers that were found
with them, and a language model has its say where the question is in other words than the papers. Ranking itself is
left to `rag.retrieve`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.choosing import Models
from rag.followup import asked_length
from rag.library import Filters, Library
from rag.retrieve import GUESSED, by_likelihood, in_other_words, retrieve
from rag.sentences import Query
from rag.spelling import corrected, suspects
from rag.types import Document, Hit
from rag.which_papers import lists, topic

SPELLING_PAPERS = 10  # whose words stand in for misspelt ones


def search(
    question: str, library: Library, models: Models, *, k: int, filters: Filters | None = None, fetch: bool = False
) -> tuple[Query, list[Hit]]:
    """The question, misspelt words put right, and its `k` best papers, best first.

    `fetch` allows to fetch what an answer needs anyway, so that the first question finds no less than the next.
    """
    query = _query(question, library, models)
    misspelt = suspects(question, models.embedder, library.idf)
    hits = _retrieved(query, library, models, k, filters)
    if misspelt:
        right = corrected(question, misspelt, with_papers(hits[:SPELLING_PAPERS], library)[1].values())
        if right != question:  # else its strange words are rare, not misspelt
            query = _query(right, library, models)
            hits = _retrieved(query, library, models, k, filters)
    if in_other_words(hits) and (model := models.asker(fetch=fetch)):
        hits, papers = with_papers(hits, library)
        hits = by_likelihood(query.text, hits, papers, model)
    return query, hits[:k]


def with_papers(hits: Sequence[Hit], library: Library) -> tuple[list[Hit], dict[str, Document]]:
    """The hits whose papers are still there, for another process may have removed some, and the papers by id."""
    papers = {document.id: document for document in library.documents([hit.chunk.doc_id for hit in hits])}
    return [hit for hit in hits if hit.chunk.doc_id in papers], papers


def _query(question: str, library: Library, models: Models) -> Query:
    sought = topic(question)
    query = models.sentences.query(sought, library.idf, asked=asked_length(sought))
    return replace(query, lists=lists(question), question=question)


def _retrieved(query: Query, library: Library, models: Models, k: int, filters: Filters | None) -> list[Hit]:
    k = max(k, SPELLING_PAPERS, GUESSED)
    return retrieve(query, library, models.sentences, reranker=models.reranker, k=k, filters=filters)
