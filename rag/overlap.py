"""The untrained judge: whether a claim is its evidence, shortened.

It knows words, not meaning. Sharing most words is not enough ("white-box access lets auditors design
evaluations" shares all but one with a sentence about outside-the-box access), so it asks for every
word of the claim, nearly all in the order in which the evidence has them. It stands in wherever no
trained entailer is configured, and its name is in every verdict that it gives.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import Match, SequenceMatcher
from itertools import accumulate, chain, pairwise

from rag.library.lexical import terms
from rag.models.entailer import Entailment

UNTRAINED = "overlap"  # the setting that asks for this judge

# How much of a claim must lie in the evidence in order. Strict on purpose: on eval/data/claims-dev.jsonl
# it calls 1 of the 117 unsupported claims supported, and few of the paraphrases.
_IN_ORDER = 0.85
_NEARLY_ALL = 0.9
_CLAUSE_END = re.compile(r"[.,;:()]\s|\s\(|\s--?\s|[–—]")
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
    """Whether a claim is the evidence in its own words and order, shortened: at its ends, or by whole clauses.

    What leaves more than a word out of the midst of a clause may join what does not belong together. Of the
    sentences that the default generator wrote for the dev questions and the entailer let pass, 32 kept to their
    evidence so, all of them faithful; of 6 that had but its words in order, 4 were not; of the rest about half.
    """
    claim = _REPORTER.sub("they", claim)
    is_near = recall(claim, evidence) >= _NEARLY_ALL and in_order(claim, evidence) >= _IN_ORDER
    return is_near and not _cuts_into_a_clause(claim, evidence)


def _cuts_into_a_clause(claim: str, evidence: str) -> bool:
    """Whether more than one stem is left out between two of the claim, other than clauses or what an acronym says."""
    clauses = [terms(clause) for clause in _CLAUSE_END.split(evidence)]
    stems = list(chain.from_iterable(clauses))
    ends = set(accumulate(map(len, clauses), initial=0))
    for one, other in pairwise(_matching(terms(claim), stems)):
        start, end = one.b + one.size, other.b
        is_clauses = start in ends and end in ends
        is_said_short = "".join(stem[0] for stem in stems[start:end]) == stems[end]
        if end - start > 1 and not is_clauses and not is_said_short:
            return True
    return False


def recall(claim: str, evidence: str) -> float:
    """Share of the claim's distinct stems that the evidence has, 0 for a claim without content."""
    wanted = set(terms(claim))
    return len(wanted & set(terms(evidence))) / len(wanted) if wanted else 0.0


def in_order(claim: str, evidence: str) -> float:
    """Share of the claim's stems that lie in the evidence in the same order, 0 for a claim without content."""
    wanted = terms(claim)
    if not wanted:
        return 0.0
    return sum(block.size for block in _matching(wanted, terms(evidence))) / len(wanted)


def _matching(wanted: Sequence[str], given: Sequence[str]) -> list[Match]:
    """The runs of stems that both have, in order."""
    return SequenceMatcher(None, wanted, given, autojunk=False).get_matching_blocks()[:-1]  # the last is empty
