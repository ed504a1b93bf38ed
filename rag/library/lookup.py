"""Find documents in the catalog by what is known about them: a reference, filters, words of a title.

Comparison is without case and accents. Searching by content is left to `store` and `lexical`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag.errors import BadInputError, DocumentNotFoundError
from rag.library.catalog import Catalog
from rag.library.packing import document_from, folded
from rag.text import whole
from rag.types import Document

SHOWN = 5  # suggestions in an error message
_ARXIV = re.compile(
    r"(?:(?:https?://)?(?:www\.)?arxiv\.org/(?:abs|pdf|html)/|\[?arxiv[:\s]\s*)?(.+?)(?:v\d+)?(?:\.pdf)?[/\]]?"
)
_DOI = re.compile(r"(?:(?:https?://)?(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S+)")
_COLUMNS = ("source", "title", "year", "venue", "authors", "arxiv_id", "doi")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a document must be; all that is given must hold.

    Years are inclusive, and a document without a year does not pass a year filter. Texts match as
    parts, without case and accents; `source` may also be a pattern with `*` and `?`, and passes when
    one of the records that a document was made from does.
    """

    year_from: int | None = None
    year_to: int | None = None
    venue: str | None = None
    author: str | None = None
    source: str | None = None
    sources: tuple[str, ...] = ()  # exactly these records, for programs
    without: tuple[str, ...] = ()  # all but these

    def __bool__(self) -> bool:
        return any(getattr(self, name) not in {None, "", ()} for name in self.__dataclass_fields__)


def columns(document: Document) -> tuple[str, tuple[Any, ...]]:
    """The names and values of the columns of `documents` that are looked up and filtered by."""
    metadata = document.metadata
    authors = metadata.get("authors") or []
    year = metadata.get("year")
    values = (
        document.source,
        folded(document.title),
        year if isinstance(year, int) else None,
        folded(str(metadata.get("venue") or "")),
        folded("; ".join(map(str, authors)) if isinstance(authors, list) else str(authors)),
        _without_version(str(metadata.get("arxiv_id") or "")),
        str(metadata.get("doi") or "").lower(),
    )
    return ", ".join(_COLUMNS), values


def allowed(catalog: Catalog, filters: Filters) -> frozenset[str] | None:
    """The ids of the documents that pass; None where there is nothing to pass."""
    if not filters:
        return None
    condition, values = _condition(filters)
    return frozenset(doc_id for (doc_id,) in catalog.rows(f"SELECT id FROM documents d WHERE {condition}", *values))


def page(catalog: Catalog, offset: int, limit: int, filters: Filters | None, text: str) -> tuple[list[Document], int]:
    """A part of the documents in the order in which they came, and how many there are in all."""
    condition, values = _condition(filters or Filters())
    for word in folded(text).split():
        condition += " AND instr(folded(d.title || ' ' || d.authors || ' ' || d.source), ?) > 0"
        values.append(word)
    total = int(catalog.value(f"SELECT count(*) FROM documents d WHERE {condition}", *values))
    rows = catalog.rows(
        f"SELECT json FROM documents d WHERE {condition} ORDER BY seq LIMIT ? OFFSET ?",
        *values,
        limit,
        offset,
    )
    return [document_from(stored) for (stored,) in rows], total


def resolve(catalog: Catalog, reference: str, *, in_full: bool = False) -> Document:
    """The one document that an id, source, arXiv id, DOI, title or, unless `in_full`, beginning of a title stands for.

    Raises DocumentNotFoundError, with the nearest titles, or with the candidates if there are several.
    """
    reference = whole(reference).strip()
    if not reference:
        raise BadInputError("no paper was named: give its source, id, arXiv id, DOI or title")
    for condition, value in _readings(reference, in_full=in_full):
        rows = catalog.rows(f"SELECT json FROM documents d WHERE {condition} ORDER BY seq LIMIT ?", *value, SHOWN + 1)
        if len(rows) == 1:
            return document_from(rows[0][0])
        if rows:
            shown = "; ".join(_named(document_from(stored)) for (stored,) in rows[:SHOWN])
            raise DocumentNotFoundError(f"“{reference}” is ambiguous; give the id of one of these: {shown}")
    near = _nearest(catalog, reference)
    hint = f"; did you mean {'; or '.join(near)}?" if near else "; see what there is with: footnote list"
    raise DocumentNotFoundError(f"no paper in the library has the source, id or title “{reference}”{hint}")


