"""How likely the papers answer a question at all: below one half there is an abstention.

No single sign tells. A question that names a paper finds it whatever it asks, so a paper that shares
many of the question's words owes an answer that shares its meaning as well; a question in other words
shares few, and a middling match may be the answer. The signs are therefore weighed against each other,
by logistic regression on eval/data/questions-dev.jsonl.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ANSWERS_FROM = 0.5


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of the best paper, or of the best few.

    `words`: the share of the question's words it has (`bm25_share`); `match`: how well its best sentence
    matches; `least_found`: of the content words asked, the one that the papers have least of: how similar the
    nearest of their tokens is; `reader`: the log of the summed odds, by the reader, that a sentence answers;
    `None` without a reader.
    """

    words: float = 0.0
    match: float = 0.0
    least_found: float = 0.0
    reader: float | None = None


@dataclass(frozen=True, slots=True)
class _Weights:
    bias: float
    words: float
    match: float
    least_found: float
    reader: float = 0.0


# Fitted as if every second question had an answer (C = 1, standardized), and then shifted so that nine in ten
# of the answerable dev questions are answered.
_WITH_READER = _Weights(bias=-1.4, words=-8.4, match=6.9, least_found=3.3, reader=0.61)
_WITHOUT = _Weights(bias=-3.9, words=-4.7, match=8.0, least_found=5.1)


def confidence(signals: Signals) -> float:
    """The probability, 0..1, that the papers answer."""
    weights = _WITHOUT if signals.reader is None else _WITH_READER
    log_odds = (
        weights.bias
        + weights.words * signals.words
        + weights.match * signals.match
        + weights.least_found * signals.least_found
        + weights.reader * (signals.reader or 0.0)
    )
    return 1 / (1 + math.exp(-log_odds))
