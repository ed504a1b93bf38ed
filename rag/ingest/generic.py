"""A record with named fields, as JSON objects and table rows have them, to an `Entry`.

The names are those in use by arXiv, BEIR, CSL, Crossref, OpenAlex, Scopus, Semantic Scholar, Web of
Science (two letters each) and Zotero, compared without case and punctuation ("Publication Year" is `publication_year`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rag.ingest import fields
from rag.ingest.markup import plain
from rag.ingest.records import TEXT_LIMIT, Outcome, clean_line, make_entry, reject, tidy

TEXT_NAMES = ("abstract", "abstracttext", "abstractnote", "summary", "text", "description", "ab")
TITLE_NAMES = ("title", "articletitle", "documenttitle", "papertitle", "primarytitle", "displayname", "ti")
_ABSTRACT_NAMES = frozenset({*TEXT_NAMES, "abstractinvertedindex"} - {"description"})
_AUTHOR_NAMES = tuple("authorfullnames authors author authorships authornames creators creator af au".split())
_YEAR_NAMES = (
    "year publicationyear pubyear yearpublished issued published publisheddate publicationdate pubdate "
    "publishedprint publishedonline date versions created updatedate py"
).split()
_VENUE_NAMES = (
    "venue journal journalref booktitle containertitle sourcetitle publicationtitle journaltitle "
    "journalname conference publicationvenue primarylocation so"
).split()
_KEYWORD_NAMES = ("keywords", "keyword", "authorkeywords", "categories", "tags", "manualtags", "subjects", "de")
_PLAIN_NAMES = {
    "doi": ("doi", "di"),
    "arxiv_id": ("arxivid", "arxiv", "eprint"),
    "pmid": ("pmid", "pubmedid", "pubmed", "pm"),
    "url": ("url", "link", "pdfurl", "openaccesspdf"),
    "cite_key": ("citekey", "citationkey", "bibtexkey"),
    "external_id": ("externalid",),
    "truncated": ("truncated",),
}
KNOWN_NAMES = frozenset(
    (
        "id",
        *TEXT_NAMES,
        *TITLE_NAMES,
        *_AUTHOR_NAMES,
        *_YEAR_NAMES,
        *_VENUE_NAMES,
        *_KEYWORD_NAMES,
        *(name for names in _PLAIN_NAMES.values() for name in names),
    )
)
_OF_AN_ANSWER = {"standalone_question", "claims", "withdrawn"}
_POSITION_LIMIT = 50_000  # words: an abstract in an inverted index has far fewer


@lru_cache(maxsize=4096)
def squash(name: str) -> str:
    """A field name without case and punctuation."""
    return re.sub(r"[\W_]", "", name.lower())


def entry_of(record: Mapping[str, Any], place: str) -> Outcome:
    """Read a record; without an abstract it is a rejection."""
    if record.keys() >= _OF_AN_ANSWER:
        return reject(place, "an answer of Footnote, not a paper")
    values = _values(record)
    title, metadata = _described(record, values)
    return make_entry(place, title, _abstract(values), metadata)


def description_of(record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Title and tidied metadata of a record that need not have an abstract."""
    title, metadata = _described(record, _values(record))
    return clean_line(plain(title)), tidy(metadata)


def has_title(record: Mapping[str, Any]) -> bool:
    """Whether a record has a title of its own."""
    return not _values(record).keys().isdisjoint(TITLE_NAMES)


def has_abstract(record: Mapping[str, Any]) -> bool:
    """Whether a record has an abstract of its own; a description does not count, lists of papers have one too."""
    return not _values(record).keys().isdisjoint(_ABSTRACT_NAMES)


def _values(record: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and set(value) == {"value"}:
            value = value["value"]
        if value not in (None, "", [], {}) and value == value:  # not so a NaN
            values.setdefault(squash(name), value)
    for group in (values.get("externalids"), values.get("ids")):
        for name, value in group.items() if isinstance(group, dict) else ():
            values.setdefault(squash(str(name)), value)
    return values


def _described(record: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    metadata = {
        "authors": fields.parsed_names(values.get("authorsparsed")) or _first(values, _AUTHOR_NAMES, fields.names),
        "families": _families(values),
        "year": _first(values, _YEAR_NAMES, fields.year),
        "venue": _first(values, _VENUE_NAMES, _text),
        "keywords": _keywords(values),
        **{key: _first(values, names, _text) for key, names in _PLAIN_NAMES.items()},
        **_own_id(record, values),
    }
    return _first(values, TITLE_NAMES, _text) or "", metadata


def _families(values: Mapping[str, Any]) -> list[str]:
    parsed = values.get("authorsparsed")
    if isinstance(parsed, list):
        return [str(row[0]).strip() for row in parsed if isinstance(row, list) and row]
    return _first(values, _AUTHOR_NAMES, fields.families) or []


def _own_id(record: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    """The record's `id`: an arXiv id if it looks like one and is not BEIR's `_id`."""
    own = _text(values.get("id", ""))
    looked_like = fields.arxiv_id(own) if "_id" not in record else ""
    named = any(name in values for name in _PLAIN_NAMES["arxiv_id"])
    if looked_like and not named:
        return {"arxiv_id": looked_like}
    return {"external_id": own} if own and not looked_like else {}


def _first(values: Mapping[str, Any], names: tuple[str, ...] | list[str], form: Any) -> Any:
    return next((found for name in names if name in values and (found := form(values[name]))), None)


def _text(value: object) -> str:
    """The string in a value: itself, the first of a list, or the name in an object."""
    if isinstance(value, list):
        return _text(value[0]) if value else ""
    if isinstance(value, dict):
        keys = ("value", "display_name", "name", "title", "url", "source")
        return next((found for key in keys if (found := _text(value.get(key)))), "")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _abstract(values: Mapping[str, Any]) -> str:
    inverted = values.get("abstractinvertedindex")
    return _first(values, TEXT_NAMES, _paragraphs) or (_uninverted(inverted) if inverted else "")


def _paragraphs(value: object) -> str:
    if isinstance(value, list):
        return "\n".join(part for part in map(_paragraphs, value) if part)
    if isinstance(value, dict):
        return _paragraphs(value.get("value") or value.get("text") or "")
    return value if isinstance(value, str) and value.strip() else ""


def _uninverted(index: object) -> str:
    """Rebuild OpenAlex's `{word: [positions]}`."""
    if not isinstance(index, dict):
        return ""
    rows = [
        (word, position) for word, positions in index.items() if isinstance(positions, list) for position in positions
    ]
    words = {position: str(word) for word, position in rows if isinstance(position, int)}
    if len(words) > _POSITION_LIMIT:
        return " " * (TEXT_LIMIT + 1)  # rejected as too long
    return " ".join(words[position] for position in sorted(words))


def _keywords(values: Mapping[str, Any]) -> list[str]:
    name = next((name for name in _KEYWORD_NAMES if name in values), None)
    found = values.get(name) if name else None
    if isinstance(found, str):
        separators = r"[;,|]" if re.search(r"[;,|]", found) or name != "categories" else r"\s"
        return re.split(separators, found)
    return [_text(one) for one in found] if isinstance(found, list) else []
