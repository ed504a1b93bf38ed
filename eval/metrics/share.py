"""A part of a whole that remembers how much could not be judged.

Every metric that counts returns a `Share`, so that a report can pool over claims and print
what unscored items could change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole` judged items; `unscored` more could not be judged and are in neither."""

    part: float = 0
    whole: int = 0
    unscored: int = 0

    @property
    def value(self) -> float | None:
        """Part / whole; `None` if nothing was judged."""
        return self.part / self.whole if self.whole else None

    @property
    def lowest(self) -> float | None:
        """The value if no unscored item had counted; `None` if there is no item at all."""
        every = self.whole + self.unscored
        return self.part / every if every else None

    @property
    def highest(self) -> float | None:
        """The value if every unscored item had counted; `None` if there is no item at all."""
        every = self.whole + self.unscored
        return (self.part + self.unscored) / every if every else None

    def __add__(self, other: Share) -> Share:
        return Share(self.part + other.part, self.whole + other.whole, self.unscored + other.unscored)


def counted(outcomes: Iterable[float | None]) -> Share:
    """Sum what is true, or true to a degree in 0..1; `None` is unscored."""
    seen = list(outcomes)
    judged = [outcome for outcome in seen if outcome is not None]
    return Share(sum(judged), len(judged), len(seen) - len(judged))


def pooled(shares: Iterable[Share]) -> Share:
    """All items as one: sum of parts / sum of wholes, so that long answers weigh more."""
    return sum(shares, Share())


def harmonic(precision: float | None, recall: float | None) -> float | None:
    """F1 = 2pr / (p + r), 0 if both are 0; `None` if either is.

    Source: van Rijsbergen, Information Retrieval, 1979.
    """
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
