"""Two texts → pieces of both, with what they share or where they differ marked.

`shared` marks content words by stem, for a cited sentence beside a gold one; `difference` is a word diff
of two answers. The pieces of a text always rejoin to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from rag.library.lexical import terms

_MEANT = 3  # words in a row
_TOKEN = re.compile(r"\w+(?:[-.'’]\w+)*|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, marked or not."""

    text: str
    marked: bool = False


Pieces = tuple[Piece, ...]


def shared(one: str, other: str) -> tuple[Pieces, Pieces]:
    """Mark in each text the content words that the other has too, by stem; a run of them is one mark."""
    first, second = _TOKEN.findall(one), _TOKEN.findall(other)
    both = _stems(first) & _stems(second)
    return _marked(first, both), _marked(second, both)


def difference(one: str, other: str) -> tuple[Pieces, Pieces]:
    """Mark in the first text the words that went, in the second those that came.

    Fewer than three words between two changes are in common by chance ("of the") and marked with them.
    """
    first, second = _TOKEN.findall(one), _TOKEN.findall(other)
    codes = SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    before, after = [], []
    for place, (change, i, j, k, m) in enumerate(codes):
        chance = 0 < place < len(codes) - 1 and sum(map(_is_word, first[i:j])) < _MEANT
        before += [(token, change != "equal" or chance) for token in first[i:j]]
        after += [(token, change != "equal" or chance) for token in second[k:m]]
    return _joined(before), _joined(after)


def nearest(text: str, others: Sequence[str]) -> int | None:
    """The place of the text that has the largest share of its stems in common; ties to the first.

    `None` if none has a stem in common. The share is of the union (Jaccard).
    """
    own = _stems(_TOKEN.findall(text))
    found = [_stems(_TOKEN.findall(other)) for other in others]
    likeness = [len(own & stems) / (len(own | stems) or 1) for stems in found]
    best = max(range(len(others)), key=lambda place: likeness[place], default=None)
    return best if best is not None and likeness[best] else None


def _is_word(token: str) -> bool:
    return token[0].isalnum()


def _stems(tokens: Iterable[str]) -> set[str]:
    return {stem for token in tokens for stem in _terms(token)}


@lru_cache(maxsize=65536)
def _terms(token: str) -> tuple[str, ...]:
    return tuple(terms(token)) if not token.isspace() else ()


def _marked(tokens: Sequence[str], stems: set[str]) -> Pieces:
    marks = [bool(_terms(token)) and set(_terms(token)) <= stems for token in tokens]
    for place in range(1, len(tokens) - 1):  # the space between two marked words is marked with them
        if tokens[place].isspace() and marks[place - 1] and marks[place + 1]:
            marks[place] = True
    return _joined(zip(tokens, marks, strict=True))


def _joined(tokens: Iterable[tuple[str, bool]]) -> Pieces:
    pieces: list[Piece] = []
    for text, marked in tokens:
        if pieces and pieces[-1].marked == marked:
            pieces[-1] = Piece(pieces[-1].text + text, marked)
        else:
            pieces.append(Piece(text, marked))
    return tuple(pieces)
