"""RIS through rispy, and MEDLINE's `.nbib`: records of tagged lines. Home of rispy.

RIS is cut into records here, because rispy drops a last record whose `ER` is missing and runs two
into one where it is missing between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from rag.ingest.fields import family, family_first, given_family
from rag.ingest.records import Outcome, is_missing, make_entry, reject

RIS_START = re.compile(r"^TY {1,2}- ?", re.M)
MEDLINE_START = re.compile(r"^PMID- ", re.M)
_IN_PARTS = ("AB", "N2")  # Cochrane's have a line for each section
_VENUES = ("secondary_title", "alternate_title3", "journal_name", "alternate_title2", "BT", "custom3")  # in full first
_MEDLINE_LINE = re.compile(r"([A-Z]{2,4}) *- (.*)")


def read_ris(text: str) -> Iterator[Outcome]:
    """Records from `TY` to `ER`, or to the next `TY` where the `ER` is missing."""
    for number, block in enumerate(_blocks(text, RIS_START), start=1):
        yield _ris_entry(block, f"record {number}")


def read_medline(text: str) -> Iterator[Outcome]:
    """Records from `PMID-` to the next."""
    for number, block in enumerate(_blocks(text, MEDLINE_START), start=1):
        yield _medline_entry(_medline_fields(block), f"record {number}")


def _blocks(text: str, start: re.Pattern[str]) -> Iterator[str]:
    starts = [found.start() for found in start.finditer(text)]
    for begin, end in pairwise([*starts, len(text)]):
        yield text[begin:end]


def _ris_entry(block: str, place: str) -> Outcome:
    import rispy
    from rispy.config import LIST_TYPE_TAGS

    spaces = block[2 : block.index("-")]  # one or two; the other tags of the file have as many
    lines = re.sub(rf"^([A-Z][A-Z\d]){spaces}- ?", r"\1  - ", block, flags=re.M)
    body = re.split(r"^ER  -.*$", lines, maxsplit=1, flags=re.M)[0]
    try:
        row = rispy.loads(f"{body.rstrip()}\nER  - \n", list_tags=[*LIST_TYPE_TAGS, *_IN_PARTS])[0]
    except Exception as error:  # any bytes may come in, and rispy has no errors of its own
        return reject(place, f"not readable RIS: {type(error).__name__} {error}")
    row |= row.get("unknown_tag", {})
    people = family_first(row.get("authors") or row.get("first_authors") or [])
    return make_entry(
        place,
        _first(row, "title", "primary_title", "short_title"),
        _joined(row, "abstract") or _joined(row, "notes_abstract"),
        {
            "authors": list(map(given_family, people)),
            "families": list(map(family, people)),
            "year": _first(row, "year", "publication_year", "date"),
            "venue": _first(row, *_VENUES),
            "doi": _first(row, "doi"),
            "arxiv_id": next((url for url in row.get("urls", ()) if "arxiv.org/" in url), None),
            "url": _first(row, "urls"),
            "keywords": row.get("keywords"),
        },
    )


def _joined(row: dict[str, Any], name: str) -> str:
    return " ".join(row.get(name, ())).strip()


def _first(row: dict[str, Any], *names: str) -> str:
    found = next((row[name] for name in names if row.get(name)), "")
    return str(found[0]) if isinstance(found, list) else str(found)


def _medline_fields(block: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    tag = ""
    for line in block.split("\n"):
        if found := _MEDLINE_LINE.match(line):
            tag = found[1]
            values.setdefault(tag, []).append(found[2].strip())
        elif tag and line.startswith("      "):
            values[tag][-1] += " " + line.strip()
    return values


def _medline_entry(values: dict[str, list[str]], place: str) -> Outcome:
    def first(*tags: str) -> str:
        return next((one for tag in tags for one in values.get(tag, ()) if not is_missing(one)), "")

    people = values.get("FAU") or family_first(values.get("AU", []))
    bodies = values.get("CN", [])
    identifiers = [*values.get("LID", ()), *values.get("AID", ())]
    return make_entry(
        place,
        first("TI", "TT", "BTI"),
        first("AB"),
        {
            "authors": [*map(given_family, people), *bodies],
            "families": [*map(family, people), *bodies],
            "year": first("DP", "DEP"),
            "venue": first("JT", "TA"),
            "doi": next((one for one in identifiers if one.endswith("[doi]")), None),
            "pmid": first("PMID"),
            "keywords": values.get("OT") or values.get("MH"),
        },
    )
