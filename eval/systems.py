"""What is put to the questions: the pipeline, and the controls that every report sets beside it.

A control is a system that a good score must be told from. BM25 alone shows what retrieval brings; no
context and shuffled context, what answering without the right text looks like; the gold abstract given,
what is lost after retrieval; the copied top passage, how far copying alone would come.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from eval.dataset import Question
from rag.answer import compose, quotation, read
from rag.cite import Evidence
from rag.followup import standalone
from rag.library import Filters
from rag.library.lexical import terms
from rag.pipeline import Footnote
from rag.text import sentence_spans
from rag.types import Abstention, Answer, Chunk, Claim, Document, Hit


class System(Protocol):
    """Anything that answers a question with an `Answer`."""

    @property
    def name(self) -> str:
        """What the report calls it."""
        ...

    def answer(self, question: Question) -> Answer:
        """Answer or abstain. A FootnoteError becomes a record of its own."""
        ...


@dataclass(frozen=True)
class Pipeline:
    """Footnote itself."""

    footnote: Footnote
    name: str = "footnote"

    def answer(self, question: Question) -> Answer:
        """As `footnote ask`, the papers that the question hides left out."""
        return self.footnote.ask(question.question, history=question.history, filters=_but_hidden(question))


@dataclass(frozen=True)
class GoldContext:
    """The pipeline over nothing but the papers that hold the answer."""

    footnote: Footnote
    name: str = "gold abstract"

    def answer(self, question: Question) -> Answer:
        """Unanswerable questions have no gold paper: they go to the whole library."""
        given = Filters(sources=question.gold_sources) if question.gold_sources else _but_hidden(question)
        return self.footnote.ask(question.question, history=question.history, filters=given)


@dataclass(frozen=True)
class ShuffledContext:
    """The pipeline over as many other papers, drawn by the question's id."""

    footnote: Footnote
    documents: Sequence[Document]
    name: str = "shuffled context"

    def answer(self, question: Question) -> Answer:
        """Whatever is answered here is not the papers' doing."""
        others = sorted({d.source for d in self.documents} - {*question.gold_sources, *question.without})
        drawn = random.Random(question.id).sample(others, min(3, len(others)))
        return self.footnote.ask(question.question, history=question.history, filters=Filters(sources=tuple(drawn)))


@dataclass(frozen=True)
class NoContext:
    """The generator alone, with nothing to read or to cite."""

    footnote: Footnote
    name: str = "no context"

    def answer(self, question: Question) -> Answer:
        """Its sentences are claims without a citation."""
        pieces = self.footnote.generator.stream(
            self.footnote.models.instructions,
            f"Question: {_alone(question)}",
            max_new_tokens=self.footnote.models.max_new_tokens,
        )
        draft = read("".join(pieces), ())
        said = _said(question, draft.claims, model=self.footnote.settings.llm)
        return replace(said, fabricated_markers=draft.fabricated)


@dataclass(frozen=True)
class TopPassage:
    """Retrieval, and its best window quoted whole."""

    footnote: Footnote
    name: str = "copy top passage"

    def answer(self, question: Question) -> Answer:
        """It never abstains while there is a paper."""
        hits = self.footnote.search(question.question, k=10, history=question.history, filters=_but_hidden(question))
        documents = {d.id: d for d in self.footnote.library.documents([hits[0].chunk.doc_id])} if hits else {}
        claims = [quotation(Evidence(documents[h.chunk.doc_id], h.chunk, h.score)) for h in hits[:1]]
        return replace(_said(question, claims), hits=tuple(hits))


@dataclass(frozen=True)
class Bm25Only:
    """BM25, and the sentence of its best paper that shares most words with the question."""

    footnote: Footnote
    name: str = "BM25 only"

    def answer(self, question: Question) -> Answer:
        """It abstains where no word matches."""
        library = self.footnote.library
        allowed = library.allowed(_but_hidden(question))
        asked = _alone(question)
        found = sorted(library.bm25(asked, 10, allowed), key=lambda pair: (-pair[1], pair[0]))
        documents = {d.id: d for d in library.documents([doc_id for doc_id, _ in found])}
        hits = tuple(
            Hit(_whole(documents[doc_id]), score, rank, {"bm25": score}, documents[doc_id].source)
            for rank, (doc_id, score) in enumerate(found, start=1)
        )
        claims = [quotation(self._best(asked, documents[h.chunk.doc_id])) for h in hits[:1]]
        return replace(_said(question, claims), hits=hits)

    def _best(self, question: str, document: Document) -> Evidence:
        chunks = [Chunk(document.id, a, b, document.text[a:b]) for a, b in sentence_spans(document.text)]
        wanted = set(terms(question))
        rarity = self.footnote.library.idf(sorted(wanted))
        shares = [sum(rarity[term] for term in wanted & set(terms(chunk.text))) for chunk in chunks]
        best = max(range(len(chunks)), key=lambda i: (shares[i], -i))
        return Evidence(document, chunks[best], shares[best])


def controls(footnote: Footnote, documents: Sequence[Document]) -> list[System]:
    """All controls, cheapest first."""
    return [
        Bm25Only(footnote),
        TopPassage(footnote),
        GoldContext(footnote),
        ShuffledContext(footnote, documents),
        NoContext(footnote),
    ]


def _but_hidden(question: Question) -> Filters | None:
    """All papers but those that the question hides."""
    return Filters(without=question.without) if question.without else None


def _alone(question: Question) -> str:
    """A follow-up as the pipeline reads it: no control is to fail for want of the conversation."""
    return standalone(question.question, question.history)


def _whole(document: Document) -> Chunk:
    return Chunk(document.id, 0, len(document.text), document.text)


def _said(question: Question, claims: Sequence[Claim], *, model: str = "") -> Answer:
    text, placed = compose(claims)
    return Answer(
        question.question,
        _alone(question),
        text,
        claims=placed,
        abstention=None if placed else Abstention.NO_HITS,
        model=model,
    )
