"""A name that the text does not have, in whatever spelling or abbreviation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.figures import figures
from rag.guards.objection import Objection
from rag.guards.spoken import GREEK_LETTERS
from rag.library.lexical import FUNCTION_WORDS
from rag.words import name_key, names, words


def objection(claim: str, evidence: str, context: str) -> Objection | None:
    """Whether neither the text nor its `context` mentions a name of the claim."""
    name = next(missing(claim, f"{evidence} {context}"), None)
    return Objection("names", f"the cited text does not mention {name!r}", False) if name else None


def missing(claim: str, known: str) -> Iterator[str]:
    """The names of the claim that are not among what is known."""
    keys = {name_key(part) for word in words(known) for part in (word, *_PART.split(word), word.removesuffix("'s"))}
    units = {figure.text.split()[-1] for figure in figures(claim) if figure.unit}
    for name in names(claim):
        if name in units:
            continue
        key = name_key(name)
        parts = [part for part in _NAME_PART.split(name) if not part.islower()]
        is_known = key in keys or all(name_key(part) in keys or _has_version(part, known) for part in parts)
        if is_known or (len(key) > 4 and _is_spelled(key, known)):
            continue
        if not _abbreviates(name, known) and not _shortens(name, known):
            yield name
    for label, letter in _LABELLED.findall(claim):
        own = r"(?<!^)(?<![.?!:]\s)\bA\b" if letter == "A" else rf"(?i:\b{letter}\b)"  # no article
        if not re.search(own, known):
            yield label
    claimed, shown = _greek(claim), _greek(known)
    if shown - claimed:  # of one that is just left out nothing is known
        yield from sorted(claimed - shown)


# `group A`, `vitamin D`; no initial, and no `N = 5`
_LABELLED = re.compile(r"\b([a-zA-Z]{0,30}[a-z] ([A-HJ-Z]))(?![\w'&/^$-]|\.\s?\w|\s?[=<>≤≥≈~])")
_PART = re.compile(r"[-/]|\.(?!\d)")  # `Qwen2.5` is one
_NAME_PART = re.compile(r"[-/](?!\d+(?:\.\d+)*(?!\w))|\.(?!\d)")  # and so is `GPT-3`: its 3 is no 3 elsewhere
_VERSION_ENDS = r"(?!\.?\d|[a-rt-z]\b)"  # the 4 of `GPT-4o` is no 4, that of `GPT-4s` is
_VERSION = re.compile(r"(.+)[-/](\d+(?:\.\d+)*)")


def _has_version(name: str, text: str) -> bool:
    """Whether the number of `Llama-3` is one of those behind its letters there: `Llama 2 and 3`, not `Llama 2, 3.1`."""
    version = _VERSION.fullmatch(name)
    if not version:
        return False
    letters = r"[\W_]*".join(map(re.escape, name_key(version[1])))
    numbered = rf"{letters}s?(?:[\W\d_]|and|or|to)*(?<![\d.]){re.escape(version[2])}{_VERSION_ENDS}"
    return bool(re.search(numbered, text.lower()))


def _is_spelled(key: str, text: str) -> bool:
    """Whether the letters and digits of `key` follow each other there; `CIFAR10` is not in `CIFAR100`."""
    end = _VERSION_ENDS if key[-1].isdigit() else ""
    return bool(re.search(r"[\W_]*".join(map(re.escape, key)) + end, text.lower()))


def _abbreviates(name: str, text: str) -> bool:
    """Whether `name` is made of the initials of consecutive words of the text (`LLMs`, `NPOV`, `RLHF`).

    Two initials are found by chance, so their words must have capitals unless they are a household name.
    """
    letters = "".join(char for char in name.rstrip("s") if char.isalpha())
    if len(letters) < 2 or not name.rstrip("s").isupper():
        return False
    spoken = re.findall(r"[^\W_]+(?:['’.][^\W_]+)*", text)
    initials = [
        "".join(word[0] for word in spoken if word.lower() not in skipped)
        for skipped in ((), _ARTICLES, FUNCTION_WORDS)
    ]
    if len(letters) == 2 and letters not in _HOUSEHOLD:
        return any(letters in found for found in initials)
    return any(letters.lower() in found.lower() for found in initials)


_ARTICLES = ("the", "a", "an")  # `AUC` is the area under the curve
_HOUSEHOLD = frozenset("AI ML RL QA IR MT CI HR OR RR SD CT".split())


def _shortens(name: str, text: str) -> bool:
    """Whether letters out of a word stand for it before the same number: `IL-6` for "interleukin-6"."""
    found = re.fullmatch(r"([A-Z]{2,5})[- ]?(\d{1,3})", name)
    if not found:
        return False
    letters = r"[a-z]*".join(found[1].lower())
    return bool(re.search(rf"\b{letters}[a-z]*[- ]{found[2]}{_VERSION_ENDS}", text.lower()))


def _greek(text: str) -> set[str]:
    return {part for word in words(text) for part in _PART.split(word) if part in GREEK_LETTERS}
