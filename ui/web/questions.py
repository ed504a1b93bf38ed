"""Example questions, made from the titles of the papers at hand. The answers are made when they are asked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.types import Document

_NAMED = re.compile(r"\s*([A-Z][\w./+-]*(?:\s[A-Z0-9][\w./+-]*){0,2}):\s+\S")  # "PERL: Parameter …"
_FIRST_WORD = re.compile(r"[A-Z][a-z]+\b")
_MAX_CHARACTERS = 110


def examples(documents: Sequence[Document], *, most: int = 3) -> list[str]:
    """Questions that the papers should answer, at most `most`, spread over them."""
    titles = [" ".join(document.title.split()) for document in documents]
    kinds = [[t for t in titles if _NAMED.match(t)], [t for t in titles if not _NAMED.match(t)]]
    asked = [[q for q in dict.fromkeys(map(question_for, kind)) if q] for kind in kinds]
    named, others = (_spread(kind, most) for kind in asked)
    few = most // 2 + 1  # of the named ones, the shortest to ask
    return [*named[:few], *others, *named[few:]][:most]


def _spread(asked: Sequence[str], most: int) -> list[str]:
    return list(dict.fromkeys(asked[place * len(asked) // most] for place in range(most))) if asked else []


def question_for(title: str) -> str:
    """A question about the paper with this title; empty where its title makes none."""
    title = " ".join(title.split()).rstrip(".")
    if not title or not title.isprintable():
        return ""
    if title.endswith("?"):
        return title if len(title) <= _MAX_CHARACTERS else ""
    if "?" in title:
        return ""
    if (named := _NAMED.match(title)) and named[1].lower() not in {"title", "abstract", "editorial"}:
        several = " " in named[1] and named[1].endswith("s")
        return f"What {'are' if several else 'is'} {named[1]}?"
    subject = title.split(": ")[0]
    if _FIRST_WORD.match(subject):
        subject = subject[0].lower() + subject[1:]
    question = f"What is known about {subject}?"
    return question if len(question) <= _MAX_CHARACTERS and len(subject.split()) > 2 else ""
