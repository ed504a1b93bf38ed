"""A "not" too many or too few."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.guards.objection import Objection, relevant, stems
from rag.words import names, words

_NEGATORS = frozenset(
    "not no never neither nor without cannot none nothing hardly barely unable fail fails failed failing lack lacks "
    "lacking".split()
)
_REACH = 2  # content words that a "not" reaches


def objection(claim: str, evidence: str, _: str) -> Objection | None:
    """Whether the claim denies what a relevant sentence says, or says what it denies."""
    denied, said = polarity(claim)
    for sentence in relevant(claim, evidence):
        other_denied, other_said = polarity(sentence)
        excused = _denied_in_both(claim, sentence)
        lost = (other_denied - other_said) & (said - denied) - excused
        added = (denied - said) & (other_said - other_denied) - excused
        if lost or added:
            word = min(lost or added)
            return Objection("negation", f"the cited text {'denies' if lost else 'affirms'} {word!r}", True)
    return None


@dataclass(frozen=True, slots=True)
class Clause:
    """Stems of a clause: the first behind each negator, those out of reach of one, all behind the first.

    Names are in none. `negators` counts what denies; a "nor" goes on with what a "neither" began.
    """

    denied: frozenset[str]
    said: frozenset[str]
    scope: frozenset[str]
    negators: int


def polarity(text: str) -> tuple[set[str], set[str]]:
    """The first stem behind each negator, and all stems out of reach of one; names are in neither."""
    parts = clauses(text)
    return {stem for part in parts for stem in part.denied}, {stem for part in parts for stem in part.said}


def _denied_in_both(claim: str, sentence: str) -> set[str]:
    """Stems of clauses that deny the same in other words: `does not require data`, `requires no data`."""
    return {
        stem
        for one in clauses(claim)
        for other in clauses(sentence)
        if one.negators == other.negators == 1 and one.denied and other.denied
        if one.denied <= other.scope or other.denied <= one.scope
        for stem in (one.said | one.scope) & (other.said | other.scope)
    }


def clauses(text: str) -> list[Clause]:
    """The clauses of a text, cut at punctuation and at what sets against each other."""
    named = {name.lower() for name in names(text)}
    parts = re.split(r"[,;:.]|\b(?:but|while|whereas|although|though|however)\b", text)
    return [_clause(words(part), named) for part in parts]


def _clause(spoken: Sequence[str], named: set[str]) -> Clause:
    denied: set[str] = set()
    said: set[str] = set()
    scope: set[str] = set()
    reach = negators = 0
    for word, following in zip(spoken, [*spoken, ""][1:], strict=True):
        if negates(word):
            reach = _REACH
            negators += word != "nor" or not negators
            continue
        found = [] if word in named else stems(word)
        if negators:
            scope.update(found)
        # "requires no data" neither affirms nor denies that it requires.
        if reach <= 0 and following not in ("no", "neither", "none"):
            said.update(found)
        elif reach == _REACH:
            denied.update(found)
        reach -= len(found)
    return Clause(frozenset(denied), frozenset(said), frozenset(scope), negators)


def negates(word: str) -> bool:
    """Whether a word denies."""
    return word in _NEGATORS or word.endswith("n't")
