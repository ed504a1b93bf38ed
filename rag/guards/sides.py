"""What puts one thing before another (`outperforms`, `instead of`, `leads to`), and which side of it is which.

Sides are told by their words alone, so a comparison counts as exchanged only where each side has words
of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.library.lexical import terms

Comparison = tuple[set[str], set[str], str]  # stems of what comes first and second, and the word that says so

# Words by which the first side comes before, and by which it comes after.
_COMPARATORS = [
    (re.compile(rf"\b(?:{before})\b", re.IGNORECASE), re.compile(rf"\b(?:{after})\b", re.IGNORECASE))
    for before, after in (
        (
            r"outperform\w*|surpass\w*|exceed\w*|beats?|better than|superior to|ahead of",
            r"underperform\w*|lag\w* behind|fall\w* (?:behind|short of)|trail\w*|worse than|inferior to",
        ),
        (r"(?<!better )(?<!worse )(?<!rather )than", r"(?!)"),
        (r"replac\w*|instead of|rather than|in place of|t(?:ake|akes|ook) over from|supersed\w*", r"(?!)"),
        (
            r"leads? to|led to|gives? rise to|results? in|resulted in|caus(?:e|es|ed|ing)",
            r"results? from|resulted from|stem\w* from|due to|because of",
        ),
        (r"(?:based|built|trained|(?:fine-?)?tuned) on|derived from|inspired by|distilled from", r"(?!)"),
        (r"preced\w*|followed by|prior to|before", r"follow(?:s|ing)?|after"),
    )
]
_FROM_TO = re.compile(r"\bfrom\s((?:\S+\s){1,7}?)(?:in)?to\s(.*)", re.IGNORECASE)
_NEAR = 7  # stems on either side of a comparator that say what is compared


def exchanged(claim: str, sentence: str) -> str | None:
    """The comparator whose sides the sentence has the other way round; empty where it has them as they are.

    None where it does not compare the same things.
    """
    found = None
    for shown, claimed in zip(_comparisons(sentence), _comparisons(claim), strict=True):
        for first, second, word in claimed:
            if any(_sides_agree(first, second, one, other) for one, other, _ in shown):
                return ""
            if any(_sides_agree(first, second, other, one) for one, other, _ in shown):
                found = word
    return found


def _sides_agree(first: set[str], second: set[str], one: set[str], other: set[str]) -> bool:
    """Whether each side has words in common with its counterpart that the other two lack."""
    return bool((first & one) - (second | other) and (second & other) - (first | one))


def _comparisons(text: str) -> list[list[Comparison]]:
    """Those of each kind: by what comes before and after, and from one thing to another."""
    moved = [(set(terms(match[1])), set(terms(match[2])[:_NEAR]), "from … to") for match in _FROM_TO.finditer(text)]
    return [*(list(_compared(text, before, after)) for before, after in _COMPARATORS), moved]


def _compared(text: str, before: re.Pattern[str], after: re.Pattern[str]) -> Iterator[Comparison]:
    """Stems of what comes first, of what comes second, and the word that says so; turned round for a passive."""
    for pattern in (before, after):
        for match in pattern.finditer(text):
            left = set(terms(text[: match.start()])[-_NEAR:])
            right = set(terms(text[match.end() :])[:_NEAR])
            passive = re.match(r"\s+by\b", text[match.end() :]) is not None
            yield (right, left, match[0]) if passive != (pattern is after) else (left, right, match[0])
