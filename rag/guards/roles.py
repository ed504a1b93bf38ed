"""Two sides that have changed places: `A beats B` for `B beats A`."""

from __future__ import annotations

from rag.guards.direction import is_converse
from rag.guards.objection import Objection, relevant
from rag.guards.sides import exchanged


def objection(claim: str, evidence: str, _: str) -> Objection | None:
    """Whether a relevant sentence compares the same two things the other way round."""
    for sentence in relevant(claim, evidence):
        word = exchanged(claim, sentence)
        if word and not is_converse(claim, sentence):
            return Objection("roles", f"the cited text has the sides of {word!r} the other way round", True)
    return None
