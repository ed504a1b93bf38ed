"""An answer and its documents → what the page shows of them, as plain values without HTML.

A paper that is cited is shown as its whole abstract, cut into segments at its sentences and at the ends
of quotes; a footnote points to the segments it covers. Keys (`t3-p0-s4`: turn, paper, segment) are made
of our own integers.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.confidence import ANSWERS_FROM
from rag.export import about
from rag.library import Filters
from rag.text import fold, sentence_spans
from rag.types import Abstention, Answer, Citation, Claim, Document, Hit, Verdict
from rag.verify import VERBATIM

REASONS = {
    Abstention.NO_HITS: "No paper to search: the library holds none, or none that passes the filters.",
    Abstention.WEAK_EVIDENCE: "No sentence of the papers fits the question well enough.",
    Abstention.NO_CITATION: "Nothing that was written could be tied to a paper.",
    Abstention.UNSUPPORTED: "Nothing that was written is supported by the papers.",
}


@dataclass(frozen=True, slots=True)
class Sign:
    """How a verdict is shown: never by colour alone. `kind` names the underline."""

    kind: str
    icon: str
    word: str


_SIGNS = {
    Verdict.SUPPORTED: Sign("supported", "✓", "Supported"),
    Verdict.CONTRADICTED: Sign("contradicted", "✕", "Contradicted"),
    Verdict.NOT_ENOUGH_INFO: Sign("unsupported", "◐", "Not supported"),
    Verdict.UNCHECKED: Sign("unchecked", "?", "Not checked"),
}
_VERBATIM = Sign("supported", "✓", "Verbatim")

MEANINGS = (
    (_SIGNS[Verdict.SUPPORTED], "what it cites carries it"),
    (_VERBATIM, "it is a sentence of the paper, word for word"),
    (_SIGNS[Verdict.NOT_ENOUGH_INFO], "withdrawn: what it cites does not say this"),
    (_SIGNS[Verdict.CONTRADICTED], "withdrawn: what it cites says otherwise"),
    (_SIGNS[Verdict.UNCHECKED], "nobody has checked it"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A footnote's button: its number (None for a paper without one) and the segments it points to."""

    number: int | None
    title: str
    key: str
    segments: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the answer with its verdict and its footnotes."""

    key: str
    text: str
    sign: Sign
    marks: tuple[Mark, ...]
    judge: str
    support: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of an abstract; `cited` when a footnote of the answer rests on it."""

    key: str
    text: str
    cited: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper beside the answer; `number` is None for one that is not cited."""

    key: str
    number: int | None
    document: Document
    about: str
    segments: tuple[Segment, ...]
    score: float | None


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is shown of one answered question."""

    turn: int
    answer: Answer
    sentences: tuple[Sentence, ...]
    withdrawn: tuple[Sentence, ...]
    cited: tuple[Paper, ...]
    others: tuple[Paper, ...]
    summary: str
    reason: str
    filters: str
    copy: str


def shown(turn: int, answer: Answer, documents: Mapping[str, Document], filters: Filters | None = None) -> Shown:
    """Lay out an answer; `documents` should hold what it cites and found, and may lack what has gone since."""
    numbers = {citation.doc_id: citation.number for citation in answer.citations}
    scores = {hit.chunk.doc_id: hit.score for hit in answer.hits}
    withdrawn_ids = [c.doc_id for claim in answer.withdrawn for c in claim.citations]
    ids = [*sorted(numbers, key=lambda doc_id: numbers[doc_id]), *withdrawn_ids, *scores]
    order = [doc_id for doc_id in dict.fromkeys(ids) if doc_id in documents]
    quotes = _quotes([*answer.claims, *answer.withdrawn])
    papers = {
        doc_id: _paper(f"t{turn}-p{place}", documents[doc_id], numbers.get(doc_id), quotes, scores.get(doc_id))
        for place, doc_id in enumerate(order)
    }
    return Shown(
        turn=turn,
        answer=answer,
        sentences=tuple(_sentence(f"t{turn}-c{i}", c, papers, numbers) for i, c in enumerate(answer.claims)),
        withdrawn=tuple(_sentence(f"t{turn}-w{i}", c, papers, numbers) for i, c in enumerate(answer.withdrawn)),
        cited=tuple(papers[doc_id] for doc_id in order if doc_id in numbers),
        others=tuple(papers[doc_id] for doc_id in order if doc_id not in numbers),
        summary=summary(answer),
        reason=reason(answer),
        filters=filter_text(filters),
        copy=copy_text(answer, documents),
    )


