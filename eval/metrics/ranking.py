"""How good a judge is: whether its scores part the good from the bad, whether its labels are right.

A score or label of `None` is unscored, and left out here.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import groupby


def roc_auc(positive: Sequence[bool], scores: Sequence[float | None]) -> float | None:
    """Pairs of a positive and a negative in which the positive scores higher / all such pairs; ties count half.

    `None` if there is no positive or no negative.

    Source: Mann and Whitney, 1947; Hanley and McNeil, Radiology 143, 1982.
    """
    wins, seen_negative, seen_positive = 0.0, 0, 0
    for good, bad in reversed(_groups(positive, scores)):
        wins += good * (seen_negative + bad / 2)
        seen_negative += bad
        seen_positive += good
    return wins / (seen_positive * seen_negative) if seen_positive and seen_negative else None


def balanced_accuracy(gold: Sequence[Hashable], predicted: Sequence[Hashable | None]) -> float | None:
    """Mean over the labels in `gold` of: items of the label predicted so / items of the label.

    A label with no judged item has no share in it; `None` if nothing was judged.

    Source: Brodersen et al., ICPR 2010.
    """
    judged = _judged(gold, predicted)
    recalls = [
        sum(right == guess for right, guess in judged if right == label) / sum(right == label for right, _ in judged)
        for label in dict.fromkeys(right for right, _ in judged)
    ]
    return sum(recalls) / len(recalls) if recalls else None


def f1_by_label(gold: Sequence[Hashable], predicted: Sequence[Hashable | None]) -> dict[Hashable, float]:
    """2 * hits / (items of the label + items predicted so), for each label in either, in order of appearance.

    Source: van Rijsbergen, Information Retrieval, 1979.
    """
    judged = _judged(gold, predicted)
    labels = dict.fromkeys([right for right, _ in judged] + [guess for _, guess in judged])
    return {
        label: 2
        * sum(right == guess == label for right, guess in judged)
        / sum((right == label) + (guess == label) for right, guess in judged)
        for label in labels
    }


def macro_f1(gold: Sequence[Hashable], predicted: Sequence[Hashable | None]) -> float | None:
    """Mean of the F1 of each label, so that rare labels weigh the same; `None` if nothing was judged."""
    scores = f1_by_label(gold, predicted)
    return sum(scores.values()) / len(scores) if scores else None


def _judged(gold: Sequence[Hashable], predicted: Sequence[Hashable | None]) -> list[tuple[Hashable, Hashable]]:
    return [(right, guess) for right, guess in zip(gold, predicted, strict=True) if guess is not None]


def _groups(positive: Sequence[bool], scores: Sequence[float | None]) -> list[tuple[int, int]]:
    """(positives, negatives) at each distinct score, highest first."""
    scored = [(score, good) for good, score in zip(positive, scores, strict=True) if score is not None]
    scored.sort(key=lambda pair: -pair[0])
    groups = [[good for _, good in group] for _, group in groupby(scored, key=lambda pair: pair[0])]
    return [(sum(map(bool, group)), sum(not good for good in group)) for group in groups]
