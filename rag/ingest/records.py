"""What the readers yield: an `Entry` for each record of a file, or the `Rejection` of one.

Keys of `Document.metadata`; a key whose value is unknown is absent:

authors      list of str, in reading order, "Given Family" where the format tells the two apart;
             a list that was cut short ends in "et al."
families     list of str: family names of several words among the authors, and whole names of bodies,
             where the format tells them: "García Márquez", "Gemma Team"
year         int
venue        str: journal, conference or archive
doi          str, lower case, without resolver or prefix
arxiv_id     str, without prefix, with its version if one was given
pmid         str of digits
url          str
keywords     list of str
truncated    True when the abstract stops in mid-sentence
cite_key     str: the BibTeX key
external_id  str: the id that the file gave the record, if it is none of the above
file         str: absolute path of the file that the text stands in
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.ingest import fields
from rag.ingest.markup import plain

TEXT_LIMIT = 200_000  # characters: the longest abstracts have some 10,000
TITLE_LIMIT = 5_000

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NO_TEXT = re.compile(r"[\[(]?(no abstract( available)?|(abstract )?not available|n/?a|none|null|nan)[\])]?\.?", re.I)
_LABEL = re.compile(  # "Abstract Meaning Representation" and "Abstract interpretation" are the text's own
    r"\A\s*abstract(?:\s*[:.–—]|\s*\n|\s+-\s|(?=\s+(?:(?:background|objectives?|purpose|aims?|introduction|importance|"
    r"context|motivation)\b|we\b|(?:in )?this (?:paper|study|work|article)\b)))\s*(?=\S)",
    re.I,
)
_DANGLING_WORD = re.compile(
    r"(?:^|\s)(?:a|an|and|as|at|between|by|for|from|in|into|is|of|on|or|such as|than|that|the|their|to|"
    r"via|which|while|with)$"
)
_DANGLING_MARK = re.compile(
    r"(?:[,;:(\[–—]|\.{3}|…|\.{3} ?\[?\w* ?more\]?|\b(?:e\.g|i\.e|cf|vs)\.|"
    r"[(\[]abstract truncated[^()\[\]]{0,40}[)\]]\.?)$",  # PubMed's, at 250 or 400 words
    re.I,
)
_OPEN_BRACKET = re.compile(r"\((?:(?![.?!]\s+[A-Z])[^()])*$")
_INTERVAL = re.compile(
    r"[(\[\]]\s*[^()\[\],;]{1,20}[,;]\s*[^()\[\],;]{1,20}[)\]\[]"
)  # half-open ones have an odd bracket


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record, or a whole file (`place` is empty), that was not taken, with the reason for people."""

    file: str
    place: str
    reason: str

    def __str__(self) -> str:
        where = f"{self.file}, {self.place}" if self.place else self.file
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as a reader found it: clean, but without a file and a number."""

    place: str
    title: str
    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


Outcome = Entry | Rejection


def make_entry(place: str, title: str, text: str, metadata: Mapping[str, Any], *, verbatim: bool = False) -> Outcome:
    """Clean a record, or reject it (with an empty `file`) for having no usable abstract.

    Markup becomes plain text, and a label "Abstract" goes, but in a title and text that are `verbatim`.
    """
    if len(text) > TEXT_LIMIT:
        return reject(place, f"abstract of {len(text):,} characters; at most {TEXT_LIMIT:,} are read")
    if len(title) > TITLE_LIMIT:
        return reject(place, f"title of {len(title):,} characters; at most {TITLE_LIMIT:,} are read")
    if not verbatim:
        title, text = plain(title), _LABEL.sub("", plain(text))
    title, text = clean_line(title), clean_text(text)
    title = "" if is_missing(title) else title
    if is_missing(text) or not any(map(str.isalnum, text)):
        named = f" (“{title[:60]}”)" if title else ""
        return reject(place, f"no abstract{named}")
    tidied = tidy(metadata)
    if stops_in_mid_sentence(text):
        tidied["truncated"] = True
    return Entry(place, title, text, tidied)


def reject(place: str, reason: str) -> Rejection:
    """A rejection whose file is filled in by `reading`."""
    return Rejection("", place, clean_line(reason))


def is_missing(text: str) -> bool:
    """Whether a title or text is empty or only says that there is none."""
    return not text.strip() or _NO_TEXT.fullmatch(text.strip()) is not None


def clean_text(text: str) -> str:
    """Make a text printable: line ends are LF, other control characters a space each; trimmed."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text)).strip()


def clean_line(text: str) -> str:
    """The same on one line, each run of white space a single space."""
    return " ".join(clean_text(text).split())


def stops_in_mid_sentence(text: str) -> bool:
    """Whether a text breaks off: at a comma, a preposition, an ellipsis or inside a bracket.

    A missing full stop alone says nothing: many abstracts end with an address or without care.
    """
    end = text.rstrip()[-300:]
    if _DANGLING_MARK.search(end) or _DANGLING_WORD.search(end):
        return True
    bracket = _OPEN_BRACKET.search(_INTERVAL.sub("", end))
    return bracket is not None and "://" not in bracket[0]


def tidy(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Bring every value into the form that this module's docstring promises; drop unusable ones."""
    tidied = {key: _FORMS.get(key, _line)(_plain(value)) for key, value in metadata.items() if value is not None}
    url = tidied.get("url", "")
    tidied["doi"] = tidied.get("doi") or (fields.doi(url) if "doi.org/" in url else "")
    tidied["arxiv_id"] = tidied.get("arxiv_id") or fields.arxiv_id_of_doi(tidied["doi"]) or fields.arxiv_id(url)
    return {key: value for key, value in tidied.items() if value}


def _plain(value: object) -> object:
    if isinstance(value, str):
        return plain(value)
    return list(map(_plain, value)) if isinstance(value, list | tuple) else value


def _line(value: object) -> str:
    return clean_line(str(value))[:2000] if isinstance(value, str | int | float) else ""


def _lines(values: object) -> list[str]:
    if not isinstance(values, list | tuple):
        return []
    return [line for line in map(_line, values) if line]


def _families(values: object) -> list[str]:
    return [line for line in dict.fromkeys(_lines(values)) if " " in line]


def _flag(value: object) -> bool:
    return value is True or str(value).lower() in {"true", "1"}


_FORMS: dict[str, Callable[[object], Any]] = {
    "authors": _lines,
    "families": _families,
    "keywords": _lines,
    "year": fields.year,
    "doi": fields.doi,
    "arxiv_id": fields.arxiv_id,
    "pmid": fields.pmid,
    "truncated": _flag,
}
