"""What a question about several papers asks of each: `How do A and B work?` → `How do A work?` and `How do B work?`.

No sentence of A's abstract answers a question that names B as well, so a reader of single sentences would find
none that does. Which of two coordinated things is whose, the words of the papers tell: each has one that the
other lacks. A question of which one paper has both sides stays as it is, and so does one of which it has neither.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from rag.library.lexical import terms

_WORD = re.compile(r"\w+(?:[-'’.]\w+)*")
_COORDINATES = re.compile(
    r"\s*(?:,\s+(?:and|or)\b|,(?=[^,;:?]{1,25}(?:,|\s(?:and|or)\s))|&|\b(?:and|or|vs\.?|versus)(?!\w))\s*",
    re.IGNORECASE,
)
_COMPARED = re.compile(r"\bcompar\w*\b", re.IGNORECASE)
_WITH = re.compile(r"\s+(?:with|to|against)\s+", re.IGNORECASE)
_STOP = re.compile(r"[,;:?](?!\d)")
_TOGETHER = re.compile(r",?\s*\b(?:both|each|respectively)\b", re.IGNORECASE)
_NEAR = 6  # words on either side of what coordinates
_MOST = 4  # things that are coordinated


def asked_of(question: str, own: str, others: Sequence[str]) -> str:
    """The question without what it asks of the `others`, texts of papers, in the same breath as of its `own`."""
    if not _links(question):
        return question  # most have none, and the texts need not be looked at
    asked, mine = question, set(terms(own))
    for theirs in [set(terms(other)) for other in others] * _MOST:
        asked = _without(asked, theirs - mine, mine - theirs)
    return question if asked == question else " ".join(_TOGETHER.sub("", asked).split())


def _links(question: str) -> list[re.Match[str]]:
    """What stands between things that are coordinated."""
    compared = _WITH.finditer(question) if _COMPARED.search(question) else ()
    return [*_COORDINATES.finditer(question), *compared]


def _without(question: str, theirs: Set[str], mine: Set[str]) -> str:
    """The question without the first of the coordinated things that is told by stems that are only theirs."""
    words = list(_WORD.finditer(question))
    stops = [match.end() for match in _STOP.finditer(question)]
    for link in _links(question):
        start = max((stop for stop in stops if stop <= link.start()), default=0)
        end = min((stop for stop in stops if stop > link.end()), default=len(question))
        before = [word for word in words if start <= word.start() < link.start()][: -_NEAR - 1 : -1]  # nearest first
        after = [word for word in words if link.end() <= word.start() < end][:_NEAR]
        if _has(before, mine) and (run := _run(after, theirs)):
            return f"{question[: link.start()]} {question[run[-1].end() :]}"
        if _has(after, mine) and (run := _run(before, theirs)):
            return f"{question[: run[-1].start()]} {question[link.end() :]}"
    return question


def _has(words: Sequence[re.Match[str]], only: Set[str]) -> bool:
    return any(not only.isdisjoint(terms(word[0])) for word in words)


def _run(words: Sequence[re.Match[str]], only: Set[str]) -> list[re.Match[str]]:
    """The words up to the last of the first that only one paper has, behind one that others have as well at most."""
    run: list[re.Match[str]] = []
    passed = 0
    for at, word in enumerate(words):
        stems = set(terms(word[0]))
        if stems & only:
            run = list(words[: at + 1])
        elif stems:
            passed += 1
            if run or passed > 1:
                break
    return run
