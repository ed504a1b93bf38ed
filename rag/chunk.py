"""Document → chunks with exact offsets: the spans that are embedded and indexed.

Two kinds. *Abstract* chunks cover the whole text; one is enough unless title and text exceed what the
embedder reads. *Window* chunks are runs of a few sentences inside one abstract chunk. Both hold whole
sentences; only a sentence that alone exceeds the embedder is cut, at white space. Embedding itself is
left to the pipeline.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.text import Span, fold, sentence_spans
from rag.types import Chunk, Document

CountTokens = Callable[[Sequence[str]], list[int]]

VERSION = 1  # part of a library's identity: raise it when the same text gives other chunks
_TITLE_SHARE = 3  # a title takes at most 1/3 of what the embedder reads


@dataclass(frozen=True, slots=True)
class Passage:
    """What the embedder reads for one abstract chunk: the title, then the chunk.

    `text[offset:] == chunk.text`; `windows` are the window chunks inside it, `spans` their places in
    `text`.
    """

    text: str
    offset: int
    chunk: Chunk
    windows: tuple[Chunk, ...]

    @property
    def spans(self) -> list[Span]:
        """The windows' spans in `text`."""
        shift = self.offset - self.chunk.start
        return [(window.start + shift, window.end + shift) for window in self.windows]


def passages(document: Document, *, count_tokens: CountTokens, max_tokens: int, window_sentences: int) -> list[Passage]:
    """Cut a document into passages of at most `max_tokens`, special tokens included.

    Chunks are in order, do not overlap and cover every character that is not white space. A blank
    document has none.
    """
    prefix = _prefix(document.title, count_tokens, max_tokens)
    spans = sentence_spans(document.text)
    # One call for all: a tokenizer's calls cost more than its work.
    special, used, *counts = count_tokens(["", prefix, *(document.text[a:b] for a, b in spans)])
    budget = max_tokens - used
    pieces = [(span, count - special) for span, count in zip(spans, counts, strict=True)]
    if any(length > budget for _, length in pieces):
        spans = [piece for span in spans for piece in _fitting(document.text, span, count_tokens, budget + special)]
        counts = count_tokens([document.text[a:b] for a, b in spans])
        pieces = [(span, count - special) for span, count in zip(spans, counts, strict=True)]
    return [_passage(document, prefix, group, window_sentences) for group in _packed(pieces, budget)]


def _prefix(title: str, count_tokens: CountTokens, max_tokens: int) -> str:
    words = fold(title).split()
    while words and count_tokens([" ".join(words)])[0] > max_tokens // _TITLE_SHARE:
        words = words[: len(words) * 3 // 4]
    return " ".join(words) + ". " if words else ""


def _fitting(text: str, span: Span, count_tokens: CountTokens, limit: int) -> Iterator[Span]:
    """Halve a span at white space (or anywhere, if there is none) until each part fits."""
    start, end = span
    if end - start < 2 or count_tokens([text[start:end]])[0] <= limit:
        yield span
        return
    middle = (start + end) // 2
    gaps = [gap.start() for gap in re.finditer(r"\s", text[start:end]) if 0 < gap.start() < end - start - 1]
    cut = start + min(gaps, key=lambda gap: abs(start + gap - middle)) if gaps else middle
    right = cut + len(text[cut:end]) - len(text[cut:end].lstrip())
    left = start + len(text[start:cut].rstrip())
    yield from _fitting(text, (start, left), count_tokens, limit)
    yield from _fitting(text, (right, end), count_tokens, limit)


def _packed(pieces: Sequence[tuple[Span, int]], budget: int) -> Iterator[list[Span]]:
    """Group consecutive (span, length) pieces greedily so that no group's length exceeds the budget."""
    group: list[Span] = []
    used = 0
    for span, length in pieces:
        if group and used + length > budget:
            yield group
            group, used = [], 0
        group.append(span)
        used += length
    if group:
        yield group


def _passage(document: Document, prefix: str, group: Sequence[Span], window_sentences: int) -> Passage:
    def chunk(first: Span, last: Span) -> Chunk:
        return Chunk(document.id, first[0], last[1], document.text[first[0] : last[1]])

    whole = chunk(group[0], group[-1])
    starts = range(max(1, len(group) - window_sentences + 1))
    windows = tuple(
        chunk(window[0], window[-1])
        for window in (list(itertools.islice(group, i, i + window_sentences)) for i in starts)
    )
    return Passage(prefix + whole.text, len(prefix), whole, windows)
