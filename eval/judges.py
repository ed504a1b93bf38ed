"""The judge of an evaluation: whether a text carries a claim, told by somebody other than the pipeline.

A pipeline that withdraws what its entailer does not believe, and is judged by that entailer, is faithful
by construction. So the default judge here knows nothing of it: it is made of words, figures, names and
the embedder's similarity, with a threshold fitted on the dev claims. Any NLI model can take its place,
but not the one that verified.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from rag.cite import said
from rag.figures import figures
from rag.models import Embedder, Entailer
from rag.overlap import recall
from rag.text import fold
from rag.types import Claim, Verdict
from rag.words import name_key, names, words

VERDICT_FROM = 0.5
WORDS = "words"  # the setting that asks for the default judge


class Judge(Protocol):
    """Gives a probability that a text carries a claim, and verdicts on claims."""

    @property
    def name(self) -> str:
        """What the report calls it."""
        ...

    @property
    def tells_contradiction(self) -> bool:
        """Whether it tells what a text says otherwise from what it does not say."""
        ...

    def entails(self, premise: str, claim: str) -> float | None:
        """A probability; `None` where it cannot tell."""
        ...

    def verdict(self, claim: Claim) -> Verdict:
        """The claim against what it cites; unchecked where it cannot tell."""
        ...


@dataclass
class WordJudge:
    """Words, figures, names and similarity, weighed by a logistic function fitted on dev claims.

    Contradiction is beyond it: what is not supported is "not enough info".
    """

    embedder: Embedder
    name: str = "words and similarity (untrained on what verified)"
    tells_contradiction: bool = False
    _seen: dict[tuple[str, str], float] = field(default_factory=dict)

    def entails(self, premise: str, claim: str) -> float | None:
        """1 for a quotation; 0 without a premise."""
        if not premise:
            return 0.0
        if _is_quotation(claim, premise):
            return 1.0
        key = (premise, claim)
        if key not in self._seen:
            score = BIAS + sum(w * f for w, f in zip(WEIGHTS, self.features(premise, claim), strict=True))
            self._seen[key] = 1 / (1 + math.exp(-score))
        return self._seen[key]

    def features(self, premise: str, claim: str) -> tuple[float, ...]:
        """Similarity, the share of the claim's stems that are there, and whether a figure or a name is not."""
        one, other = self.embedder.encode([premise, claim])
        shown = {figure.value for figure in figures(premise)}
        known = {name_key(word) for word in words(premise)}
        return (
            float(one @ other),
            recall(claim, premise),
            float(any(figure.value not in shown for figure in figures(claim))),
            float(any(name_key(name) not in known for name in names(claim))),
        )

    def verdict(self, claim: Claim) -> Verdict:
        """Supported from a probability of .5 on."""
        return _verdict(self, claim)


# Logistic regression on eval/data/claims-dev.jsonl gives similarity and figures their weights; on those
# claims shared words and known names tell nothing, on easier ones they do, so they have small ones.
WEIGHTS = (4.0, 1.0, -2.0, -0.5)
BIAS = -3.0


@dataclass(frozen=True)
class EntailerJudge:
    """Any entailer as judge; a report says if it is the one that verified."""

    entailer: Entailer
    tells_contradiction: bool = True

    @property
    def name(self) -> str:
        """The model's name."""
        return self.entailer.name

    def entails(self, premise: str, claim: str) -> float | None:
        """The probability that the premise supports the claim."""
        return self.entailer.entail([(premise, claim)])[0].supported if premise else 0.0

    def verdict(self, claim: Claim) -> Verdict:
        """The likeliest label."""
        if not claim.citations:
            return Verdict.NOT_ENOUGH_INFO
        (found,) = self.entailer.entail([(_cited(claim), said(claim))])
        if found.supported >= VERDICT_FROM:
            return Verdict.SUPPORTED
        contradicted = found.contradicted > found.not_enough_info
        return Verdict.CONTRADICTED if contradicted else Verdict.NOT_ENOUGH_INFO


@dataclass(frozen=True)
class CallableJudge:
    """A function of (premise, claim) as judge, `None` where it cannot tell: for a judge of one's own."""

    name: str
    judging: Callable[[str, str], float | None]
    tells_contradiction: bool = False

    def entails(self, premise: str, claim: str) -> float | None:
        """What the function says."""
        return self.judging(premise, claim)

    def verdict(self, claim: Claim) -> Verdict:
        """Supported from .5 on; unchecked where the function says `None`."""
        return _verdict(self, claim)


def _verdict(judge: Judge, claim: Claim) -> Verdict:
    if not claim.citations:
        return Verdict.NOT_ENOUGH_INFO
    support = judge.entails(_cited(claim), said(claim))
    if support is None:
        return Verdict.UNCHECKED
    return Verdict.SUPPORTED if support >= VERDICT_FROM else Verdict.NOT_ENOUGH_INFO


def _cited(claim: Claim) -> str:
    return " ".join(dict.fromkeys(citation.quote for citation in claim.citations))


def _is_quotation(claim: str, premise: str) -> bool:
    quoted = fold(claim).strip('"“” ')
    return len(quoted) > 20 and quoted in fold(premise)
