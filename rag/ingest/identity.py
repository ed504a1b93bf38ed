"""Which records are the same paper, and what the paper is called then.

A key says "the same paper" when two records share it: DOI, arXiv id, PubMed number, and else the
title with the year. Versions of an arXiv paper are one paper.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rag.ingest.fields import arxiv_id_of_doi
from rag.text import without_accents
from rag.types import Document

_MUCH_SHORTER = 0.6  # of another's length: a first paragraph, not an edit
_OF_TEXT = ("truncated", "file")  # metadata that describe the text, not the paper
_STYLE = re.compile(r"\\(?:emph|em|bf|it|rm|tt|sc|mbox|text\w*|math\w*|bm|boldsymbol|operatorname)\b")
_WORD = re.compile(r"[^\W_]+[+#]*|\^[+-]|(?<!\S)[+-](?=\d)")  # a sign tells C from C++, K⁺ from K⁻
_VERSION_OR_CLASS = re.compile(r"v\d+$|\.[a-z]{2}(?=/)")  # math.gt/0309136v1 is math/0309136


def identity_keys(document: Document) -> tuple[str, ...]:
    """The keys of a document, strongest first; never empty."""
    metadata = document.metadata
    arxiv_id = metadata.get("arxiv_id") or arxiv_id_of_doi(metadata.get("doi", ""))
    keys = []
    if (doi := metadata.get("doi")) and not arxiv_id_of_doi(doi):
        keys.append(f"doi:{doi}")
    if arxiv_id:
        keys.append(f"arxiv:{_VERSION_OR_CLASS.sub('', arxiv_id.lower())}")
    if metadata.get("pmid"):
        keys.append(f"pmid:{metadata['pmid']}")
    if title := normalised_title(document.title):
        keys.append(f"title:{title}|{metadata.get('year', '')}")
    return tuple(keys) or (f"text:{_sha256(' '.join(document.text.split()))}",)


def document_id(keys: Sequence[str]) -> str:
    """16 hex digits that stand for the strongest key."""
    return _sha256(keys[0])[:16]


def normalised_title(title: str) -> str:
    """Letters and digits in words, without case, accents and markup, but with their signs; may be empty."""
    plain = without_accents(_STYLE.sub(" ", title)).casefold()
    return " ".join(_WORD.findall(re.sub(r"[{}$'’]", "", plain)))


def merge(documents: Sequence[Document]) -> Document:
    """One document out of records of one paper, the first of them leading.

    Text and `source` are the first record's unless its text is truncated or much shorter than
    another's. The id is made from the keys of the merged document.
    """
    chosen = _best_text(documents)
    metadata: dict[str, Any] = {}
    for document in documents:
        metadata = {**_without_text(document.metadata), **metadata}
    metadata |= {key: chosen.metadata[key] for key in _OF_TEXT if key in chosen.metadata}
    title = next((document.title for document in documents if document.title), "")
    merged = replace(chosen, title=title, metadata=metadata)
    return replace(merged, id=document_id(identity_keys(merged)))


def _best_text(documents: Sequence[Document]) -> Document:
    first, *others = documents
    whole = [document for document in others if not document.metadata.get("truncated")]
    longest = max(whole or others, key=lambda document: len(document.text), default=first)
    is_cut = first.metadata.get("truncated") and bool(whole)
    is_short = len(first.text) < _MUCH_SHORTER * len(longest.text)
    return longest if is_cut or is_short else first


def _without_text(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in _OF_TEXT}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
