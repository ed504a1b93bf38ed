"""Deterministic checks of a claim against the text it cites.

Each guard, a module, returns why the claim cannot be called supported, or `None` when it has nothing to object.
They see what encoders miss: a changed figure, a swapped name, a lost "not", a reversed comparison. A
guard never proves support; that is the entailer's part.
"""

from __future__ import annotations

from rag.guards import direction, names, negation, numbers, owners, roles, scope
from rag.guards.objection import Objection
from rag.guards.spoken import introduced, spoken

__all__ = ["Objection", "introduced", "object_to", "object_to_own", "unmentioned"]


def object_to(claim: str, evidence: str, *, context: str = "") -> Objection | None:
    """The first objection of any guard to `claim`, given the cited `evidence`.

    `context` is text of the same paper in which names may stand too: its title and the sentence that
    introduces its method, because a claim names what the evidence calls "our method".
    """
    claim, evidence, context = spoken(claim), spoken(evidence), spoken(context)
    guards = (numbers, names, negation, direction, roles, scope)
    return next((found for guard in guards if (found := guard.objection(claim, evidence, context))), None)


def object_to_own(sentence: str, evidence: str) -> Objection | None:
    """What is to be said, besides, against a sentence of Footnote's own, for which a quotation can stand in."""
    return owners.objection(spoken(sentence), spoken(evidence))


def unmentioned(question: str, text: str) -> list[str]:
    """The names in the question that the text does not have, in whatever spelling or abbreviation."""
    return list(names.missing(spoken(question), spoken(text)))
