"""A text file as blocks: where its paragraphs and single lines are, and what they look like.

Shapes only, no roles: prose (long, or several sentences), an `Abstract:` label, a `Name: value`
field, a section heading, a list of people. `listing` gives the blocks their roles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

PROSE_WORDS = 40  # titles of 30 words exist, abstracts of fewer than 40 are rare
_FEW_WORDS = 20  # prose nevertheless, if there are several sentences

_LABEL_REACH = 80  # characters of a line in which its label must stand
_LABEL = re.compile(r"[ \t]*[#*_>]{0,4}[ \t]*(?:abstract|summary)[ \t]*[*_]{0,2}[ \t]*(?:[:.—–][*_]{0,2}|$)", re.I)
_FIELD = re.compile(
    r"[*_]{0,2}(title|authors?|year|date|published|venue|journal|conference|doi|arxiv(?: id)?|pmid|url|link|"
    r"keywords?|index terms)[*_]{0,2}\s*:[*_]{0,2}\s*(\S.*)",
    re.I | re.S,
)
_SECTION = re.compile(
    r"[#*_\s]*(?:background|introduction|context|objectives?|aims?|purpose|motivation|design|setting|methods?|"
    r"materials and methods|methodology|approach|participants|results?|findings|main results|conclusions?|"
    r"discussion|interpretation|significance|limitations|funding)[*_:.\s]*",
    re.I,
)
_SENTENCE_BREAK = re.compile(r"""[a-z0-9)\]'"”’%$][.?!]["'”’)\]]*\s+["'“‘(]?[A-Z]""")
_SENTENCE_END = re.compile(r"""[.?!…。]["'”’)\]*_]*\s*$""")
BIBTEX_START = re.compile(
    r"^\s*@(?:article|book|booklet|comment|conference|in(?:book|collection|proceedings)|manual|mastersthesis|misc|"
    r"online|phdthesis|preamble|proceedings|report|string|techreport|thesis|unpublished)\s*[{(]",
    re.I | re.M,
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_PERSON = re.compile(
    r"(?:(?:[A-Z][\w'’.-]*|[A-Z]\.|van|von|der|den|de|da|di|la|le|el|bin|al|et al\.?)[*†‡§\d]*\s*){1,5}", re.U
)


@dataclass(frozen=True, slots=True)
class Block:
    """A span of the text; `gap` counts the blank lines before it, `start` is past any label."""

    start: int
    end: int
    text: str
    gap: int
    is_labelled: bool = False

    @property
    def is_prose(self) -> bool:
        """Whether this is running text, so an abstract or a part of one."""
        return self.is_labelled or is_section(self.text) or is_prose(self.text)

    @property
    def field(self) -> tuple[str, str] | None:
        """Name (lower case) and value of a `Name: value` line."""
        found = _FIELD.fullmatch(self.text)
        return (found[1].lower(), found[2].strip()) if found and not self.is_labelled else None


def blocks_of(text: str) -> list[Block]:
    """Paragraphs; those that hold a label, a field or a whole abstract in one line, line by line."""
    found: list[Block] = []
    gap = 0
    paragraph: list[tuple[int, int]] = []
    for start, end in _lines(text):
        if text[start:end].strip():
            paragraph.append((start, end))
            continue
        if paragraph:
            found.extend(_split(text, paragraph, gap))
            paragraph, gap = [], 0
        gap += 1
    return [*found, *(_split(text, paragraph, gap) if paragraph else ())]


def without_bibtex(text: str) -> str:
    """The text without paragraphs that are BibTeX entries: how an abstract is to be cited is no part of it."""
    parts = re.split(r"(\n[^\S\n]*\n)", text)
    return "".join("" if BIBTEX_START.match(part) else part for part in parts)


def word_count(text: str) -> int:
    """Words; two characters of a script without spaces count as one."""
    return len(text.split()) + len(_CJK.findall(text)) // 2


def is_prose(text: str) -> bool:
    """Whether a block is long, or of several sentences, and no list of people."""
    words = word_count(text)
    if words < _FEW_WORDS or is_people(text):
        return False
    return words >= PROSE_WORDS or bool(_SENTENCE_BREAK.search(text) and ends_sentence(text))


def is_section(text: str) -> bool:
    """Whether a line is a heading inside a structured abstract, such as "Methods"."""
    return len(text) < 60 and _SECTION.fullmatch(text) is not None


def is_people(text: str) -> bool:
    """Whether a line lists names: capitalised parts between commas."""
    parts = [part.strip() for part in re.split(r",|;|\band\b|&", text) if part.strip()]
    named = sum(len(part) < 60 and _PERSON.fullmatch(part) is not None for part in parts)
    return len(parts) > 1 and named >= 0.8 * len(parts)


def ends_sentence(text: str) -> bool:
    """Whether a block ends in sentence punctuation."""
    return _SENTENCE_END.search(text) is not None


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1


def _split(text: str, lines: list[tuple[int, int]], gap: int) -> Iterator[Block]:
    whole = _block(text, lines[0][0], lines[-1][1], gap)
    if not any(_stands_alone(text[start:end]) for start, end in lines):
        yield whole
        return
    pieces: list[tuple[int, int]] = []
    may_continue = False  # after a labelled line that was wrapped, or had no text behind its label
    for start, end in lines:
        line = text[start:end]
        if may_continue and not _label(line) and not _FIELD.fullmatch(line.strip()):
            pieces[-1] = (pieces[-1][0], end)
            continue
        pieces.append((start, end))
        may_continue = _label(line) is not None and word_count(line) < PROSE_WORDS
    for number, (start, end) in enumerate(pieces):
        yield _block(text, start, end, 0 if number else gap)


def _stands_alone(line: str) -> bool:
    return bool(_label(line) or _FIELD.fullmatch(line.strip()) or word_count(line) >= PROSE_WORDS)


def _label(line: str) -> re.Match[str] | None:
    return _LABEL.match(line[:_LABEL_REACH])


def _block(text: str, start: int, end: int, gap: int) -> Block:
    label = _label(text[start : min(end, start + _LABEL_REACH)].split("\n", 1)[0])
    if label:
        start += label.end()
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    return Block(start, start + len(inner.strip()), inner.strip(), gap, label is not None)
