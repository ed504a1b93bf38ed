"""Draft text with markers → sentences with the evidence they point to; evidence → numbered footnotes.

Reads what generators write: `[1]`, `[1][2]`, `[1, 2]`, `[1 and 2]`, `[1-3]`, `[^1]`, `[[1]]`, `([1], [2])`,
`[Sentence 1]`, `【1】`, `[1](#1)`, `<sup>1</sup>`, before or after the full stop, or before a line. A
number that was not shown is no citation: it is dropped and counted. Whether a citation holds is left to `verify`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.text import fold, sentence_spans
from rag.types import Chunk, Citation, Claim, Document

_AND = r"(?:[,;，、&/]\s*+(?:and\b)?|\band\b)"
_NUMBERS = (
    r"(?:(?i:source|sentence|paper|reference|ref|citation|evidence)s?\.?\s*+[:#]?\s*+)?"
    rf"\^?\s*+\d{{1,3}}(?:\s*+{_AND}\s*+\^?\d{{1,3}}|\s*+(?:[-–]|\bto\b)\s*+\d{{1,3}})*+\s*+"
)
_LINK = r"(?:\((?:#|https?://)[^()\s]*+\))?"
_ONE = rf"(?:[\[［]{_NUMBERS}[\]］]{_LINK}|【{_NUMBERS}(?:†[^【】]*+)?】)"
_LISTED = rf"{_ONE}(?:\s*+{_AND}\s*+{_ONE})*+"
_MARKER = re.compile(
    rf"(?<![ \t])[ \t]*+(?:\({_LISTED}\)|\[{_LISTED}\]|\*\*{_LISTED}\*\*|{_LISTED}"
    rf"|<sup>{_LISTED}</sup>|(?<=[.!?])<sup>{_NUMBERS}</sup>)"
)
_LED = re.compile(r"(?<=\n)[^\S\n]*[^\s.,;:!?)\]]")  # what follows a marker that opens a line
_MAX_RANGE = 50

_YEAR = r"(?:19|20)\d\d[a-z]?"
_WORK = rf"[A-Z][^()\d;]{{1,60}}?(?: and | & | et al\.?)[^()\d;]{{0,30}}?,? {_YEAR}"  # (Denmark, 2010) may be data
_REFERENCE = re.compile(
    r"[~\s]*+(?:\\\w*cite\w*+\*?+(?:\[[^\]]*+\])*+\{[^{}]*+\}|\[(?:see )?@[^\]]*+\]"
    rf"|\((?:(?:see|cf\.|e\.g\.,?) )?{_WORK}(?:; ?[A-Z][^()\d;]{{1,60}},? {_YEAR})*+\))|(?<=et al\.)\s\({_YEAR}\)"
)
_BEFORE_INTERVAL = re.compile(r"(?:\b(?:range|interval|between|within)(?: of)?|[=∈])\s*$")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence shown to the generator under a number, with the document it is from."""

    document: Document
    chunk: Chunk
    score: float

    @property
    def text(self) -> str:
        """The sentence verbatim."""
        return self.chunk.text


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """One sentence of a draft, its markers taken out.

    `cited` holds the shown numbers it points to, ascending; `fabricated` the others, as written. One that
    `ends_in_marker` is complete, full stop or not.
    """

    text: str
    cited: tuple[int, ...] = ()
    fabricated: tuple[int, ...] = ()
    ends_in_marker: bool = False


