"""An "all", "never" or "only" that the text does not say."""

from __future__ import annotations

from collections.abc import Sequence

from rag.guards.negation import clauses, negates
from rag.guards.objection import Objection
from rag.library.lexical import terms
from rag.words import words

_UNIVERSAL = {
    "all": "all every each entire whole any",
    "every": "all every each any",
    "always": "always all every consistently",
    "never": "never no not none",
    "only": "only solely alone merely just exclusively",
    "entirely": "entirely completely fully entire whole all full",
    "completely": "completely entirely fully complete all full",
    "perfectly": "perfectly perfect exactly",
    "guarantees": "guarantees guarantee guaranteed guarantees",
    "any": "any all every arbitrary universal universally",
    "none": "none no not never",
    "universally": "universally universal all every",
    "solely": "only solely alone exclusively",
    "exclusively": "only solely alone exclusively",
    "proves": "proves prove proof proven guarantee guarantees theoretical theoretically",
    "must": "must need needs should required necessary",
}


_ANY_AFTER = 4  # words before an "any" that may deny it


def _is_denied_of(following: Sequence[str], evidence: str, *, by: Sequence[str]) -> bool:
    """Whether `by` denies, and the evidence denies the first content word that follows too."""
    first = terms(" ".join(following))[:1]
    return any(map(negates, by)) and any(clause.scope.issuperset(first) for clause in clauses(evidence) if first)


def objection(claim: str, evidence: str, _: str) -> Objection | None:
    """Whether the claim takes in all where the text does not."""
    shown = set(words(evidence))
    claimed = words(claim)
    for at, word in enumerate(claimed):
        if claimed[max(0, at - 1) : at + 1] == ["at", "all"]:
            continue
        if word == "any" and _is_denied_of(claimed[at + 1 :], evidence, by=claimed[max(0, at - _ANY_AFTER) : at]):
            continue  # "without any labels" is "without labels"
        if word in _UNIVERSAL and not shown & set(_UNIVERSAL[word].split()):
            return Objection("scope", f"the cited text does not say {word!r}", False)
    return None
