"""A figure that the text gives of another: `B reaches 47%` where A reaches 47%, and B 29%.

Only names own figures here. In the claim it is the name, or list of names, nearest before the figure; in
the text any name since the figure before, or close behind. Where a figure stands does not tell enough to
object to just any claim: of the labelled claims on which the entailer is trained, about half of those to
which this would object are supported. It is for sentences of Footnote's own, for which a quotation can
stand in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rag.figures import Figure, figures
from rag.guards.objection import Objection
from rag.text import sentences
from rag.words import name_key, names

Names = frozenset[str]  # their keys

_BETWEEN_LISTED = re.compile(r"\W*(?:(?:and|or)\W*)?", re.IGNORECASE)
_BEFORE_OWNER = re.compile(r"\W*(?:(?:for|by|in|of|with|on|from|using|the|an?)\W+){1,3}", re.IGNORECASE)
_MATCHED = re.compile(r"\b(?:respectively|vs|versus|former|latter)\b", re.IGNORECASE)  # place tells nothing then


@dataclass(frozen=True, slots=True)
class _Owned:
    """A figure of a sentence; the names nearest before it, and all to whom it may belong."""

    figure: Figure
    nearest: Names
    possible: Names


def objection(claim: str, evidence: str) -> Objection | None:
    """Whether the claim gives a name a figure of another, where the text gives that name its own."""
    if _MATCHED.search(claim) or _MATCHED.search(evidence):
        return None
    shown = [owned for sentence in sentences(evidence) for owned in _owned(sentence)]
    for one in _owned(claim):
        owners = [other.possible for other in shown if one.figure.says(other.figure)]
        if not owners or not all(owners):
            continue  # the text does not say whose it is
        others = one.nearest.difference(*owners)
        own = [o.figure for o in shown if o.figure.unit == one.figure.unit and others & o.possible]
        if own:
            reason = f"the cited text gives {one.figure.text!r} to another name, and {own[0].text!r} to this one"
            return Objection("owners", reason, True)
    return None


def _owned(sentence: str) -> Iterator[_Owned]:
    """The figures of a sentence in order, each with its names."""
    found = _places(sentence)
    since: list[tuple[int, int, str]] = []  # the names since the figure before
    for at, (start, end, part) in enumerate(found):
        if isinstance(part, str):
            since.append((start, end, part))
            continue
        behind = {
            name
            for begin, _, name in found[at + 1 : at + 2]
            if isinstance(name, str) and _BEFORE_OWNER.fullmatch(sentence[end:begin])
        }
        yield _Owned(part, _last_list(sentence, since), frozenset(behind.union(key for *_, key in since)))
        since = []


def _last_list(sentence: str, found: list[tuple[int, int, str]]) -> Names:
    """The last of the names, with those before it that only commas or an "and" part from it."""
    listed = [name[2] for name in found[-1:]]
    for other, one in pairwise(reversed(found)):
        if not _BETWEEN_LISTED.fullmatch(sentence[one[1] : other[0]]):
            break
        listed.append(one[2])
    return frozenset(listed)


def _places(sentence: str) -> list[tuple[int, int, Figure | str]]:
    """Names, by their keys, and figures where they stand; what is both is a name."""
    found: list[tuple[int, int, Figure | str]] = []
    last = 0
    for name in names(sentence):
        start = sentence.index(name, last)
        last = start + len(name)
        found.append((start, last, name_key(name)))
    last = 0
    for figure in figures(sentence):
        start = sentence.find(figure.text, last)
        if start < 0:
            continue  # a fraction or a range, which is read in other words
        last = start + len(figure.text)
        if not any(one < last and start < end for one, end, _ in found):
            found.append((start, last, figure))
    return sorted(found, key=lambda place: place[0])
