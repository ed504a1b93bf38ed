"""The seam of the judge: anything that says how far a text carries a claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entailment:
    """Probabilities that a premise supports, contradicts or does not settle a hypothesis; they sum to 1."""

    supported: float
    contradicted: float
    not_enough_info: float


class Entailer(Protocol):
    """A judge of (premise, hypothesis) pairs."""

    @property
    def name(self) -> str:
        """What answers say about who judged."""
        ...

    def entail(self, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """Judge pairs in one batch, in order."""
        ...
