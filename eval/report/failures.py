"""What went wrong with a question, in kinds that a reader can filter by.

Told by the scores of the question and its record alone; nothing is judged anew. A kind that `fails` is a
failed test case in JUnit; the others are worth a look, and fail nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from eval.metrics.share import Share
from eval.run import Record
from rag.types import JSON


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of failure: `key` in markup and files, `label` for people."""

    key: str
    label: str
    says: str
    fails: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """One question's record with its shares by metric; a metric that did not apply is an empty share."""

    record: Record
    shares: Mapping[str, Share]

    def value(self, metric: str) -> float | None:
        """`None` where the metric did not apply or nothing could be judged."""
        return self.shares.get(metric, Share()).value

    @property
    def answered(self) -> bool:
        """Whether there is an answer that is no abstention."""
        return self.record.answer is not None and not self.record.answer.abstained


_RULES: Sequence[tuple[Kind, Callable[[Seen], bool]]] = (
    (Kind("error", "error", "an error came between; nothing is scored"), lambda seen: seen.record.answer is None),
    (
        Kind("false-answer", "false answer", "the papers do not say, and yet there is an answer"),
        lambda seen: seen.value("false_answer") == 1,
    ),
    (
        Kind("false-refusal", "false refusal", "the papers say, and yet there is no answer"),
        lambda seen: seen.value("false_refusal") == 1,
    ),
    (
        Kind("unfaithful", "unfaithful", "the judge finds a sentence that its citation does not support"),
        lambda seen: seen.value("faithful_answers") == 0,
    ),
    (
        Kind("wrong-paper", "wrong paper", "no cited paper is a right one"),
        lambda seen: seen.value("a_paper_right") == 0,
    ),
    (
        Kind("made-up-number", "made-up number", "a footnote number that was never shown to the generator"),
        lambda seen: _below_one(seen.value("citation_validity")),
    ),
    (
        Kind("altered-quote", "altered quote", "a quote that does not stand in its paper letter for letter"),
        lambda seen: _below_one(seen.value("verbatim")),
    ),
    (
        Kind("answer-missed", "answer missed", "answered, and no key fact is conveyed"),
        lambda seen: seen.answered and seen.value("key_facts") == 0,
    ),
    (
        Kind("facts-missing", "facts missing", "some key facts are conveyed, not all", fails=False),
        lambda seen: seen.answered and 0 < (seen.value("key_facts") or 0) < 1,
    ),
    (
        Kind("withdrawn", "withdrawn claims", "checking took sentences out", fails=False),
        lambda seen: bool(seen.record.answer and seen.record.answer.withdrawn),
    ),
    (
        Kind("unscored", "unscored", "something could not be judged", fails=False),
        lambda seen: any(share.unscored for share in seen.shares.values()),
    ),
)
KINDS: tuple[Kind, ...] = tuple(kind for kind, _ in _RULES)


def kinds_of(record: Record, shares: Mapping[str, Share]) -> tuple[Kind, ...]:
    """Every kind that a question falls under, gravest first; an error is nothing besides."""
    seen = Seen(record, shares)
    found = tuple(kind for kind, holds in _RULES if holds(seen))
    return found[:1] if record.answer is None else found


def shares_of(row: Mapping[str, JSON]) -> dict[str, Share]:
    """The shares of a row of `score_run`: each is stored as part, whole and unscored."""
    return {name: Share(*share) for name, share in (row.get("scores") or {}).items()}


def shares_of_values(values: Mapping[str, float | None]) -> dict[str, Share]:
    """As `shares_of` where only values are known, as in the rows of a comparison."""
    return {name: Share(value, 1) for name, value in values.items() if value is not None}


def _below_one(value: float | None) -> bool:
    return value is not None and value < 1
