"""One question with its record → what its card shows, as plain values without HTML.

The signs beside claims are verdicts of the pipeline itself; the judge's stand in the scores. Whether a key
fact is conveyed is told by the same words as in `eval.metrics.correctness`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """A cited sentence beside the gold sentence nearest to it; either may be missing, `note` says why."""

    number: int | None
    cited: Pieces
    cited_from: str
    gold: Pieces
    gold_from: str
    note: str
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
    """Every cited quote once, then the gold sentences that no quote was set beside."""
    gold = [(sentence.source, fold(sentence.text)) for sentence in question.gold_sentences]
    theirs = {(citation.source, fold(citation.quote)) for citation in other.citations} if other else set()
    pairs: list[Pair] = []
    used: set[int] = set()
    quotes = {(c.source, fold(c.quote)): c for c in answer.citations} if answer else {}
    for (source, quote), citation in quotes.items():
        place = _nearest_gold(source, quote, gold)
        used |= set() if place is None else {place}
        mark = (source, quote) in theirs
        pairs.append(_pair(citation, quote, gold[place] if place is not None else None, question, mark))
    rest = [sentence for place, sentence in enumerate(gold) if place not in used]
    return (*pairs, *(Pair(None, (), "", (Piece(text),), source, "not cited") for source, text in rest))


def _nearest_gold(source: str, quote: str, gold: Sequence[tuple[str, str]]) -> int | None:
    own = [place for place, (paper, _) in enumerate(gold) if paper == source]
    found = nearest(quote, [gold[place][1] for place in own])
    return own[found] if found is not None else None


def _pair(citation: Citation, quote: str, gold: tuple[str, str] | None, question: Question, mark: bool) -> Pair:
    title = citation.title or citation.source
    if gold is None:
        right = citation.source in question.gold_sources
        note = "a right paper, another sentence" if right else "nothing is marked in this paper"
        return Pair(citation.number, (Piece(quote),), title, (), "", note, mark)
    source, text = gold
    if text in quote or quote in text:
        note = "the marked sentence" if text == quote else "it holds the marked sentence"
        note = note if text in quote else "a part of the marked sentence"
    else:
        note = "another sentence of the same paper; shared words are marked"
    cited, marked = shared(quote, text)
    return Pair(citation.number, cited, title, marked, source, note, mark)


def _scores(shares: Mapping[str, Share]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, found in shares.items():
        metric = METRICS.get(name)
        flag = name in _FLAGS or bool(metric and metric.group == "abstention")
        said = formats.share(found, is_rate=metric is None or metric.is_rate, is_flag=flag)
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
