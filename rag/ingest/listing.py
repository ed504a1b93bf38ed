"""Plain text: one abstract, or a listing of many with or without titles and venues.

Nothing is known about a listing but its shape. Prose makes the records; the short blocks before it
are its header. How many of them belong to it shows in the other records: a line that most records
lack (the residue of a page) is no title. Wide gaps part records where they do so throughout.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rag.ingest import fields, layout
from rag.ingest.layout import Block
from rag.ingest.records import Outcome, make_entry

_ONE_ABSTRACT_WORDS = 600  # more words without any header are several abstracts
_TITLE_WORDS = 40
_SHORT_ABSTRACT_WORDS = 6  # enough where the place in the listing says that it is one
_DATE = re.compile(
    r"\W*(?:(?:\d{1,2}\W+)?(?:jan|feb|mar|apr|may|ju[nl]|aug|sep|oct|nov|dec)[a-z]*\W+(?:\d{1,2}\W+)?)?\d{4}\W*",
    re.I,
)
_FIELDS_LIMIT = 20  # of a record: more `Name: value` lines are something else
_MARKUP = re.compile(r"^[#>\s]*[*_]{0,2}|[*_]{0,2}$")
_KEY_OF_FIELD = {
    "author": "authors",
    "authors": "authors",
    "year": "year",
    "date": "year",
    "published": "year",
    "venue": "venue",
    "journal": "venue",
    "conference": "venue",
    "doi": "doi",
    "arxiv": "arxiv_id",
    "arxiv id": "arxiv_id",
    "pmid": "pmid",
    "url": "url",
    "link": "url",
    "keyword": "keywords",
    "keywords": "keywords",
    "index terms": "keywords",
}


@dataclass(frozen=True, slots=True)
class _Record:
    """Prose from `start` to `end`, the blocks before it, and `Name: value` lines of it."""

    header: tuple[Block, ...]
    start: int
    end: int
    is_labelled: bool
    fields: tuple[Block, ...] = field(default=())


def read_text(text: str) -> Iterator[Outcome]:
    """The abstracts of a text file in order, without what is neither abstract nor header."""
    text = layout.without_bibtex(text)
    blocks = layout.blocks_of(text)
    groups = _groups(blocks)
    records = _with_short_ones(groups, [record for group in groups for record in _assembled(group)])
    has_headers = any(record.header for record in records)
    if not has_headers and not any(record.is_labelled for record in records):
        records = _bare(text, blocks) or _under_fields(blocks)
    if not records:
        yield _single(text)
        return
    records = _trimmed(_with_trailing_fields(records))
    repeated = _repeated(records)
    for number, record in enumerate(records, start=1):
        title, metadata = _described(record, repeated)
        yield make_entry(f"record {number}", title, text[record.start : record.end], metadata, verbatim=True)


def _single(text: str) -> Outcome:
    """A file that holds one abstract: a first short line before a blank one is its title."""
    first, _, rest = text.strip().partition("\n")
    after, _, body = rest.partition("\n")
    if first and not after.strip() and body.strip() and layout.word_count(first) <= _TITLE_WORDS:
        is_label = re.fullmatch(r"[#*_\s]*abstract[*_:.\s]*", first, re.I)
        return make_entry("record 1", "" if is_label else _MARKUP.sub("", first.strip()), body, {}, verbatim=True)
    return make_entry("record 1", "", text, {}, verbatim=True)


def _groups(blocks: Sequence[Block]) -> list[list[Block]]:
    """Cut at gaps of two blank lines and more, if all groups with prose then begin alike."""
    groups: list[list[Block]] = []
    for block in blocks:
        if not groups or block.gap > 1:
            groups.append([])
        groups[-1].append(block)
    starts = {group[0].is_prose for group in groups if any(block.is_prose for block in group)}
    return groups if len(starts) == 1 else [list(blocks)]


def _assembled(group: Sequence[Block]) -> list[_Record]:
    """The records of a group; prose that follows prose continues it, unless it has its own label."""
    records: list[_Record] = []
    header: list[Block] = []
    for block in group:
        if not block.is_prose:
            header.append(block)
        elif records and not header and not block.is_labelled:
            records[-1] = replace(records[-1], end=block.end)
        else:
            records.append(_Record(tuple(header), block.start, block.end, block.is_labelled))
            header = []
    return _with_last_lines(records, header)


def _with_last_lines(records: list[_Record], rest: Sequence[Block]) -> list[_Record]:
    """Short blocks after the last prose: its last sentences, or its fields, or noise."""
    if not records:
        return records
    last = records[-1]
    for block in rest[:_FIELDS_LIMIT]:
        if block.field:
            last = replace(last, fields=(*last.fields, block))
        elif layout.ends_sentence(block.text) and block.gap < 2 and not last.fields:
            last = replace(last, end=block.end)
        else:
            break
    return [*records[:-1], last]


def _with_short_ones(groups: Sequence[Sequence[Block]], records: list[_Record]) -> list[_Record]:
    """Add groups without prose that have the usual shape and end in a sentence: short abstracts."""
    size = _usual_size(records)
    if not size or len(groups) < 2:
        return records
    found = list(records)
    for group in groups:
        *header, last = group
        is_sentence = layout.ends_sentence(last.text) and layout.word_count(last.text) >= _SHORT_ABSTRACT_WORDS
        if len(header) == size and is_sentence and not any(block.is_prose for block in group):
            found.append(_Record(tuple(header), last.start, last.end, is_labelled=False))
    return sorted(found, key=lambda record: record.start)


def _bare(text: str, blocks: Sequence[Block]) -> list[_Record]:
    """Prose without any header: nothing (one abstract), or a record for each paragraph."""
    prose = [block for block in blocks if block.is_prose and not layout.is_section(block.text)]
    if layout.word_count(text) <= _ONE_ABSTRACT_WORDS or len(prose) < 2:
        return []
    return [_Record((), block.start, block.end, is_labelled=False) for block in prose]


def _under_fields(blocks: Sequence[Block]) -> list[_Record]:
    """A file that begins with `Name: value` lines: what else it holds is its abstract, in however few words."""
    named = tuple(block for block in blocks if block.field)
    body = [block for block in blocks if not block.field]
    if not body or not blocks[0].field:
        return []
    return [_Record(named, body[0].start, body[-1].end, is_labelled=False)]


def _with_trailing_fields(records: Sequence[_Record]) -> list[_Record]:
    """Give fields back to the record before them, unless the first record has them in its header."""
    leading = {block.field[0] for block in records[0].header if block.field} if records else set()
    found: list[_Record] = []
    for record in records:
        header = list(record.header)
        trailing = 0
        while trailing < min(len(header), _FIELDS_LIMIT) and _is_trailing(header[trailing], leading):
            trailing += 1
        if found:
            found[-1] = replace(found[-1], fields=(*found[-1].fields, *header[:trailing]))
            header = header[trailing:]
        found.append(replace(record, header=tuple(header)))
    return found


def _is_trailing(block: Block, leading: set[str]) -> bool:
    return block.field is not None and block.field[0] not in {*leading, "title"}


def _usual_size(records: Sequence[_Record]) -> int:
    """How many header blocks most records have; the fewest but not none where that is undecided."""
    sizes = Counter(len(_unnamed(record)) for record in records)
    most = max(sizes.values(), default=0)
    usual = sorted(size for size, count in sizes.items() if count == most)
    return next((size for size in usual if size), 0)


def _unnamed(record: _Record) -> list[Block]:
    return [block for block in record.header if not block.field]


def _trimmed(records: Sequence[_Record]) -> list[_Record]:
    """Cut headers to the usual size; what is cut is the end of the abstract before, or noise."""
    size = _usual_size(records)
    found: list[_Record] = []
    for record in records:
        unnamed = _unnamed(record)
        extra, kept = unnamed[: len(unnamed) - size], unnamed[max(0, len(unnamed) - size) :]
        if found and extra and extra[0].gap < 2 and layout.ends_sentence(extra[0].text):
            found[-1] = replace(found[-1], end=extra[0].end)
        named = tuple(block for block in record.header if block.field)
        found.append(replace(record, header=tuple(kept), fields=(*named, *record.fields)))
    return found


def _repeated(records: Sequence[_Record]) -> set[str]:
    """Header lines that stand over several abstracts, so venues and no titles."""
    counts = Counter(block.text for record in records for block in record.header)
    return {line for line, count in counts.items() if count > 1}


def _described(record: _Record, repeated: set[str]) -> tuple[str, dict[str, Any]]:
    lines = [block.text for block in record.header]
    named = dict(block.field for block in reversed(record.fields) if block.field)
    unique = [line for line in lines if line not in repeated]
    title = named.pop("title", "") or (unique[0] if unique else "")
    metadata = _roles([line for line in lines if line != title])
    for name, value in named.items():
        key = _KEY_OF_FIELD[name]
        metadata[key] = _value(key, value)
    return _MARKUP.sub("", title.strip()), metadata


def _roles(lines: Sequence[str]) -> dict[str, Any]:
    """Header lines besides the title: people, a year, and else the venue."""
    metadata: dict[str, Any] = {}
    for line in lines:
        if "authors" not in metadata and layout.is_people(line):
            metadata["authors"] = fields.names_in(line)
        elif len(line) < 24 and _DATE.fullmatch(line):
            metadata.setdefault("year", line)
        else:
            metadata.setdefault("venue", line)
    return metadata


def _value(key: str, value: str) -> Any:
    if key == "authors":
        return fields.names_in(value)
    return re.split(r"[;,]", value) if key == "keywords" else value
