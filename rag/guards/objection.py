"""What a guard objects, and the sentences that it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.library.lexical import terms
from rag.text import sentences


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a claim is not supported; `contradicts` when the text says otherwise rather than nothing."""

    guard: str
    reason: str
    contradicts: bool


@lru_cache(maxsize=8)  # every guard asks for the same
def relevant(claim: str, evidence: str) -> Sequence[str]:
    """Sentences of the evidence that share at least half of the claim's content, figures aside, with it.

    Where some have all of it, only those: the others are about something else.
    """
    wanted = {term for term in terms(claim) if not term.isdecimal()}
    shared = [(len(wanted.intersection(terms(sentence))), sentence) for sentence in sentences(evidence)]
    least = len(wanted) if any(count == len(wanted) for count, _ in shared) else len(wanted) / 2
    return [sentence for count, sentence in shared if wanted and count >= least]


@lru_cache(maxsize=10_000)
def stems(word: str) -> Sequence[str]:
    """The analyzed terms of one word."""
    return terms(word)
