"""Detectors of hallucination and of coverage errors: claim and evidence in, a score out, higher is worse.

Hallucination: the evidence does not say the claim. Coverage error: the answer leaves out a sentence of the
evidence. Each in four kinds: word overlap, embedding similarity, salience (none of which was trained for
it) and a classifier, which is any `Entailer`. Scores only order: each detector has a scale of its own, and
how good it is, its ROC AUC per type of error, is for the reports to say.

Source: detectors by word overlap, salience and classifiers for hallucination and coverage, Chang et al.
2024, arXiv:2403.08904.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.models import Embedder, Entailer, Generator
from rag.overlap import recall
from rag.salience import salience


@dataclass(frozen=True, slots=True)
class HallucinationDetector:
    """Calls: (claim, sentences of evidence) → how far the evidence fails to say the claim."""

    name: str
    score: Callable[[str, Sequence[str]], float]

    def __call__(self, claim: str, evidence: Sequence[str]) -> float:
        """Higher is worse; without evidence the detector's worst score, for `salience: gain` 0."""
        return self.score(claim, evidence)


@dataclass(frozen=True, slots=True)
class CoverageDetector:
    """Calls: (sentences of an answer, sentences of evidence) → how far the answer leaves out each of them."""

    name: str
    score: Callable[[Sequence[str], Sequence[str]], list[float]]

    def __call__(self, answer: Sequence[str], evidence: Sequence[str]) -> list[float]:
        """A score for each sentence of evidence, higher is worse; an empty answer leaves all out alike."""
        return self.score(answer, evidence)


def word_overlap() -> HallucinationDetector:
    """Share of the claim's distinct stems that no sentence of the evidence has, 1 without evidence."""
    return HallucinationDetector("word overlap", lambda claim, evidence: 1 - recall(claim, " ".join(evidence)))


def similarity(embedder: Embedder) -> HallucinationDetector:
    """1 - cosine of the claim and the sentence nearest to it, 2 without evidence."""

    def score(claim: str, evidence: Sequence[str]) -> float:
        if not evidence:
            return 2.0
        vectors = embedder.encode([claim, *evidence])
        return float(1 - (vectors[1:] @ vectors[0]).max())

    return HallucinationDetector("embedding similarity", score)


def salience_detectors(generator: Generator) -> tuple[HallucinationDetector, ...]:
    """What the generator makes of the evidence, three ways out of the same passes.

    `gain`: minus what the evidence adds to the claim's log-likelihood, in nats a token. `helped`: share of the
    claim's tokens that it does not make likelier. `share`: share of the salience that is not on the evidence
    but on the instruction and the claim's beginning.
    """
    explained = lru_cache(maxsize=64)(lambda claim, evidence: salience(generator, claim, evidence))
    return (
        HallucinationDetector("salience: gain", lambda claim, evidence: -explained(claim, tuple(evidence)).gain),
        HallucinationDetector("salience: helped", lambda claim, evidence: 1 - explained(claim, tuple(evidence)).helped),
        HallucinationDetector(
            "salience: share", lambda claim, evidence: 1 - explained(claim, tuple(evidence)).evidence_share
        ),
    )


def classifier(entailer: Entailer) -> HallucinationDetector:
    """Probability that the evidence, joined, does not support the claim."""

    def score(claim: str, evidence: Sequence[str]) -> float:
        return 1 - entailer.entail([(" ".join(evidence), claim)])[0].supported if evidence else 1.0

    return HallucinationDetector(f"classifier: {entailer.name}", score)


def word_overlap_coverage() -> CoverageDetector:
    """Share of the evidence sentence's distinct stems that the answer lacks."""

    def score(answer: Sequence[str], evidence: Sequence[str]) -> list[float]:
        return [1 - recall(sentence, " ".join(answer)) for sentence in evidence]

    return CoverageDetector("word overlap", score)


def similarity_coverage(embedder: Embedder) -> CoverageDetector:
    """1 - cosine of the evidence sentence and the sentence of the answer nearest to it."""

    def score(answer: Sequence[str], evidence: Sequence[str]) -> list[float]:
        if not answer or not evidence:
            return [2.0] * len(evidence)
        vectors = embedder.encode([*answer, *evidence])
        nearest = (vectors[len(answer) :] @ vectors[: len(answer)].T).max(axis=1)
        return [float(1 - value) for value in nearest]

    return CoverageDetector("embedding similarity", score)


def salience_coverage(generator: Generator) -> CoverageDetector:
    """1 - the sentence's share of the answer's salience; shares of one text sum to 1."""

    def score(answer: Sequence[str], evidence: Sequence[str]) -> list[float]:
        if not answer or not evidence:
            return [1.0] * len(evidence)
        return [1 - share for share in salience(generator, " ".join(answer), evidence).sentences]

    return CoverageDetector("salience: share", score)


def classifier_coverage(entailer: Entailer) -> CoverageDetector:
    """Probability that the answer does not entail the evidence sentence."""

    def score(answer: Sequence[str], evidence: Sequence[str]) -> list[float]:
        if not answer:
            return [1.0] * len(evidence)
        return [1 - found.supported for found in entailer.entail([(" ".join(answer), s) for s in evidence])]

    return CoverageDetector(f"classifier: {entailer.name}", score)
