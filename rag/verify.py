"""Each claim against the text it cites → verdict, support and reason.

First the deterministic guards, then an entailer. A claim is supported when no guard objects and the
entailer finds the cited text to carry it; a verbatim quotation is supported by construction. What to
do with an unsupported claim is left to the pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag import guards
from rag.cite import said
from rag.library.lexical import terms
from rag.models.entailer import Entailer, Entailment
from rag.models.weights import calibrated
from rag.overlap import keeps_to
from rag.text import fold
from rag.types import Claim, Document, Verdict

SUPPORTED_FROM = 0.5
# Of Footnote's own sentences, which a quotation can replace, more is asked.
WRITTEN_FROM = 0.7
VERBATIM = "verbatim"  # the judge of a quotation
_ASSENTS = frozenset("yes yeah ok okay right true correct exact inde sure certain definit absolut".split())  # stems


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on one (claim, evidence) pair."""

    verdict: Verdict
    support: float
    judge: str
    reason: str = ""


def judge(claim: str, evidence: Sequence[str], *, entailer: Entailer, context: str = "") -> Judgement:
    """Judge one claim against the sentences of one source; see `judge_all`."""
    return judge_all([(claim, evidence, context)], entailer=entailer)[0]


def judge_all(cases: Sequence[tuple[str, Sequence[str], str]], *, entailer: Entailer) -> list[Judgement]:
    """Judge (claim, evidence sentences, context) cases in one batch.

    `context` is text in which the paper names itself (see `guards.object_to`). Without evidence the
    verdict is `not_enough_info` with support 0; only what no rule settles is given to the entailer.
    """
    found = [_settled(claim, evidence, entailer.name) for claim, evidence, _ in cases]
    left = [case for case, judgement in zip(cases, found, strict=True) if judgement is None]
    entailments = entailer.entail([(" ".join(evidence), claim) for claim, evidence, _ in left])
    judged = iter(
        [
            _combine(claim, evidence, context, entailment, entailer.name)
            for (claim, evidence, context), entailment in zip(left, entailments, strict=True)
        ]
    )
    return [judgement or next(judged) for judgement in found]


def verify(
    claims: Sequence[Claim], documents: Mapping[str, Document], *, entailer: Entailer, closely: bool = False
) -> list[Claim]:
    """Give each claim of an answer its verdict against its own citations, in the same order.

    `closely` asks that a claim keep to the words of what it cites: for a generator too small to be trusted
    with words of its own.
    """
    quoted = [[c.quote for c in claim.citations] for claim in claims]
    cases = [(said(claim), own, _context(claim, documents)) for claim, own in zip(claims, quoted, strict=True)]
    judgements = [
        _strict(judgement, claim, " ".join(own), closely=closely)
        for judgement, (claim, own, _) in zip(judge_all(cases, entailer=entailer), cases, strict=True)
    ]
    return [
        replace(claim, verdict=j.verdict, support=j.support, judge=j.judge, reason=j.reason)
        for claim, j in zip(claims, judgements, strict=True)
    ]


def context_of(document: Document) -> str:
    """Where a paper names itself: its title, its authors and the sentences that introduce its method."""
    authors = " ".join(map(str, document.metadata.get("authors") or ()))
    return f"{document.title} {authors} {guards.introduced(document.text)}"


def _context(claim: Claim, documents: Mapping[str, Document]) -> str:
    cited = dict.fromkeys(citation.doc_id for citation in claim.citations)
    return " ".join(context_of(documents[doc_id]) for doc_id in cited if doc_id in documents)


def _strict(judgement: Judgement, claim: str, evidence: str, *, closely: bool) -> Judgement:
    if judgement.verdict is not Verdict.SUPPORTED or judgement.judge == VERBATIM:
        return judgement
    if closely and not keeps_to(claim, evidence):
        return replace(judgement, verdict=Verdict.NOT_ENOUGH_INFO, reason="it departs from the words of the cited text")
    if not closely and judgement.support < WRITTEN_FROM:
        return replace(judgement, verdict=Verdict.NOT_ENOUGH_INFO, reason="the cited text may not say this")
    if objection := guards.object_to_own(claim, evidence):
        return replace(judgement, verdict=Verdict.CONTRADICTED, reason=objection.reason)
    return judgement


def _settled(claim: str, evidence: Sequence[str], entailer_name: str) -> Judgement | None:
    if not evidence:
        return Judgement(Verdict.NOT_ENOUGH_INFO, 0.0, entailer_name, "nothing is cited")
    if _is_quotation(claim, evidence):
        return Judgement(Verdict.SUPPORTED, 1.0, VERBATIM)
    if not set(terms(claim)) - _ASSENTS:
        return Judgement(Verdict.NOT_ENOUGH_INFO, 0.0, entailer_name, "it says nothing that could be checked")
    return None


def _combine(
    claim: str, evidence: Sequence[str], context: str, entailment: Entailment, entailer_name: str
) -> Judgement:
    name = f"guards + {entailer_name}"
    objection = guards.object_to(claim, " ".join(evidence), context=context)
    if objection:
        contradicts = objection.contradicts and entailment.supported + entailment.contradicted >= SUPPORTED_FROM / 2
        verdict = Verdict.CONTRADICTED if contradicts else Verdict.NOT_ENOUGH_INFO
        return Judgement(verdict, _after_objection(entailment.supported), name, objection.reason)
    if entailment.supported >= SUPPORTED_FROM:
        return Judgement(Verdict.SUPPORTED, entailment.supported, name)
    if entailment.contradicted > max(entailment.supported, entailment.not_enough_info):
        return Judgement(Verdict.CONTRADICTED, entailment.supported, name, "the cited text says otherwise")
    return Judgement(Verdict.NOT_ENOUGH_INFO, entailment.supported, name, "the cited text does not say this")


def _after_objection(support: float) -> float:
    """What an objection takes from the log odds of support; it also keeps the support below the threshold."""
    objection: float = calibrated("entailer")["objection"]
    bounded = min(max(support, 1e-6), 1 - 1e-6)
    odds = bounded / (1 - bounded) * math.exp(-objection)
    return min(odds / (1 + odds), SUPPORTED_FROM - 0.01)


def _is_quotation(claim: str, evidence: Sequence[str]) -> bool:
    """Whether the claim is, quotation marks aside, one of the cited sentences."""
    said = fold(claim).strip('"“” ')
    return bool(said) and said in {fold(quote).strip('"“” ') for quote in evidence}
