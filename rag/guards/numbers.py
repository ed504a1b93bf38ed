"""A figure that the text does not give, or bounds the other way."""

from __future__ import annotations

import re
from dataclasses import replace

from rag.figures import Figure, figures, in_passing
from rag.guards.direction import falls
from rag.guards.objection import Objection, relevant
from rag.words import names


def objection(claim: str, evidence: str, context: str) -> Objection | None:
    """Whether the text lacks a figure of the claim, in whatever unit, rounding or bound it may be given."""
    claimed = figures(claim)
    if not claimed:
        return None
    shown, named = figures(_VERSIONED.sub(r"\1", evidence)), f"{evidence} {context}"
    passed = in_passing(evidence)
    nearby = [other for sentence in relevant(claim, evidence) for other in figures(sentence)]
    sign_is_told = falls(claim) != falls(evidence)  # "drops by 0.3" says what "-0.3" says
    for figure in claimed:
        wanted = [figure, replace(figure, value=-figure.value)] if sign_is_told else [figure]
        given = [other for other in shown if any(one.says(other) for one in wanted)]
        given = given or [other for other in nearby if any(one.follows_from(other) for one in wanted)]
        given = given or [other for other in passed if figure.says(other)]
        if given and all(map(figure.opposes, given)):
            bounds = f"the claim says {figure.bound} {figure.text!r}, the cited text {given[0].bound}"
            return Objection("numbers", bounds, True)
        if not given and not _in_a_name(figure, named) and not _of_another_name(figure, claim, named):
            return Objection("numbers", f"the cited text does not give {figure.text!r}", bool(shown))
    return None


_VERSIONED = re.compile(r"\b([A-Z]\w*)-\d+(?:\.\d+)*(?!\w)")  # the 2 of `Llama-2-7B` counts nothing


def _in_a_name(figure: Figure, text: str) -> bool:
    """Whether the figure is part of a name there, as the 2 of `Gemma 2`."""
    return bool(re.search(rf"[A-Z][\w-]{{0,60}} ?-?(?<!\d){re.escape(figure.text)}(?!\d|[.,]\d|\s?%)", text))


def _of_another_name(figure: Figure, claim: str, text: str) -> bool:
    """Whether it belongs to a name of which no letters are there: the 19 of `COVID-19` is for `names` to miss."""
    there = set(_LETTERS.findall(text.lower()))
    own = {part for name in names(claim) if figure.text in name for part in _LETTERS.findall(name.lower())}
    return bool(own) and own.isdisjoint(there)


_LETTERS = re.compile(r"[^\W\d_]+")
