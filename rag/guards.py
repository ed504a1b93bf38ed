"""Deterministic checks of a claim against the text it cites.

Each guard returns why the claim cannot be called supported, or `None` when it has nothing to object.
They see what encoders miss: a changed figure, a swapped name, a lost "not", a reversed comparison. A
guard never proves support; that is the entailer's part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.library.lexical import terms
from rag.sides import exchanged
from rag.text import sentences
from rag.words import Figure, figures, name_key, names, words


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a claim is not supported; `contradicts` when the text says otherwise rather than nothing."""

    guard: str
    reason: str
    contradicts: bool


def object_to(claim: str, evidence: str, *, context: str = "") -> Objection | None:
    """The first objection of any guard to `claim`, given the cited `evidence`.

    `context` is text of the same paper in which names may stand too: its title and the sentence that
    introduces its method, because a claim names what the evidence calls "our method".
    """
    for guard in (_numbers, _names, _negation, _direction, _roles, _scope):
        objection = guard(claim, evidence, context)
        if objection:
            return objection
    return None


def introduced(text: str) -> str:
    """The sentences in which a paper introduces what it calls its own, joined."""
    return " ".join(sentence for sentence in sentences(text) if _INTRODUCES.search(sentence))


_INTRODUCES = re.compile(
    r"\b(?:we|this (?:work|paper|report|article)|our|authors?)\b.{0,60}?\b(?:introduc|propos|present|develop|build"
    r"|construct|releas|call|nam|term|dub|describ|study|investigat|explor|model|method|approach|system|framework"
    r"|benchmark|dataset|tool|suite|metric|strategy)\w*",
    re.IGNORECASE,
)


def _numbers(claim: str, evidence: str, context: str) -> Objection | None:
    shown = figures(evidence)
    for figure in figures(claim):
        if not any(_same(figure, other) for other in shown) and not _in_a_name(figure, f"{evidence} {context}"):
            return Objection("numbers", f"the cited text does not give {figure.text!r}", bool(shown))
    return None


def _same(claimed: Figure, shown: Figure) -> bool:
    units_agree = claimed.unit == shown.unit or not (claimed.unit and shown.unit)
    return units_agree and abs(claimed.value - shown.value) <= 1e-9 * abs(shown.value)


def _in_a_name(figure: Figure, text: str) -> bool:
    """Whether the figure is part of a name there, as the 2 of `Gemma 2`."""
    return bool(re.search(rf"[A-Z][\w-]* ?-?{re.escape(figure.text)}(?![\d.,%])", text))


def _names(claim: str, evidence: str, context: str) -> Objection | None:
    known = f"{evidence} {context}"
    keys = {name_key(word) for word in words(known)}
    keys |= {name_key(part) for word in words(known) for part in re.split(r"[-/.]", word)}
    joined = "".join(char for char in known.lower() if char.isalnum())
    for name in names(claim):
        key = name_key(name)
        parts = [name_key(part) for part in re.split(r"[-/.]", name) if not part.islower()]
        if key in keys or all(part in keys for part in parts) or (len(key) > 4 and key in joined):
            continue
        if not _abbreviates(name, known):
            return Objection("names", f"the cited text does not mention {name!r}", False)
    return None


def _abbreviates(name: str, text: str) -> bool:
    """Whether `name` is made of the initials of consecutive words of the text (`LLMs`, `NPOV`)."""
    letters = [char.lower() for char in name.rstrip("s") if char.isalpha()]
    if len(letters) < 2 or not name.rstrip("s").isupper():
        return False
    initials = "".join(part[0] for word in words(text) for part in word.split("-"))
    return "".join(letters) in initials


_NEGATORS = frozenset(
    "not no never neither nor without cannot none nothing hardly barely unable fail fails failed failing lack "
    "lacks lacking can't don't doesn't didn't isn't aren't wasn't weren't won't couldn't shouldn't".split()
)
_REACH = 2  # content words that a "not" reaches


def _negation(claim: str, evidence: str, _: str) -> Objection | None:
    denied, said = _polarity(claim)
    for sentence in _relevant(claim, evidence):
        other_denied, other_said = _polarity(sentence)
        lost = (other_denied - other_said) & (said - denied)
        added = (denied - said) & (other_said - other_denied)
        if lost or added:
            word = min(lost or added)
            return Objection("negation", f"the cited text {'denies' if lost else 'affirms'} {word!r}", True)
    return None


def _polarity(text: str) -> tuple[set[str], set[str]]:
    """The first stem behind each negator, and all stems out of reach of one; names are in neither."""
    denied: set[str] = set()
    said: set[str] = set()
    named = {name.lower() for name in names(text)}
    for clause in re.split(r"[,;:.]|\b(?:but|while|whereas|although|though|however)\b", text):
        reach = 0
        for word in words(clause):
            if word in _NEGATORS:
                reach = _REACH
                continue
            found = [] if word in named else terms(word)
            if reach <= 0:
                said.update(found)
            elif reach == _REACH:
                denied.update(found)
            reach -= len(found)
    return denied, said


