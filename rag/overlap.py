"""The untrained judge: whether a claim is its evidence, shortened.

It knows words, not meaning. Sharing most words is not enough ("white-box access lets auditors design
evaluations" shares all but one with a sentence about outside-the-box access), so it asks for every
word of the claim, nearly all in the order in which the evidence has them. It stands in wherever no
trained entailer is configured, and its name is in every verdict that it gives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from rag.library.lexical import terms
from rag.models.entailer import Entailment

UNTRAINED = "overlap"  # the setting that asks for this judge

# How much of a claim must lie in the evidence in order. Strict on purpose: on eval/data/claims-dev.jsonl
# it calls 1 of the 117 unsupported claims supported, and few of the paraphrases.
_IN_ORDER = 0.85
_NEARLY_ALL = 0.9
_REPORTER = re.compile(r"\bthe authors\b", re.IGNORECASE)  # the `we` of the evidence, which is no content either


class OverlapEntailer:
    """Every word, nearly all in order: supported from .5 on, below it by the share of words."""

    name = "overlap (untrained)"

    def entail(self, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """Judge (evidence, claim) pairs; it never says "contradicted", which is left to the guards."""
        return [self._entail(evidence, claim) for evidence, claim in pairs]

    def _entail(self, evidence: str, claim: str) -> Entailment:
        had, ordered = recall(claim, evidence), in_order(claim, evidence)
        whole = had == 1 and ordered >= _IN_ORDER
        supported = (1 + ordered) / 2 if whole else 0.49 * had
        return Entailment(supported, 0.0, 1 - supported)


def keeps_to(claim: str, evidence: str) -> bool:
    """Whether nearly all of a claim's words are the evidence's, in its order: shortened, not put in other words.

    Of the sentences that the default generator wrote for the dev questions and the entailer let pass, 12 kept to
    their evidence, all of them faithful; of the 27 others about half were not.
    """
    claim = _REPORTER.sub("they", claim)
    return recall(claim, evidence) >= _NEARLY_ALL and in_order(claim, evidence) >= _IN_ORDER


def recall(claim: str, evidence: str) -> float:
    """Share of the claim's distinct stems that the evidence has, 0 for a claim without content."""
    wanted = set(terms(claim))
    return len(wanted & set(terms(evidence))) / len(wanted) if wanted else 0.0


def in_order(claim: str, evidence: str) -> float:
    """Share of the claim's stems that lie in the evidence in the same order, 0 for a claim without content."""
    wanted = terms(claim)
    if not wanted:
        return 0.0
    matcher = SequenceMatcher(None, wanted, terms(evidence), autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) / len(wanted)
