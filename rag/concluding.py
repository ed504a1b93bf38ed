"""Checked claims → the answer: what holds, completed with quotations of the evidence, else an abstention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rag import answer as answering
from rag.evidence import Selection
from rag.models import Entailer
from rag.types import Abstention, Answer, Claim, Verdict
from rag.verify import verify


def conclude(
    answer: Answer,
    checked: Sequence[Claim],
    selection: Selection,
    *,
    entailer: Entailer,
    max_words: int,
    closely: bool = False,
    numbers: Mapping[str, int] | None = None,
) -> Answer:
    """Put the supported claims into `answer`, keep the others as withdrawn, and quote what is left untold.

    `selection` holds the evidence that was shown; quotations are verified as any claim is. What is left untold
    is, read `closely` (see `verify`), all of it: a small generator tells little. Another one tells what answers,
    so that only what it tried and failed to tell is quoted; all where it cited nothing, or is to list papers.
    `numbers` are footnote numbers that papers already have, by document id.
    """
    kept = answering.told_once([claim for claim in checked if claim.verdict is Verdict.SUPPORTED])
    withdrawn = tuple(claim for claim in checked if claim.verdict is not Verdict.SUPPORTED)
    untold = answering.cited_by(withdrawn, selection.evidence)
    if closely or selection.names_papers or not (kept or untold):
        untold = list(selection.evidence)
    told = answering.completed(kept, untold, max_words=max_words, naming=selection.names_papers, sure=selection.sure)
    documents = {item.document.id: item.document for item in selection.evidence}
    quotations = verify(told[len(kept) :], documents, entailer=entailer)
    text, claims = answering.compose([*told[: len(kept)], *quotations], numbers=numbers)
    return replace(
        answer,
        text=text,
        claims=claims,
        withdrawn=withdrawn,
        abstention=None if claims else Abstention.UNSUPPORTED,
    )
