"""Whether citations are real, support what they stand behind, and are needed.

A statement is one sentence of an answer with the passages it cites. `entails(premise, claim)` is a
judge: a probability or a truth value, `None` where it cannot tell, which makes the item unscored. Copying
a passage earns full marks here: correctness and length are read beside.

Source of recall, precision and necessity: Gao et al., ALCE, EMNLP 2023 (arXiv:2305.14627). Unlike its
code, a fabricated number stays in the denominator, `[1, 2]` is two citations and empty answers count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from eval.metrics.share import Share, counted
from rag.answer import is_quotation
from rag.cite import said
from rag.types import Answer, Citation, Claim

Entails = Callable[[str, str], float | None]

THRESHOLD = 0.5  # from here on a judge says yes


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence without its markers, the passages that it cites, and the source of each of them."""

    text: str
    passages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def statements(claims: Iterable[Claim]) -> list[Statement]:
    """The claims of an answer as statements."""
    return [
        Statement(
            said(claim),
            tuple(citation.quote for citation in claim.citations),
            tuple(citation.source for citation in claim.citations),
        )
        for claim in claims
    ]


def validity_of(answer: Answer) -> Share:
    """Numbers in the draft that were shown / all numbers in it; the fabricated ones were taken out and counted.

    Evidence that was quoted beside the draft is no merit of the generator's.
    """
    drafted = (claim for claim in (*answer.claims, *answer.withdrawn) if not is_quotation(claim))
    real = sum(len(claim.citations) for claim in drafted)
    return Share(real, real + answer.fabricated_markers)


def recall(cited: Sequence[Statement], entails: Entails) -> Share:
    """Statements that their passages together entail / all statements; one that cites nothing is not entailed."""
    return counted(_holds(statement.passages, statement.text, entails) for statement in cited)


def precision(cited: Sequence[Statement], entails: Entails, *, fabricated: int = 0) -> Share:
    """Precise citations / all citations, the fabricated ones included.

    A citation is precise if its statement is entailed by all its passages together, and it is not
    irrelevant. It is irrelevant if it does not entail the statement alone and the others do without it.
    """
    judged = counted(
        _is_precise(statement, place, entails) for statement in cited for place in range(len(statement.passages))
    )
    return judged + Share(0, fabricated)


def necessity(cited: Sequence[Statement], entails: Entails) -> Share:
    """Citations without which the others no longer entail the statement / citations of entailed statements."""
    outcomes: list[bool | None] = []
    for statement in cited:
        whole = _holds(statement.passages, statement.text, entails)
        if whole is not False:
            places = range(len(statement.passages))
            outcomes.extend(_not(_holds(_others(statement, place), statement.text, entails)) if whole else None
                            for place in places)  # fmt: skip
    return counted(outcomes)


def misattribution(cited: Sequence[Statement], gold: Mapping[str, str], entails: Entails) -> Share:
    """The right sentence, the wrong paper; lower is better.

    Statements that their own passages do not entail, but the marked evidence of a paper that they do not
    cite does / statements that cite something. `gold` maps a source to its marked evidence.
    """
    return counted(_is_misattributed(statement, gold, entails) for statement in cited if statement.passages)


def verbatim(citations: Sequence[Citation], documents: Mapping[str, str]) -> Share:
    """Citations whose quote is `text[start:end]` of the document they name / all citations.

    An empty quote and an unknown document are not verbatim.
    """
    return counted(
        bool(citation.quote)
        and 0 <= citation.start < citation.end
        and documents.get(citation.doc_id, "")[citation.start : citation.end] == citation.quote
        for citation in citations
    )


def _holds(passages: Sequence[str], text: str, entails: Entails) -> bool | None:
    if not passages:
        return False
    support = entails(" ".join(passages), text)
    return None if support is None else support >= THRESHOLD


def _not(outcome: bool | None) -> bool | None:
    return None if outcome is None else not outcome


def _others(statement: Statement, place: int) -> tuple[str, ...]:
    return (*statement.passages[:place], *statement.passages[place + 1 :])


def _is_precise(statement: Statement, place: int, entails: Entails) -> bool | None:
    whole = _holds(statement.passages, statement.text, entails)
    if not whole:
        return whole
    alone = _holds((statement.passages[place],), statement.text, entails)
    if alone:
        return True
    rest = _holds(_others(statement, place), statement.text, entails)
    if rest is False:
        return True
    return None if alone is None or rest is None else False


def _is_misattributed(statement: Statement, gold: Mapping[str, str], entails: Entails) -> bool | None:
    own = _holds(statement.passages, statement.text, entails)
    if own is not False:
        return _not(own)
    found = [
        _holds((evidence,), statement.text, entails)
        for source, evidence in gold.items()
        if source not in statement.sources
    ]
    return True if any(found) else None if None in found else False
