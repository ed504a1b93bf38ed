"""A question that asks for several things, and each of them: `What is X, and who made it?`.

Papers may say the one and not the other. Asked as one, such a question is answered out of the part that they do
say, or declined for the part that they don't; so each is asked apart, a later one as a follow-up to those before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from rag.confidence import ANSWERS_FROM, confidence
from rag.evidence import Selection
from rag.followup import standalone
from rag.library.lexical import terms
from rag.text import fold
from rag.types import Turn
from rag.which_papers import lists

_AUXILIARY = r"(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had)"
_LED = r"(?:(?:at|by|for|from|in|of|on|over|through|to|under|with) )?"
_SUBJECT = r"(?:an?|all|any|both|every|he|it|its|she|such|that|the|their|there|these|they|this|those|we|you)\b"
# Not what is part of another question, as in "what they say and how it is done".
_ASKS = (
    rf"{_LED}(?:(?:what|which|who|whom|whose)\b(?! {_SUBJECT})|(?:why|when|where) {_AUXILIARY}\b"
    rf"|how (?:{_AUXILIARY}|many|much|accurate|big|far|fast|good|high|large|long|low|often|small|strong|well)\b)"
    rf"|{_AUXILIARY} (?:{_SUBJECT}|(?-i:[A-Z]))"
)
_PARTS_FROM = re.compile(rf"(?:,? and |[;?] (?:and )?)(?:(?:if so|also),? )?(?={_ASKS})", re.IGNORECASE)
_BEGINS = re.compile(
    rf"(?:^|[,:;.] ){_LED}(?:what|which|who|whom|whose|why|when|where|how|{_AUXILIARY})\b", re.IGNORECASE
)
_BETWEEN = re.compile(r"\b(?:between|both)\b(?!.*\band\b)", re.IGNORECASE)  # whose "and" comes yet
_MOST = 3  # parts
_SENTENCES = 3  # of each


@dataclass(frozen=True, slots=True)
class Part:
    """One of several things that are asked: as a question of its own, and that made standalone.

    `leans`: it can only be understood after another one.
    """

    question: str
    standalone: str
    leans: bool


def parts(question: str, history: Sequence[Turn]) -> list[Part]:
    """What a question asks apart, or nothing where that is one thing, or papers."""
    turns = list(history)
    found: list[Part] = []
    for asked in _split(fold(question)):
        alone = standalone(asked, turns, goes_on=bool(found))
        found.append(Part(asked, alone, bool(found) and alone != asked))
        turns.append(Turn(alone, ""))
    return found if len(found) > 1 else []


def joined(whole: Selection, asked: Sequence[Part], read: Sequence[Selection]) -> tuple[Selection, list[Part]]:
    """The evidence for those parts of a question that have an answer, in turn, and the parts that have none.

    `read` holds what was selected for each. Of a part that leans on others, nothing is known where those have no
    answer. Where no part has one, all depends on the `whole`.
    """
    answered: list[Selection] = []
    untold: list[Part] = []
    for part, own in zip(asked, read, strict=True):
        if confidence(own.signals) >= ANSWERS_FROM and own.evidence and (answered or not part.leans):
            answered.append(own)
        else:
            untold.append(part)
    if not answered:
        return whole, []
    in_turn = [
        item for items in zip_longest(*(own.evidence[:_SENTENCES] for own in answered)) for item in items if item
    ]
    evidence = tuple({item.chunk: item for item in in_turn}.values())
    best = max(answered, key=lambda own: confidence(own.signals))
    signals = replace(best.signals, denied=max(own.signals.denied for own in answered))
    several = len({own.evidence[0].document.id for own in answered}) > 1
    named = several or any(own.names_papers for own in answered)
    return Selection(evidence, signals, names_papers=named), untold


def _split(question: str) -> list[str]:
    if lists(question):
        return [question]
    found: list[str] = []
    start = 0
    for link in _PARTS_FROM.finditer(question):
        before, behind = question[start : link.start()], question[link.end() :]
        if len(found) < _MOST - 1 and _is_question(before) and not _BETWEEN.search(before) and terms(behind):
            found.append(f"{before.rstrip('?')}?")
            start = link.end()
    found.append(question[start:])
    return [found[0], *(part[0].upper() + part[1:] for part in found[1:])]


def _is_question(text: str) -> bool:
    return bool(_BEGINS.search(text) and terms(text))
