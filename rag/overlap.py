"""The untrained judge: how much of a claim's content the evidence carries.

It knows words, not meaning, so it calls only near-verbatim claims supported. It stands in wherever no
trained entailer is configured, and its name is in every verdict that it gives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rag.library.lexical import terms
from rag.models.entailer import Entailment
from rag.text import sentences

# A claim is called supported from .5 on. Fitted on eval/data/claims-dev.jsonl: recall at which half
# of the claims are supported, and how sharply that turns.
_MIDDLE, _SLOPE = 0.8, 12.0


class OverlapEntailer:
    """Recall of the claim's stems in the evidence, as an `Entailer`."""

    name = "overlap (untrained)"

    def entail(self, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """Judge (evidence, claim) pairs; it never says "contradicted", which is left to the guards."""
        return [self._entail(evidence, claim) for evidence, claim in pairs]

    def _entail(self, evidence: str, claim: str) -> Entailment:
        supported = 1 / (1 + math.exp(-_SLOPE * (recall(claim, evidence) - _MIDDLE)))
        return Entailment(supported, 0.0, 1 - supported)


def recall(claim: str, evidence: str) -> float:
    """Share of the claim's distinct stems that the evidence has, 0 for a claim without content.

    A claim about two sentences may draw on both, at a small price: the best single sentence counts
    half, the evidence as a whole the other half.
    """
    wanted = set(terms(claim))
    if not wanted:
        return 0.0
    single = max((len(wanted & set(terms(s))) for s in sentences(evidence)), default=0)
    return (single + len(wanted & set(terms(evidence)))) / (2 * len(wanted))
