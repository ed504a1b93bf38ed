"""Two runs → each question with both answers: what differs in words, in evidence, in scores and in failures.

The worst change comes first. A change is B's gain over A, so that above 0 is better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.dataset import Question
from eval.report import formats
from eval.report.cards import Side, Sign, side
from eval.report.failures import KINDS, Kind, shares_of_values
from eval.report.figures import Table
from eval.report.marking import Piece, Pieces, difference
from eval.run import Record
from eval.scoring import METRICS
from rag.text import fold

ALIKE = 0.2  # share of either answer; with less in common, every word of both would be marked
WAYS = {
    "better": Sign("good", "▲", "got better"),
    "same": Sign("off", "=", "as before"),
    "worse": Sign("bad", "▼", "got worse"),
}


@dataclass(frozen=True, slots=True)
class Pairing:
    """A question with both answers; `way` is a key of WAYS."""

    number: int
    question: Question
    change: str
    way: str
    a: Side
    b: Side
    a_text: Pieces
    b_text: Pieces
    metrics: tuple[tuple[str, str, str, str], ...]  # those that differ: name, in a, in b, a key of WAYS
    only_a: tuple[str, ...]  # metrics that do not apply to the other answer
    only_b: tuple[str, ...]
    shared: str

    @property
    def is_diffed(self) -> bool:
        """Whether there are two texts, different and yet with enough in common to set words against words."""
        return _tells(self.a_text, self.b_text)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of failure of either answer, each once."""
        return tuple(dict.fromkeys((*self.a.kinds, *self.b.kinds)))


def pairings(
    comparison: Mapping[str, Any],
    questions: Sequence[Question],
    records_a: Sequence[Record],
    records_b: Sequence[Record],
) -> list[Pairing]:
    """All questions that both runs have, in the order of the comparison's rows, then those without a row."""
    rows = {row["id"]: row for row in comparison.get("rows") or ()}
    one, other = ({record.id: record for record in records} for records in (records_a, records_b))
    found = {q.id: (q, one[q.id], other[q.id]) for q in questions if q.id in one and q.id in other}
    order = [*(name for name in rows if name in found), *(name for name in found if name not in rows)]
    return [_pairing(number, *found[name], rows.get(name) or {}) for number, name in enumerate(order, 1)]


def failures(pairings: Sequence[Pairing]) -> Table:
    """Kinds of failure: how many questions lost it, have it in both runs, and got it."""
    rows = []
    for kind in KINDS:
        in_a = [kind in pairing.a.kinds for pairing in pairings]
        in_b = [kind in pairing.b.kinds for pairing in pairings]
        both = sum(map(all, zip(in_a, in_b, strict=True)))
        if any(in_a) or any(in_b):
            rows.append((kind.label, str(sum(in_a) - both), str(both), str(sum(in_b) - both)))
    return Table(("failure", "only in A", "in both", "only in B"), tuple(rows))


def way(name: str, a: float | None, b: float | None) -> str:
    """Whether a metric got better from `a` to `b`: a key of WAYS; the same where one of them is missing."""
    if a is None or b is None:
        return "same"
    metric = METRICS.get(name)
    return _sense(a - b if metric and metric.lower_is_better else b - a)


def told_apart(one: Sequence[str], other: Sequence[str]) -> tuple[tuple[Pieces, ...], tuple[Pieces, ...]] | None:
    """The sentences of two answers, each cut into pieces: marked in the first what went, in the other what came.

    None where a diff tells nothing: an answer is missing, both are the same, or they have too little in common.
    """
    before, after = difference(" ".join(one), " ".join(other))
    return (_by_sentence(before, one), _by_sentence(after, other)) if _tells(before, after) else None


def _by_sentence(pieces: Pieces, sentences: Sequence[str]) -> tuple[Pieces, ...]:
    """The pieces of sentences that were joined by a space, given back to each of them."""
    found: list[Pieces] = []
    start = 0
    for sentence in sentences:
        end, place, own = start + len(sentence), 0, []
        for piece in pieces:
            text = piece.text[max(start - place, 0) : max(end - place, 0)]
            place += len(piece.text)
            own += [Piece(text, piece.marked)] if text else []
        found.append(tuple(own))
        start = end + 1
    return tuple(found)


def _tells(before: Pieces, after: Pieces) -> bool:
    is_changed = any(piece.marked for piece in (*before, *after))
    return bool(before and after) and is_changed and max(_kept(before), _kept(after)) >= ALIKE


def _sense(gain: float) -> str:
    return "better" if gain > 0 else "worse" if gain < 0 else "same"


def _pairing(number: int, question: Question, a: Record, b: Record, row: Mapping[str, Any]) -> Pairing:
    one, other = ({k: v for k, v in (row.get(run) or {}).items() if v is not None} for run in "ab")
    left = side(question, a, shares_of_values(one), b.answer)
    right = side(question, b, shares_of_values(other), a.answer)
    a_text, b_text = difference(left.text, right.text)
    return Pairing(
        number=number,
        question=question,
        change=formats.change(row.get("change")),
        way=_sense(row.get("change") or 0.0),
        a=left,
        b=right,
        a_text=a_text,
        b_text=b_text,
        metrics=tuple(_moved(name, one[name], other[name]) for name in METRICS if _differs(name, one, other)),
        only_a=tuple(formats.words(name) for name in one if name not in other),
        only_b=tuple(formats.words(name) for name in other if name not in one),
        shared=_shared(a, b),
    )


def _differs(name: str, one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return name in one and name in other and one[name] != other[name]


def _moved(name: str, a: float, b: float) -> tuple[str, str, str, str]:
    is_rate = METRICS[name].is_rate
    return (
        formats.words(name),
        formats.figure(a, is_rate=is_rate),
        formats.figure(b, is_rate=is_rate),
        way(name, a, b),
    )


def _kept(pieces: Pieces) -> float:
    """Share of the characters that are not marked."""
    every = sum(len(piece.text) for piece in pieces)
    return sum(len(piece.text) for piece in pieces if not piece.marked) / (every or 1)


def _shared(a: Record, b: Record) -> str:
    cited = [{(c.source, fold(c.quote)) for c in r.answer.citations} if r.answer else set() for r in (a, b)]
    every, both = cited[0] | cited[1], cited[0] & cited[1]
    return f"{len(both)} of {formats.count(len(every), 'cited sentence')} shared" if every else "neither cites anything"
