"""What answering fewer questions, the more confident ones, would bring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Point:
    """Answering only from `confidence` on answers the share `coverage`, with the mean loss `risk`."""

    confidence: float
    coverage: float
    risk: float


def risk_coverage(confidences: Sequence[float], losses: Sequence[float]) -> list[Point]:
    """The curve, a point for each distinct confidence, highest first; no questions, no points.

    risk = mean loss of the questions answered with at least that confidence.

    Source: El-Yaniv and Wiener, JMLR 11, 2010.
    """
    points = []
    answered, lost = 0, 0.0
    for confidence, group in _by_confidence(confidences, losses):
        answered += len(group)
        lost += sum(group)
        points.append(Point(confidence, answered / len(losses), lost / answered))
    return points


def aurc(confidences: Sequence[float], losses: Sequence[float]) -> float | None:
    """Area under the risk–coverage curve: mean over n = 1..N of the risk of the n most confident; lower is better.

    Within a tie every order is as likely, so the mean loss of the tie stands for each of its questions.
    `None` without questions.

    Source: Geifman, Uziel and El-Yaniv, ICLR 2019 (arXiv:1805.08206).
    """
    risks = []
    answered, lost = 0, 0.0
    for _, group in _by_confidence(confidences, losses):
        for _ in group:
            answered += 1
            lost += sum(group) / len(group)
            risks.append(lost / answered)
    return sum(risks) / len(risks) if risks else None


def _by_confidence(confidences: Sequence[float], losses: Sequence[float]) -> Iterable[tuple[float, list[float]]]:
    pairs = sorted(zip(confidences, losses, strict=True), key=lambda pair: -pair[0])
    for confidence, group in groupby(pairs, key=lambda pair: pair[0]):
        yield confidence, [loss for _, loss in group]
