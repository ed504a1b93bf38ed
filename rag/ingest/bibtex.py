"""BibTeX entries through bibtexparser, their markup through `latex`. Home of bibtexparser.

It only cuts the file into fields. What they hold is worked out here, as BibTeX does: of a field given
twice the first counts, `#` joins, names stand for their `@string`, and `crossref` lends year and venue.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from rag.ingest.fields import ET_AL, family_first
from rag.ingest.latex import decoded, identifier, unbraced
from rag.ingest.records import Outcome, make_entry, reject

Values = Mapping[str, str]

_BRACE = re.compile(r"(?<!\\)[{}]")
_NAME_PART = re.compile(r'(?:^|,)\s*"?(family|given|prefix|suffix)\s*=\s*([^,"]*)')
_BRACE_QUOTE_OR_JOIN = re.compile(r'(?<!\\)[{}"]|#')


def read_bibtex(text: str) -> Iterator[Outcome]:
    """Entries in file order; a block that cannot be parsed is one rejection."""
    import bibtexparser
    from bibtexparser import model

    logging.getLogger("bibtexparser").addHandler(logging.NullHandler())  # its warnings are our rejections
    try:
        blocks = bibtexparser.parse_string(text, parse_stack=[]).blocks
    except Exception as error:  # any bytes may come in, its errors share no base
        yield reject("", f"not readable BibTeX: {error}")
        return
    blocks = [getattr(block, "ignore_error_block", None) or block for block in blocks]  # keys and fields given twice
    strings: dict[str, str] = {}
    for block in blocks:
        if isinstance(block, model.String):
            strings[block.key.lower()] = _value(block.value, strings)
    parents = {block.key.lower(): block for block in reversed(blocks) if isinstance(block, model.Entry) and block.key}
    number = 0
    for block in blocks:
        if isinstance(block, model.Entry):
            number += 1
            values = _values(block, strings)
            parent = parents.get(values.get("crossref", "").strip().lower())
            place = f"record {number} ({block.key})" if block.key else f"record {number}"
            yield _entry(place, block.key, values, _values(parent, strings) if parent else {})
        elif isinstance(block, model.ParsingFailedBlock):
            yield reject(f"line {(block.start_line or 0) + 1}", f"not readable BibTeX: {_reason(block.error)}")


def _reason(error: Exception) -> str:
    return str(getattr(error, "abort_reason", "") or error or type(error).__name__)


def _values(block: Any, strings: Values) -> dict[str, str]:
    values: dict[str, str] = {}
    for field in block.fields:
        if (value := _value(field.value, strings)).strip():
            values.setdefault(field.key.lower(), value)
    return values


def _value(raw: str, strings: Values) -> str:
    """A field's value out of `{braces}`, `"quotes"`, numbers and names of strings, joined by `#`."""
    return "".join(_operand(operand.strip(), strings) for operand in _operands(raw))


def _operands(raw: str) -> Iterator[str]:
    start = depth = 0
    is_quoted = False
    for mark in _BRACE_QUOTE_OR_JOIN.finditer(raw):
        if mark[0] == "#" and not depth and not is_quoted:
            yield raw[start : mark.start()]
            start = mark.end()
        elif mark[0] == '"' and not depth:
            is_quoted = not is_quoted
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
    yield raw[start:]


def _operand(text: str, strings: Values) -> str:
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    inner = _without_outer_braces(text)
    return strings.get(text.lower(), text) if inner == text else inner


def _without_outer_braces(text: str) -> str:
    inner = text[1:-1]
    depths = accumulate(1 if brace[0] == "{" else -1 for brace in _BRACE.finditer(inner))
    return inner if text[:1] + text[-1:] == "{}" and min(depths, default=0) >= 0 else text


def _entry(place: str, key: str, values: Values, parent: Values) -> Outcome:
    people = _people(values.get("author", ""))
    return make_entry(
        place,
        unbraced(values.get("title", "")),
        decoded(_without_outer_braces(values.get("abstract", "").strip())),  # Web of Science doubles them
        {
            "authors": [name for name, _ in people],
            "families": [family for _, family in people],
            "year": _first(values, "year", "date") or _first(parent, "year", "date"),
            "venue": unbraced(_venue(values) or _venue(parent) or parent.get("title", "")),
            "doi": identifier(values.get("doi", "")),
            "arxiv_id": identifier(_first(values, "eprint", "arxiv")),
            "pmid": identifier(values.get("pmid", "")),
            "url": identifier(values.get("url", "")),
            "keywords": re.split(r"[;,]", unbraced(values.get("keywords", ""))),
            "cite_key": key,
        },
    )


def _venue(values: Values) -> str:
    return _first(values, "journal", "journaltitle", "booktitle", "school", "institution")


def _first(values: Values, *names: str) -> str:
    return next((values[name] for name in names if name in values), "")


def _people(text: str) -> list[tuple[str, str]]:
    """Each name in reading order, with its family name."""
    from bibtexparser.middlewares import names

    if not text.strip():
        return []
    listed = names.split_multiple_persons_names(" ".join(text.split()))
    people = [_person(name) for name in family_first([name for one in listed for name in _comma_separated(one)])]
    return [(ET_AL if name == "others" else name, family) for name, family in people]


def _comma_separated(name: str) -> list[str]:
    """The people of "A. Smith, B. Jones, C. Doe", which BibTeX would read as family name, suffix, given name.

    Where every part has two words or more, none is a suffix or an initial. One comma is left to BibTeX.
    """
    parts = [part.strip() for part in name.split(",")]
    people = [part for part in parts if part]
    is_list = len(parts) > 2 and "{" not in name and all(" " in part for part in people)
    return people if is_list else [name]


def _person(name: str) -> tuple[str, str]:
    from bibtexparser.middlewares import names

    if (named := dict(_NAME_PART.findall(name))).get("family"):  # BibLaTeX's "family=Berg, given=Jan, prefix=van den"
        known = (named[key].strip() for key in ("given", "prefix", "family", "suffix") if key in named)
        return unbraced(" ".join(known)), unbraced(named["family"])
    try:
        parts = names.parse_single_name_into_parts(name, strict=False)
    except names.InvalidNameError:
        return unbraced(name), ""
    return unbraced(" ".join((*parts.first, *parts.von, *parts.last, *parts.jr))), unbraced(" ".join(parts.last))
