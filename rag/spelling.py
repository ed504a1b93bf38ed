"""A misspelt word of a question → the word that the papers found for it have.

Only a word that neither the library nor the embedder's vocabulary knows counts as misspelt, and only
words of papers that were found anyway may stand in for it. Names in capitals or with digits are left
alone: `Gemma3` is not a misspelt `Gemma`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

from rag.library.lexical import terms
from rag.models import Embedder
from rag.sentences import Idf
from rag.types import Document

_WORD = re.compile(r"[^\W\d_][\w-]*[^\W_]")
_SHORTEST = 4
_ALIKE = 0.85  # of difflib's ratio: a letter too many or too few in six
_SWAPPED = 0.8  # of words of the same letters


def suspects(question: str, embedder: Embedder, idf: Idf) -> list[str]:
    """The words of a question that may be misspelt, in order."""
    words = [word for word in dict.fromkeys(_WORD.findall(question)) if _could_be_misspelt(word)]
    known = idf(["", *(stem for word in words for stem in terms(word))])  # "" stands for what nobody has
    strange = [word for word in words if terms(word) and all(known[stem] >= known[""] for stem in terms(word))]
    special = embedder.count_tokens([""])[0]
    pieces = embedder.count_tokens([word.lower() for word in strange])
    return [word for word, count in zip(strange, pieces, strict=True) if count - special > 1]


def corrected(question: str, misspelt: Iterable[str], papers: Iterable[Document]) -> str:
    """The question with each misspelt word put right, where the papers have a word that is alike."""
    words = {word.lower(): word for paper in papers for word in _WORD.findall(f"{paper.title} {paper.text}")}
    for word in misspelt:
        near = get_close_matches(word.lower(), sorted(words), n=3, cutoff=_SWAPPED)
        right = next((other for other in near if _alike(word.lower(), other)), None)
        if right:
            question = re.sub(rf"\b{re.escape(word)}\b", words[right], question)
    return question


def _alike(word: str, other: str) -> bool:
    return sorted(word) == sorted(other) or SequenceMatcher(None, other, word).ratio() >= _ALIKE


def _could_be_misspelt(word: str) -> bool:
    return len(word) >= _SHORTEST and sum(char.isupper() for char in word) < 2 and not re.search(r"\d", word)
