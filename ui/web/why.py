"""Why this answer: which sentences and words of the evidence drive a sentence of the answer, on demand.

`rag.salience` measures; here the measure becomes shades. It tells what the generator looked at, not whether
that supports the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.pipeline import Footnote
from rag.salience import Salience
from rag.types import Answer

SHADES = 5


@dataclass(frozen=True, slots=True)
class Driver:
    """A sentence of the evidence: its share of what drives the answer, and its words with a shade in 0..4."""

    share: float
    pieces: tuple[tuple[str, int], ...]


def why(footnote: Footnote, answer: Answer, claim: int) -> tuple[Salience, list[Driver]]:
    """What drives a claim of an answer, the strongest sentence first; the evidence is all that the answer cites.

    Raises ModelError for a generator without gradients, such as one on a server.
    """
    quotes = list(dict.fromkeys(citation.quote for citation in answer.citations))
    text = answer.claims[claim].text.strip("“”")
    found = footnote.explain(text, quotes, question=answer.standalone_question)
    return found, drivers(found, quotes)


def drivers(found: Salience, quotes: Sequence[str]) -> list[Driver]:
    """Sentences with their shaded words; the strongest word has the darkest shade."""
    most = max((word.score for words in found.words for word in words), default=0.0)
    made = []
    for share, words, quote in zip(found.sentences, found.words, quotes, strict=True):
        pieces: list[tuple[str, int]] = []
        end = 0
        for word in words:
            pieces.append((quote[end : word.start], 0))
            shade = min(SHADES - 1, int(SHADES * max(0.0, word.score) / most)) if most > 0 else 0
            pieces.append((word.text, shade))
            end = word.end
        pieces.append((quote[end:], 0))
        made.append(Driver(share, tuple(piece for piece in pieces if piece[0])))
    return sorted(made, key=lambda driver: -driver.share)
