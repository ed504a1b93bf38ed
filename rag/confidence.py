"""How likely the papers answer a question at all: below one half there is an abstention.

No single sign tells. A question that names a paper finds it whatever it asks, so a paper that shares
many of the question's words owes an answer that shares its meaning as well; a question in other words
shares few, and a middling match may be the answer. The signs are therefore weighed against each other,
by a logistic regression that `footnote train calibration` fits on eval/data/questions-dev.jsonl, shifted
so that 93 in a hundred of the answerable questions there are answered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rag.models.weights import calibrated

ANSWERS_FROM = 0.5
_PLAIN = ("words", "match", "least_found")
# The signs that are weighed with reader and own entailer, with a reader only, and with neither.
SIGNS = {
    "with_both": (*_PLAIN, "reader", "entailed"),
    "with_reader": (*_PLAIN, "reader"),
    "without": _PLAIN,
}
# Where abstract and sentence together are less similar, the papers are about something else. Of the answerable dev
# questions, 1 in 100 lies below; asked of 400 abstracts of clinical trials, more than half of all dev questions do.
SIMILARITY_FLOOR = 0.5


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of the best paper, or of the best few.

    `words`: the share of the question's words it has (`bm25_share`); `match`: how well its best sentence
    matches; `least_found`: of the content words asked, the one that the papers have least of: how similar the
    nearest of their tokens is; `reader`: the log of the summed odds, by the reader, that a sentence answers;
    `entailed`: the log odds, by the entailer, that one of the first sentences carries the question, as if it
    were a claim, which those that are only about its topic do less. `None` without them.
    `similarity`: the cosine of question and abstract; `is_unmentioned`: no paper that was found mentions some name
    in the question. These two only rule answers out. `denied`: how surely the best paper denies what the question takes
    for granted, 0 where that is not sure; it is an answer by itself.
    """

    words: float = 0.0
    match: float = 0.0
    least_found: float = 0.0
    reader: float | None = None
    entailed: float | None = None
    similarity: float = 1.0
    is_unmentioned: bool = False
    denied: float = 0.0


def confidence(signals: Signals) -> float:
    """The probability, 0..1, that the papers answer. Raises ModelError where the constants are missing."""
    known = "without" if signals.reader is None else "with_reader" if signals.entailed is None else "with_both"
    weights = calibrated("confidence")[known]
    log_odds = weights["bias"] + sum(weights[name] * getattr(signals, name) for name in SIGNS[known])
    likely = max(signals.denied, 1 / (1 + math.exp(-log_odds)))
    is_out = signals.match + signals.similarity < SIMILARITY_FLOOR or signals.is_unmentioned
    return min(likely, 0.99 * ANSWERS_FROM) if is_out else likely
