"""What kind of file a text is, from how it begins; the extension decides only where that is open."""

from __future__ import annotations

import json
import re
from enum import StrEnum

from rag.errors import IngestError
from rag.ingest.json_files import container
from rag.ingest.layout import BIBTEX_START, is_prose
from rag.ingest.tables import delimiter_of
from rag.ingest.tagged import MEDLINE_START, RIS_START


class Kind(StrEnum):
    """The kinds that are read."""

    TEXT = "text"
    JSON_LINES = "JSON Lines"
    JSON = "JSON"
    BIBTEX = "BibTeX"
    RIS = "RIS"
    MEDLINE = "MEDLINE"
    TABLE = "table"
    XML = "XML"


KIND_OF_SUFFIX = {
    ".txt": Kind.TEXT,
    ".text": Kind.TEXT,
    ".md": Kind.TEXT,
    ".markdown": Kind.TEXT,
    "": Kind.TEXT,
    ".jsonl": Kind.JSON_LINES,
    ".ndjson": Kind.JSON_LINES,
    ".jsonlines": Kind.JSON_LINES,
    ".json": Kind.JSON,
    ".csl": Kind.JSON,
    ".bib": Kind.BIBTEX,
    ".bibtex": Kind.BIBTEX,
    ".ris": Kind.RIS,
    ".nbib": Kind.MEDLINE,
    ".medline": Kind.MEDLINE,
    ".csv": Kind.TABLE,
    ".tsv": Kind.TABLE,
    ".tab": Kind.TABLE,
    ".xml": Kind.XML,
    ".atom": Kind.XML,
}
KNOWN = "text, JSON, JSON Lines, BibTeX, RIS, MEDLINE, CSV, TSV, PubMed or arXiv XML, each also as .gz"

_HTML = re.compile(r"\s*(?:<!doctype\s+html|<html\b|<\?xml[^>]*>\s*<!doctype\s+html)", re.I)
_XML = re.compile(r"\s*(?:<\?xml\b|<!DOCTYPE\b|<(?:PubmedArticleSet|PubmedArticle|feed)\b)")
_JSON = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[{\]])")
_WEB_OF_SCIENCE = re.compile(r"\s*FN [^\n]+\nVR \d")
_PUBMED_TEXT = re.compile(r"\s*1\. (?s:.)*^PMID: \d", re.M)
_BIBTEX_ABSTRACT = re.compile(r"^[\s,]*abstract\s*=", re.I | re.M)


def kind_of(head: str, suffix: str) -> Kind:
    """Tell the kind. Raises IngestError, with the reason, for text of a kind that is not read."""
    if _HTML.match(head):
        raise IngestError("a web page; HTML is not read, save the abstracts as text")
    if _WEB_OF_SCIENCE.match(head):
        raise IngestError("Web of Science's plain text is not read; export BibTeX or RIS from it")
    if _PUBMED_TEXT.match(head):
        raise IngestError("PubMed's “abstract” text is not read; save its format “PubMed”, or XML")
    if _JSON.match(head):
        return _json_kind(head, suffix)
    if _XML.match(head):
        return Kind.XML
    if RIS_START.search(head):
        return Kind.RIS
    if MEDLINE_START.search(head):
        return Kind.MEDLINE
    kind = KIND_OF_SUFFIX.get(suffix)
    if kind in {None, Kind.TEXT} and (entry := BIBTEX_START.search(head)):
        is_cited = is_prose(head[: entry.start()].strip()) and not _BIBTEX_ABSTRACT.search(head)
        return Kind.TEXT if is_cited else Kind.BIBTEX
    if kind in {None, Kind.TEXT} and delimiter_of(head.lstrip().split("\n", 1)[0]):
        return Kind.TABLE
    if kind is None:
        raise IngestError(f"unknown kind of file ({suffix}); what is read: {KNOWN}")
    return kind


def _json_kind(head: str, suffix: str) -> Kind:
    """JSON Lines if the first line, or else the second, is an object of its own."""
    start = head.lstrip()
    first, *rest = start.split("\n", 2)
    if start.startswith("["):
        return Kind.JSON
    if (value := _object(first)) is not None:
        return Kind.JSON if container(value) is not None and not any(map(str.strip, rest)) else Kind.JSON_LINES
    if rest and _object(rest[0]) is not None:
        return Kind.JSON_LINES
    return Kind.JSON_LINES if KIND_OF_SUFFIX.get(suffix) == Kind.JSON_LINES else Kind.JSON


def _object(line: str) -> dict[str, object] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