def summary(answer: Answer) -> str:
    """What the strip above the answer says: how much of it holds, and on how many papers it rests."""
    if answer.abstained:
        return ""
    supported = sum(claim.verdict is Verdict.SUPPORTED for claim in answer.claims)
    papers = len({citation.doc_id for citation in answer.citations})
    parts = [f"{supported} of {_count(len(answer.claims), 'sentence')} supported", _count(papers, "paper")]
    if answer.fabricated_markers:
        parts.append(f"{_count(answer.fabricated_markers, 'made-up footnote number')} dropped")
    return " · ".join(parts)


def reason(answer: Answer) -> str:
    """Why there is no answer, with the figures that there are; empty where there is one."""
    if answer.abstention is None:
        return ""
    told = REASONS[answer.abstention]
    if answer.abstention is Abstention.WEAK_EVIDENCE and answer.hits and not answer.notice:
        told += (
            f" The probability that they answer is {answer.confidence or 0:.2f}; answers begin at {ANSWERS_FROM:.2f}."
        )
    if answer.withdrawn:
        told += f" {_count(len(answer.withdrawn), 'sentence')} withdrawn after checking."
    return told


def filter_text(filters: Filters | None) -> str:
    """The filters in words; empty where nothing is filtered."""
    if not filters:
        return ""
    first, last = filters.year_from, filters.year_to
    years = f"{first}–{last}" if first and last and first != last else str(first) if first and last else ""
    years = years or (f"from {first}" if first else f"until {last}" if last else "")
    named = [filters.venue or "", f"by {filters.author}" if filters.author else "", filters.source or ""]
    return " · ".join(part for part in [years, *named] if part)


def copy_text(answer: Answer, documents: Mapping[str, Document]) -> str:
    """The answer as plain text whose numbers are explained below it."""
    if answer.abstained:
        return f"{answer.question}\n\nThe papers don't say. {reason(answer)} {answer.notice}".rstrip()
    notes: dict[int, list[Citation]] = {}
    for citation in answer.citations:
        notes.setdefault(citation.number, []).append(citation)
    lines = [answer.text, "", *([answer.notice, ""] if answer.notice else [])]
    for number, citations in notes.items():
        document = documents.get(citations[0].doc_id)
        title = citations[0].title or citations[0].source
        lines.append(f"[{number}] {title}{'. ' + about(document) if document else ''}")
        lines += [f"    “{fold(citation.quote)}”" for citation in citations]
    return "\n".join(lines)


def whole(key: str, document: Document, hit: Hit | None = None) -> Paper:
    """A paper on its own, with nothing marked."""
    return _paper(key, document, None, {}, hit.score if hit else None)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _quotes(claims: Sequence[Claim]) -> dict[str, list[Citation]]:
    quotes: dict[str, list[Citation]] = {}
    for claim in claims:
        for citation in claim.citations:
            quotes.setdefault(citation.doc_id, []).append(citation)
    return quotes


def _paper(
    key: str, document: Document, number: int | None, quotes: Mapping[str, Sequence[Citation]], score: float | None
) -> Paper:
    cited = [(c.start, c.end) for c in quotes.get(document.id, ()) if _holds(c, document)]
    segments = tuple(
        Segment(
            f"{key}-s{place}",
            document.text[start:end],
            any(first <= start and end <= last for first, last in cited),
        )
        for place, (start, end) in enumerate(cuts(document.text, cited))
    )
    return Paper(key, number, document, about(document), segments, score)


def cuts(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that rejoin to `text`, cut at the ends of its sentences and of `spans`."""
    ends = {0, len(text)}
    for start, end in [*sentence_spans(text), *spans]:
        ends |= {min(max(start, 0), len(text)), min(max(end, 0), len(text))}
    ordered = sorted(ends)
    return list(itertools.pairwise(ordered))


def _holds(citation: Citation, document: Document) -> bool:
    """Whether the quote is where it was: the text of a paper may have changed since."""
    return document.text[citation.start : citation.end] == citation.quote


def _sentence(key: str, claim: Claim, papers: Mapping[str, Paper], numbers: Mapping[str, int]) -> Sentence:
    sign = _VERBATIM if claim.judge == VERBATIM else _SIGNS[claim.verdict]
    marks = tuple(_mark(citation, papers, numbers) for citation in claim.citations)
    return Sentence(key, claim.text, sign, marks, claim.judge, claim.support, claim.reason)


def _mark(citation: Citation, papers: Mapping[str, Paper], numbers: Mapping[str, int]) -> Mark:
    title = citation.title or citation.source
    number = numbers.get(citation.doc_id)
    paper = papers.get(citation.doc_id)
    if paper is None:  # gone from the library since
        return Mark(number, title, "", 0)
    if not _holds(citation, paper.document):
        return Mark(number, title, paper.key, 0)
    position = 0
    covered = []
    for segment in paper.segments:
        if citation.start <= position and position + len(segment.text) <= citation.end:
            covered.append(segment.key)
        position += len(segment.text)
    return Mark(number, title, covered[0] if covered else paper.key, len(covered))