_POLES: Sequence[tuple[str, str]] = (
    (
        "increase increases increased increasing rise rises rising rose grow grows growing raise raises raised "
        "higher greater larger bigger up above gain gains boost boosts expand",
        "decrease decreases decreased decreasing decline declines drop drops dropped fall falls fell reduce reduces "
        "reduced reducing reduction lower fewer smaller down below loss shrink lessens diminish diminishes",
    ),
    ("more most", "less least fewer fewest"),
    (
        "better best improve improves improved improving outperform outperforms outperformed superior surpass "
        "surpasses exceed exceeds beat beats stronger enhance enhances",
        "worse worst degrade degrades degraded underperform underperforms inferior weaker deteriorate trail trails "
        "lag lags behind harm harms hurt hurts",
    ),
    ("faster fast quicker quick speed accelerate accelerates", "slower slow slows"),
    ("early earlier earliest before", "late later latest after"),
    ("easy easier easily simple simpler", "hard harder difficult complex"),
    ("small smaller smallest few fewer tiny", "large larger largest many big bigger huge"),
    ("low lower lowest", "high higher highest"),
    ("cheap cheaper inexpensive", "expensive costly"),
    ("enable enables allow allows", "prevent prevents preclude precludes"),
    ("strong stronger strongest strongly best well", "weak weaker weakest weakly poor poorly poorer worst"),
    ("widen widens widened wider", "narrow narrows narrowed narrower shrinks"),
    ("succeed succeeds successful successfully", "fail fails failed unsuccessfully"),
    ("include includes including", "exclude excludes excluding"),
    ("robust", "fragile brittle vulnerable"),
    ("always", "never rarely seldom"),
    ("agree agrees confirm confirms", "disagree contradict contradicts refute"),
    ("sufficient", "insufficient"),
    ("same similar comparable par", "different"),
    ("possible able", "impossible unable"),
    ("open", "closed proprietary"),
    ("local", "global"),
    ("internal inner", "external"),
    ("white-box", "black-box"),
    ("manual manually", "automatic automatically automated"),
    ("supervised", "unsupervised"),
)
_PAIRED = [(frozenset(one.split()), frozenset(other.split())) for one, other in _POLES]
_BETTER = next(one | other for one, other in _PAIRED if "better" in one)


def _direction(claim: str, evidence: str, _: str) -> Objection | None:
    claimed = set(words(claim))
    for sentence in _relevant(claim, evidence):
        shown = set(words(sentence))
        opposed = _opposite_poles(claimed, shown) or _opposite_prefixes(claimed, shown)
        if opposed and _is_denied(opposed[0], claim) != _is_denied(opposed[1], sentence):
            continue  # `not necessary` is `unnecessary`
        # `A beats B` says what `B falls behind A` says.
        if opposed and not (_BETTER.issuperset(opposed) and exchanged(claim, sentence) == ""):
            said, given = opposed
            return Objection("direction", f"the claim says {said!r}, the cited text {given!r}", True)
    return None


def _is_denied(word: str, text: str) -> bool:
    return bool(_polarity(text)[0].intersection(terms(word)))


def _opposite_poles(claimed: set[str], shown: set[str]) -> tuple[str, str] | None:
    for pair in _PAIRED:
        for pole, other in (pair, pair[::-1]):
            if claimed & pole and not claimed & other and shown & other and not shown & pole:
                return min(claimed & pole), min(shown & other)
    return None


def _opposite_prefixes(claimed: set[str], shown: set[str]) -> tuple[str, str] | None:
    """`stable` against `unstable`, either way round."""
    for word in sorted(claimed | shown):
        for prefix in ("un", "in", "im", "non", "non-", "dis", "ir"):
            opposite = prefix + word
            if len(word) < 5 or opposite not in claimed | shown:
                continue
            if opposite in shown - claimed and word in claimed - shown:
                return word, opposite
            if opposite in claimed - shown and word in shown - claimed:
                return opposite, word
    return None


def _roles(claim: str, evidence: str, _: str) -> Objection | None:
    for sentence in _relevant(claim, evidence):
        word = exchanged(claim, sentence)
        if word:
            return Objection("roles", f"the cited text has the sides of {word!r} the other way round", True)
    return None


_UNIVERSAL = {
    "all": "all every each entire whole any",
    "every": "all every each any",
    "always": "always all every consistently",
    "never": "never no not none",
    "only": "only solely alone merely just exclusively",
    "entirely": "entirely completely fully entire whole all full",
    "completely": "completely entirely fully complete all full",
    "perfectly": "perfectly perfect exactly",
    "guarantees": "guarantees guarantee guaranteed guarantees",
    "any": "any all every arbitrary universal universally",
    "none": "none no not never",
    "universally": "universally universal all every",
    "solely": "only solely alone exclusively",
    "exclusively": "only solely alone exclusively",
    "proves": "proves prove proof proven guarantee guarantees theoretical theoretically",
    "must": "must need needs should required necessary",
}


def _scope(claim: str, evidence: str, _: str) -> Objection | None:
    shown = set(words(evidence))
    claimed = words(claim)
    for at, word in enumerate(claimed):
        if claimed[max(0, at - 1) : at + 1] == ["at", "all"]:
            continue
        if word in _UNIVERSAL and not shown & set(_UNIVERSAL[word].split()):
            return Objection("scope", f"the cited text does not say {word!r}", False)
    return None


def _relevant(claim: str, evidence: str) -> Iterable[str]:
    """Sentences of the evidence that share at least half of the claim's content with it."""
    wanted = set(terms(claim))
    for sentence in sentences(evidence):
        if wanted and len(wanted & set(terms(sentence))) >= len(wanted) / 2:
            yield sentence