def read_draft(draft: str, *, shown: int, literals: Iterable[str] = ()) -> list[DraftSentence]:
    """Split a draft into sentences with their markers; evidence is numbered 1..`shown`.

    `literals` are texts in which brackets are no markers but words (`Hu et al. [2021]`): a bracket
    that stands in one of them and is not shown numbers only stays in the sentence.
    """
    text, marks = _take_out(draft, shown, [fold(literal) for literal in literals])
    spans = sentence_spans(text)
    owned: list[list[int]] = [[] for _ in spans]
    closed = [False] * len(spans)
    starts = [start for start, _ in spans]
    for place, numbers in marks:
        led = _LED.match(text, place)
        position = led.end() if led else place
        owner = max(bisect_left(starts, position) - 1, 0)
        if spans:
            owned[owner].extend(numbers)
            closed[owner] = place >= spans[owner][1]
    return [
        DraftSentence(
            fold(text[start:end]),
            tuple(sorted({n for n in numbers if 1 <= n <= shown})),
            tuple(sorted({n for n in numbers if not 1 <= n <= shown})),
            is_closed,
        )
        for (start, end), numbers, is_closed in zip(spans, owned, closed, strict=True)
    ]


def without_citations(claim: str) -> str:
    r"""A claim as somebody wrote it, without its references: `[1]`, `(Bau et al., 2024)`, `\cite{bau}`, `[@bau]`."""
    plain = _REFERENCE.sub("", claim)
    kept = _MARKER.sub(lambda found: found.group() if _BEFORE_INTERVAL.search(plain, 0, found.start()) else "", plain)
    return kept if re.search(r"\w", kept) else claim


def number_papers(doc_ids: Iterable[str], first: Mapping[str, int] | None = None) -> dict[str, int]:
    """Give each cited document a footnote number from 1, in order of first use.

    `first` holds numbers already given in the conversation, which stay as they are.
    """
    numbers = dict(first or {})
    for doc_id in doc_ids:
        numbers.setdefault(doc_id, max(numbers.values(), default=0) + 1)
    return numbers


def footnote(evidence: Evidence, numbers: dict[str, int]) -> Citation:
    """The citation of a piece of evidence under its document's number."""
    document, chunk = evidence.document, evidence.chunk
    return Citation(
        numbers[document.id], document.id, chunk.start, chunk.end, chunk.text, document.source, document.title
    )


def renumber(citation: Citation, numbers: dict[str, int]) -> Citation:
    """The same citation under its document's number in `numbers`."""
    return replace(citation, number=numbers[citation.doc_id])


def _take_out(draft: str, shown: int, literals: Sequence[str]) -> tuple[str, list[tuple[int, list[int]]]]:
    """The draft without markers, and each marker's place in it with its numbers."""
    kept: list[str] = []
    length = 0
    marks: list[tuple[int, list[int]]] = []
    last = 0
    for found in _MARKER.finditer(draft):
        numbers = [number for one in re.findall(_ONE, found.group()) or [found.group()] for number in _numbers(one)]
        bracket = found.group().strip()
        if not all(1 <= n <= shown for n in numbers) and any(bracket in text for text in literals):
            continue
        kept.append(draft[last : found.start()])
        length += found.start() - last
        marks.append((length, numbers))
        last = found.end()
        if draft[last : last + 1].isalnum():  # a lost space: "It is fast [1]and small."
            kept.append(" ")
            length += 1
    return "".join([*kept, draft[last:]]), marks


def _numbers(marker: str) -> list[int]:
    numbers: list[int] = []
    for part in re.split(_AND, re.split(r"†|\]\(", marker)[0]):
        ends = [int(n) for n in re.findall(r"\d+", part)]
        if len(ends) == 2 and ends[0] <= ends[1] <= ends[0] + _MAX_RANGE:
            numbers.extend(range(ends[0], ends[1] + 1))
        else:
            numbers.extend(ends)
    return numbers


def named(title: str, text: str) -> str:
    """A statement under the name of the paper that it is from, for answers out of several; see `said`."""
    return f"{fold(title)}: {text}" if title.strip() else text


def said(claim: Claim) -> str:
    """What a claim states, the name of a paper that it cites taken off."""
    for citation in claim.citations:
        name = f"{fold(citation.title)}: "
        if citation.title.strip() and claim.text.startswith(name):
            return claim.text.removeprefix(name)
    return claim.text
