"""The nouns of Footnote: plain frozen values that every other module passes on.

Offsets count code points of `Document.text`, ends are exclusive. Nothing here reads, computes or
depends on an outside library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

JSON = dict[str, Any]


class Verdict(StrEnum):
    """What the cited text says about a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_ENOUGH_INFO = "not_enough_info"
    UNCHECKED = "unchecked"


class Abstention(StrEnum):
    """Why no answer was given."""

    NO_HITS = "no_hits"
    WEAK_EVIDENCE = "weak_evidence"
    NO_CITATION = "no_citation"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Document:
    """One abstract.

    `source` is `"<file name>#<n>"`, the n-th record of its file from 1. `metadata` holds JSON values
    only; the keys in use are listed in `rag.ingest.records`.
    """

    id: str
    title: str
    text: str
    source: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """An indexed span: `document.text[start:end] == text`."""

    doc_id: str
    start: int
    end: int
    text: str

    @property
    def id(self) -> str:
        """Unique in a library: a document has at most one chunk for a span and kind of index."""
        return f"{self.doc_id}:{self.start}-{self.end}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk found for a question; rank counts from 1, a higher score is better.

    `scores` keeps the parts that `score` was made of, by channel; a channel that did not find the
    document is absent.
    """

    chunk: Chunk
    score: float
    rank: int
    scores: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    title: str = ""

    def to_dict(self) -> JSON:
        """Return the JSON form of architecture.md."""
        return {
            "rank": self.rank,
            "score": self.score,
            "scores": dict(self.scores),
            "doc_id": self.chunk.doc_id,
            "source": self.source,
            "title": self.title,
            "start": self.chunk.start,
            "end": self.chunk.end,
            "text": self.chunk.text,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Hit:
        """Inverse of `to_dict`."""
        chunk = Chunk(row["doc_id"], row["start"], row["end"], row["text"])
        return cls(chunk, row["score"], row["rank"], dict(row["scores"]), row["source"], row["title"])


@dataclass(frozen=True, slots=True)
class Citation:
    """A footnote: `document.text[start:end] == quote`."""

    number: int
    doc_id: str
    start: int
    end: int
    quote: str
    source: str = ""
    title: str = ""

    def to_dict(self) -> JSON:
        """Return the JSON form of architecture.md."""
        return {
            "number": self.number,
            "doc_id": self.doc_id,
            "source": self.source,
            "title": self.title,
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Citation:
        """Inverse of `to_dict`."""
        return cls(row["number"], row["doc_id"], row["start"], row["end"], row["quote"], row["source"], row["title"])


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkable statement of an answer.

    `start`, `end`: its span in `Answer.text` with its markers left out (in a withdrawn claim, which
    is no longer in the text: both 0). `support` in 0..1, `None` when nobody checked. `judge` names
    who gave the verdict, `reason` says in plain words why it is not "supported".
    """

    text: str
    start: int
    end: int
    citations: tuple[Citation, ...] = ()
    verdict: Verdict = Verdict.UNCHECKED
    support: float | None = None
    judge: str = ""
    reason: str = ""

    def to_dict(self) -> JSON:
        """Return the JSON form of architecture.md."""
        return {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "verdict": self.verdict.value,
            "support": self.support,
            "judge": self.judge,
            "reason": self.reason,
            "citations": [citation.to_dict() for citation in self.citations],
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Claim:
        """Inverse of `to_dict`."""
        return cls(
            row["text"],
            row["start"],
            row["end"],
            tuple(Citation.from_dict(citation) for citation in row["citations"]),
            Verdict(row["verdict"]),
            row["support"],
            row.get("judge", ""),
            row.get("reason", ""),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to a question, what was taken out of it, and what it rests on.

    `abstention` is set exactly when `claims` is empty. `withdrawn` keeps what verification took
    out. `fabricated_markers` counts footnote numbers that the generator made up. `confidence`, in 0..1,
    is how likely the evidence answers the question, `None` where no reader said so. `fingerprint`
    identifies the library state and the settings that the answer was made with.
    """

    question: str
    standalone_question: str
    text: str
    claims: tuple[Claim, ...] = ()
    withdrawn: tuple[Claim, ...] = ()
    hits: tuple[Hit, ...] = ()
    abstention: Abstention | None = None
    model: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
    fingerprint: str = ""
    fabricated_markers: int = 0
    notice: str = ""
    confidence: float | None = None
    id: str | None = None

    @property
    def abstained(self) -> bool:
        """Whether no answer was given."""
        return self.abstention is not None

    @property
    def citations(self) -> tuple[Citation, ...]:
        """All footnotes in order of number, each once."""
        found = {(c.number, c.doc_id, c.start, c.end): c for claim in self.claims for c in claim.citations}
        return tuple(found[key] for key in sorted(found))

    def to_dict(self) -> JSON:
        """Return the JSON form of architecture.md, which `from_dict` reads back unchanged."""
        return {
            "id": self.id,
            "question": self.question,
            "standalone_question": self.standalone_question,
            "text": self.text,
            "abstained": self.abstained,
            "abstention": self.abstention.value if self.abstention else None,
            "notice": self.notice,
            "confidence": self.confidence,
            "claims": [claim.to_dict() for claim in self.claims],
            "withdrawn": [claim.to_dict() for claim in self.withdrawn],
            "fabricated_markers": self.fabricated_markers,
            "hits": [hit.to_dict() for hit in self.hits],
            "model": self.model,
            "timings": dict(self.timings),
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Answer:
        """Inverse of `to_dict`."""
        return cls(
            question=row["question"],
            standalone_question=row["standalone_question"],
            text=row["text"],
            claims=tuple(Claim.from_dict(claim) for claim in row["claims"]),
            withdrawn=tuple(Claim.from_dict(claim) for claim in row["withdrawn"]),
            hits=tuple(Hit.from_dict(hit) for hit in row["hits"]),
            abstention=Abstention(row["abstention"]) if row["abstention"] else None,
            model=row["model"],
            timings=dict(row["timings"]),
            fingerprint=row.get("fingerprint", ""),
            fabricated_markers=row.get("fabricated_markers", 0),
            notice=row.get("notice", ""),
            confidence=row.get("confidence"),
            id=row.get("id"),
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier question with its answer, as a follow-up needs them."""

    question: str
    answer: str
    doc_ids: tuple[str, ...] = ()
