"""A misspelt word of a question → the word that the papers found for it have, or else a usual English one.

Only a word that neither the library, nor the embedder's vocabulary, nor English knows counts as misspelt. Words of
papers that were found anyway stand in for it, and where none is like it, an English word that is one slip of the hand
away and far more usual than any other such, because `abouut` would count as a rare word that no paper has. A name in
capitals is only read as one of the same letters, as `NNsigth` for `NNsight`, and one with digits is left alone:
`Gemma3` is not a misspelt `Gemma`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher, get_close_matches
from functools import cache
from typing import Any

from rag.library.lexical import terms
from rag.models import Embedder
from rag.sentences import Idf
from rag.types import Document

_WORD = re.compile(r"[^\W\d_][\w-]*[^\W_]\b(?!['’]t\b)")
_SHORTEST = 4
_ALIKE = 0.85  # of difflib's ratio: a letter too many or too few in six
_SWAPPED = 0.8  # of words of the same letters
_LONG = 5  # letters of a word that one slip does not turn into any other
_USUAL = 3e-6  # of the words of English
_COMMON = 2e-5
_MORE_USUAL = 3.0  # than the next


def suspects(question: str, embedder: Embedder, idf: Idf) -> list[str]:
    """The words of a question that may be misspelt, in order."""
    words = [word for word in dict.fromkeys(_WORD.findall(question)) if _could_be_misspelt(word)]
    known = idf(["", *(stem for word in words for stem in terms(word))])  # "" stands for what nobody has
    strange = [word for word in words if terms(word) and all(known[stem] >= known[""] for stem in terms(word))]
    special = embedder.count_tokens([""])[0]
    pieces = embedder.count_tokens([word.lower() for word in strange])
    return [word for word, count in zip(strange, pieces, strict=True) if count - special > 1]


def corrected(question: str, misspelt: Iterable[str], papers: Iterable[Document]) -> str:
    """The question with each misspelt word put right, where the papers or English have a word that is alike."""
    words = [word for paper in papers for word in _WORD.findall(f"{paper.title} {paper.text}")]
    forms = {word.lower(): word for word in words}
    counts = Counter(word.lower() for word in words)
    for word in misspelt:
        if right := _named(word.lower(), counts) if _is_name(word) else _right(word.lower(), counts):
            question = re.sub(rf"\b{re.escape(word)}\b", forms.get(right, right), question)
    return question


def is_usual(name: str) -> bool:
    """Whether a name may be a word of English, or a known one: `Google`; in capitals only a common one: `ALWAYS`."""
    word, english = name.lower(), _english()
    return word in english if name[1:].islower() else english.word_usage_frequency(word) >= _COMMON


def is_alike(word: str, others: Iterable[str]) -> bool:
    """Whether it may be one of the others, misspelt; both in lower case."""
    return len(word) >= _LONG and bool(get_close_matches(word, set(others), n=1, cutoff=_ALIKE))


def _right(word: str, counts: Mapping[str, int]) -> str:
    """What is meant by `word`, given how often the papers have each of theirs; empty where that cannot be told."""
    if word in _english():
        return ""  # no paper has it, but it is one: `unlearning` is no misspelt `learning`
    alike = next(_like(word, counts), "")
    if alike or len(word) < _LONG:
        return alike
    slips = sorted(_english().edit_distance_1(word) & counts.keys())
    return max(slips, key=lambda other: counts[other], default="") or _usual(word)


def _named(word: str, counts: Mapping[str, int]) -> str:
    """The word of the papers that is alike and has no other letters, if there is one."""
    return next((other for other in _like(word, counts) if len(word) >= _LONG and set(word) == set(other)), "")


def _like(word: str, counts: Mapping[str, int]) -> Iterator[str]:
    """The words of the papers that are alike, those of the same letters first, then the most alike."""
    near = get_close_matches(word, sorted(counts), n=3, cutoff=_SWAPPED)
    near.sort(key=lambda other: sorted(other) != sorted(word))
    return (other for other in near if _alike(word, other))


def _usual(word: str) -> str:
    """The English word one slip away that is far more usual than any other, if there is one."""
    english = _english()
    shares = Counter({other: english.word_usage_frequency(other) for other in english.candidates(word) or ()})
    (first, share), (_, second) = [*shares.most_common(2), ("", 0.0), ("", 0.0)][:2]
    return first if share >= max(_USUAL, _MORE_USUAL * second) else ""


@cache
def _english() -> Any:
    """Words of English by their frequency; a tenth of a second to load, so only once a word is strange."""
    from spellchecker import SpellChecker

    return SpellChecker(distance=1)


def _alike(word: str, other: str) -> bool:
    return sorted(word) == sorted(other) or SequenceMatcher(None, other, word).ratio() >= _ALIKE


def _could_be_misspelt(word: str) -> bool:
    return len(word) >= _SHORTEST and not re.search(r"\d", word)


def _is_name(word: str) -> bool:
    return sum(char.isupper() for char in word) >= 2