def _readings(reference: str, *, in_full: bool) -> list[tuple[str, tuple[Any, ...]]]:
    """The ways to read a reference, surest first."""
    title = folded(reference)
    ways: list[tuple[str, tuple[Any, ...]]] = [
        ("id = ?", (reference,)),
        ("id IN (SELECT doc_id FROM records WHERE source = ?)", (reference,)),
    ]
    if doi := _DOI.fullmatch(reference.lower()):
        ways.append(("doi = ?", (doi[1],)))
    if arxiv := _without_version(reference):
        ways.append(("arxiv_id = ?", (arxiv,)))
    if title:
        ways.append(("title = ?", (title,)))
    if title and not in_full:
        ways.append(("title >= ? AND title < ?", (title, title + "\U0010ffff")))
    return ways


def _without_version(arxiv_id: str) -> str:
    found = _ARXIV.fullmatch(arxiv_id.lower())
    return found[1] if found else ""


def _named(document: Document) -> str:
    return f"{document.id} ({document.source}: {document.title or document.text[:60]})"


def _nearest(catalog: Catalog, reference: str) -> list[str]:
    """Documents that have most beginnings of words in common, the most similar first."""
    words = [word[: max(3, len(word) * 2 // 3)] for word in re.findall(r"\w{3,}", folded(reference))][:12]
    score = " + ".join(["(instr(title || ' ' || folded(source), ?) > 0)"] * len(words)) or "0"
    rows = catalog.rows(
        f"SELECT json, {score} AS common FROM documents WHERE common > 0 ORDER BY common DESC, seq LIMIT 50",
        *words,
    )
    found = [document_from(stored) for stored, _ in rows]
    names = {document.id: f"{document.title} {document.source}".casefold() for document in found}
    wanted = reference.casefold()
    found.sort(key=lambda d: -difflib.SequenceMatcher(None, wanted, names[d.id]).ratio())
    return [_named(document) for document in found[:3]]


def _condition(filters: Filters) -> tuple[str, list[Any]]:
    parts: list[str] = ["1"]
    values: list[Any] = []

    def add(part: str, value: Any) -> None:
        parts.append(part)
        values.append(value)

    if filters.year_from is not None:
        add("d.year >= ?", filters.year_from)
    if filters.year_to is not None:
        add("d.year <= ?", filters.year_to)
    if filters.venue:
        add("instr(folded(d.venue), ?) > 0", folded(filters.venue))
    if filters.author:
        family, _, given = filters.author.partition(",")
        parts.append("(instr(folded(d.authors), ?) > 0 OR instr(folded(d.authors), ?) > 0)")
        values += [folded(filters.author), folded(f"{given.strip()} {family}".strip())]  # "Müller, Ana", too
    if filters.source:
        is_pattern = bool(set(filters.source) & set("*?"))
        test = "folded(r.source) GLOB ?" if is_pattern else "instr(folded(r.source), ?) > 0"
        pattern = folded(filters.source).replace("[", "[[]") if is_pattern else folded(filters.source)
        add(f"d.id IN (SELECT doc_id FROM records r WHERE {test})", pattern)
    for named, test in ((filters.sources, "IN"), (filters.without, "NOT IN")):
        if named:
            marks = ",".join("?" * len(named))
            parts.append(f"d.id {test} (SELECT doc_id FROM records WHERE source IN ({marks}))")
            values.extend(named)
    return " AND ".join(parts), values


def years(catalog: Catalog) -> Sequence[tuple[int, int]]:
    """Each year with its number of documents, in order."""
    return [
        (int(y), int(n))
        for y, n in catalog.rows(
            "SELECT year, count(*) FROM documents WHERE year IS NOT NULL GROUP BY year ORDER BY year"
        )
    ]
