"""One question with its record → what its card shows, as plain values without HTML.

The signs beside claims are verdicts of the pipeline itself; the judge's stand in the scores. Whether a key
fact is conveyed is told by the same words as in `eval.metrics.correctness`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eval.dataset import Question
from eval.metrics.share import Share
from eval.metrics.wording import conveys
from eval.report import formats
from eval.report.failures import Kind, kinds_of
from eval.report.marking import Piece, Pieces, nearest, shared
from eval.run import Record
from eval.scoring import METRICS
from rag.text import fold
from rag.types import Abstention, Answer, Citation, Claim, Verdict

REASONS = {
    Abstention.NO_HITS: "no paper fits the question",
    Abstention.WEAK_EVIDENCE: "no sentence of the papers fits the question well enough",
    Abstention.NO_CITATION: "nothing that was written could be tied to a paper",
    Abstention.UNSUPPORTED: "nothing that was written is supported by the papers",
}
_FLAGS = {"success@1", "success@5", "first_paper_right", "a_paper_right", "faithful_answers"}


@dataclass(frozen=True, slots=True)
class Sign:
    """How a verdict or an outcome is shown: an icon, a word and a style, never colour alone."""

    style: str
    icon: str
    word: str


SIGNS = {
    Verdict.SUPPORTED: Sign("good", "✓", "Supported"),
    Verdict.CONTRADICTED: Sign("bad", "✕", "Contradicted"),
    Verdict.NOT_ENOUGH_INFO: Sign("warn", "◐", "Not supported"),
    Verdict.UNCHECKED: Sign("off", "?", "Not checked"),
}
ERROR = Sign("bad", "✕", "Error")
OUTCOMES = {  # (answerable, answered)
    (True, True): Sign("even", "●", "Answered"),
    (True, False): Sign("warn", "○", "Refused, wrongly"),
    (False, True): Sign("bad", "●", "Answered, wrongly"),
    (False, False): Sign("good", "○", "Abstained, rightly"),
}


@dataclass(frozen=True, slots=True)
class ShownClaim:
    """A sentence of an answer with its verdict and its footnote numbers."""

    text: str
    sign: Sign
    numbers: tuple[int, ...]
    support: str
    judge: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A gold sentence beside the cited one that is nearest to it; either may be missing, `sign` says how they fit."""

    number: int | None
    cited: Pieces
    cited_from: str
    gold: Pieces
    gold_from: str
    sign: Sign
    elsewhere: bool = False  # the other run cites it too


@dataclass(frozen=True, slots=True)
class Side:
    """What one run made of a question."""

    sign: Sign
    kinds: tuple[Kind, ...]
    text: str
    error: str
    reason: str
    claims: tuple[ShownClaim, ...]
    withdrawn: tuple[ShownClaim, ...]
    evidence: tuple[Pair, ...]
    facts: tuple[tuple[str, bool], ...]
    scores: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    about: str


@dataclass(frozen=True, slots=True)
class Card:
    """A question with what became of it; `number` counts from 1."""

    number: int
    question: Question
    side: Side


def card(number: int, question: Question, record: Record, shares: Mapping[str, Share]) -> Card:
    """Lay out a question of one run."""
    return Card(number, question, side(question, record, shares))


def side(question: Question, record: Record, shares: Mapping[str, Share], other: Answer | None = None) -> Side:
    """Lay out one run's answer; evidence that the `other` run's answer cites too is told apart."""
    answer = record.answer
    said = answer.text if answer and not answer.abstained else ""
    return Side(
        sign=OUTCOMES[question.answerable, bool(said)] if answer else ERROR,
        kinds=kinds_of(record, shares),
        text=said,
        error=record.error,
        reason=REASONS[answer.abstention] if answer and answer.abstention else "",
        claims=tuple(map(_claim, answer.claims)) if answer else (),
        withdrawn=tuple(map(_claim, answer.withdrawn)) if answer else (),
        evidence=_evidence(question, answer, other),
        facts=tuple((fact, conveys(fact, said)) for fact in question.key_facts),
        scores=_scores(shares),
        about=_about(answer),
    )


def _claim(claim: Claim) -> ShownClaim:
    numbers = tuple(sorted({citation.number for citation in claim.citations}))
    support = "" if claim.support is None else f"{claim.support:.2f}"
    return ShownClaim(claim.text, SIGNS[claim.verdict], numbers, support, claim.judge, claim.reason)


def _evidence(question: Question, answer: Answer | None, other: Answer | None) -> tuple[Pair, ...]:
    """Each gold sentence beside the quote of its paper that is nearest to it, then the other quotes."""
    theirs = {(citation.source, fold(citation.quote)) for citation in other.citations} if other else set()
    quotes = {(c.source, fold(c.quote)): c for c in answer.citations} if answer else {}
    pairs, used = [], set()
    for sentence in question.gold_sentences:
        gold = fold(sentence.text)
        own = [key for key in quotes if key[0] == sentence.source]
        place = nearest(gold, [quote for _, quote in own])
        if place is None:
            pairs.append(Pair(None, (), "", (Piece(gold),), sentence.source, Sign("bad", "✕", "not cited")))
        else:
            used.add(own[place])
            pairs.append(_pair(quotes[own[place]], gold, elsewhere=own[place] in theirs))
    rest = [(key, citation) for key, citation in quotes.items() if key not in used]
    return (*pairs, *(_lone(citation, question, elsewhere=key in theirs) for key, citation in rest))


def _pair(citation: Citation, gold: str, *, elsewhere: bool) -> Pair:
    quote = fold(citation.quote)
    title = citation.title or citation.source
    if gold in quote:
        word = "the marked sentence" if gold == quote else "holds the marked sentence"
        sign = Sign("good", "✓", word)
        return Pair(citation.number, (Piece(quote),), title, (Piece(gold),), citation.source, sign, elsewhere)
    cited, marked = shared(quote, gold)
    sign = Sign("warn", "≠", "another sentence; shared words marked")
    if quote in gold:
        sign = Sign("good", "✓", "part of the marked sentence")
    return Pair(citation.number, cited, title, marked, citation.source, sign, elsewhere)


def _lone(citation: Citation, question: Question, *, elsewhere: bool) -> Pair:
    right = citation.source in question.gold_sources
    word = "a right paper; not marked as evidence" if right else "not a paper with the answer"
    title = citation.title or citation.source
    quote = (Piece(fold(citation.quote)),)
    return Pair(citation.number, quote, title, (), "", Sign("off" if right else "warn", "○", word), elsewhere)


def _scores(shares: Mapping[str, Share]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, found in shares.items():
        metric = METRICS.get(name)
        flag = name in _FLAGS or bool(metric and metric.group == "abstention")
        is_rate, is_counted = (metric is None or metric.is_rate), (metric is None or metric.pooled)
        said = formats.share(found, is_rate=is_rate, is_flag=flag, is_counted=is_counted)
        groups.setdefault(metric.group if metric else "other", []).append((formats.words(name), said))
    return tuple((group, tuple(rows)) for group, rows in groups.items())


def _about(answer: Answer | None) -> str:
    if answer is None:
        return ""
    parts = [answer.model] if answer.model else []
    if "total" in answer.timings:
        parts.append(f"{answer.timings['total']:.1f} s")
    if answer.confidence is not None:
        parts.append(f"confidence {answer.confidence:.2f}")
    if answer.fabricated_markers:
        parts.append(formats.count(answer.fabricated_markers, "made-up number"))
    return " · ".join(parts)
