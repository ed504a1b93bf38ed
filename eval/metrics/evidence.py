"""How far the cited spans are the spans that a person marked as evidence, character by character."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eval.dataset import GoldSentence
from eval.metrics.share import Share
from rag.text import locate
from rag.types import Citation


@dataclass(frozen=True, slots=True)
class Place:
    """A span of the document of a source; the end is exclusive."""

    source: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """Precision: marked among the cited characters; recall: cited among the marked ones."""

    precision: Share
    recall: Share


def overlap(cited: Iterable[Place], marked: Iterable[Place]) -> Overlap:
    """Compare spans, each character of a document once, however often it is cited.

    Precision is `None` if nothing is cited, recall if nothing is marked.
    """
    ours, theirs = _characters(cited), _characters(marked)
    common = len(ours & theirs)
    return Overlap(Share(common, len(ours)), Share(common, len(theirs)))


def cited_places(citations: Iterable[Citation]) -> list[Place]:
    """Where citations point."""
    return [Place(citation.source, citation.start, citation.end) for citation in citations]


def marked_places(sentences: Iterable[GoldSentence], documents: Mapping[str, str]) -> list[Place]:
    """Where gold sentences stand, given the text of each source; raises KeyError for an unknown source.

    Raises ValueError for a sentence that is not there: `eval.dataset.faults` finds both beforehand.
    """
    places = []
    for sentence in sentences:
        span = locate(sentence.text, documents[sentence.source])
        if span is None:
            raise ValueError(f"not verbatim in {sentence.source}: {sentence.text[:80]!r}")
        places.append(Place(sentence.source, *span))
    return places


def _characters(places: Iterable[Place]) -> set[tuple[str, int]]:
    return {(place.source, at) for place in places for at in range(place.start, place.end)}
