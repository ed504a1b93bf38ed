"""BibTeX through bibtexparser, its accents through pylatexenc. Home of both.

Accents and escaped signs are decoded everywhere, and braces taken out of titles and names. Nothing
else is: a full LaTeX-to-text pass takes an unescaped `%` for a comment and loses the rest of the line.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rag.ingest.fields import ET_AL
from rag.ingest.records import Outcome, make_entry, reject

_ACCENT = re.compile(
    r"""\{\s*\\(?:['"`^~=.]|[uvHtcdbkr](?![a-zA-Z]))\s*(?:\{\s*\\?[a-zA-Z]{1,2}\s*\}|\\?[a-zA-Z])\s*\}"""
    r"""|\\(?:['"`^~=.]\s*|[uvHtcdbkr](?=[\s{])\s*)(?:\{\s*\\?[a-zA-Z]{1,2}\s*\}|\\[ij](?![a-zA-Z])|[a-zA-Z])"""
    r"""|\{\s*\\(?:aa|AA|ae|AE|oe|OE|o|O|l|L|ss|i|j|dh|DH|th|TH|ng|NG)\s*\}"""
    r"""|\\(?:aa|AA|ae|AE|oe|OE|o|O|l|L|ss)(?:\{\}|(?![a-zA-Z])\s?)"""
)
_ESCAPED = re.compile(r"\\([%&#_])")
_MATH = re.compile(r"(\$[^$]*\$)")


def read_bibtex(text: str) -> Iterator[Outcome]:
    """Entries in file order; a block that cannot be parsed is one rejection."""
    import bibtexparser
    from bibtexparser import model

    logging.getLogger("bibtexparser").addHandler(logging.NullHandler())  # its warnings are our rejections
    try:
        blocks = bibtexparser.parse_string(text).blocks
    except Exception as error:  # any bytes may come in, its errors share no base
        yield reject("", f"not readable BibTeX: {error}")
        return
    number = 0
    for block in blocks:
        if isinstance(block, model.DuplicateBlockKeyBlock):
            block = block.ignore_error_block
        if isinstance(block, model.Entry):
            number += 1
            yield _entry(block, f"record {number}")
        elif isinstance(block, model.ParsingFailedBlock):
            yield reject(f"line {(block.start_line or 0) + 1}", f"not readable BibTeX: {_reason(block.error)}")


def decoded(text: str) -> str:
    r"""A text with `{\"o}` as `ö` and `\%` as `%`; other markup stays."""
    if "\\" not in text:
        return text
    return _ESCAPED.sub(r"\1", _ACCENT.sub(lambda found: _letter(found[0]), text))


def _reason(error: Exception) -> str:
    return str(getattr(error, "abort_reason", "") or error or type(error).__name__)


def _entry(block: Any, place: str) -> Outcome:
    values = {field.key.lower(): str(field.value) for field in block.fields}
    place = f"{place} ({block.key})" if block.key else place
    return make_entry(
        place,
        _unbraced(values.get("title", "")),
        decoded(values.get("abstract", "")),
        {
            "authors": _people(values.get("author", "")),
            "year": values.get("year") or values.get("date"),
            "venue": _unbraced(_first(values, "journal", "journaltitle", "booktitle", "school", "institution")),
            "doi": values.get("doi"),
            "arxiv_id": values.get("eprint") or values.get("arxiv"),
            "pmid": values.get("pmid"),
            "url": _ESCAPED.sub(r"\1", values.get("url", "")),
            "keywords": re.split(r"[;,]", _unbraced(values.get("keywords", ""))),
            "cite_key": block.key,
        },
    )


def _first(values: dict[str, str], *names: str) -> str:
    return next((values[name] for name in names if values.get(name)), "")


def _people(text: str) -> list[str]:
    from bibtexparser.middlewares import names

    if not text.strip():
        return []
    people = [_person(name) for name in names.split_multiple_persons_names(" ".join(text.split()))]
    return [ET_AL if name == "others" else name for name in people]


def _person(name: str) -> str:
    from bibtexparser.middlewares import names

    try:
        parts = names.parse_single_name_into_parts(name, strict=False)
    except names.InvalidNameError:
        return _unbraced(name)
    return _unbraced(" ".join((*parts.first, *parts.von, *parts.last, *parts.jr)))


def _unbraced(text: str) -> str:
    """Decoded, and without braces and tildes outside of formulas."""
    parts = _MATH.split(decoded(text))
    return "".join(
        part if part.startswith("$") else re.sub(r"(?<!\\)[{}]", "", part).replace("~", " ") for part in parts
    )


@lru_cache(maxsize=4096)
def _letter(macro: str) -> str:
    from pylatexenc.latex2text import LatexNodes2Text

    return str(LatexNodes2Text().latex_to_text(macro))
