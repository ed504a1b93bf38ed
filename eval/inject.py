"""Faithful sentences → the same with one known error: a number, a name, a "not", a direction.

The typed, seeded errors that the judge's self-test and the entailer's training data are made of. An
injector returns the changed sentence, or `None` where its kind of error does not fit. Word lists here
are of their own, so that a guard is not tested with the list it was written from.

Source of the error types: FactCC, Kryscinski et al., EMNLP 2020 (number, entity, negation, noise), extended by
direction, scope, relation, plausible addition and neighbouring text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.figures import figures
from rag.types import Verdict
from rag.words import name_key, names


class ErrorType(StrEnum):
    """What was done to a faithful sentence."""

    NUMBER = "number"
    ENTITY = "entity"
    NEGATION = "negation"
    DIRECTION = "direction"
    SCOPE = "scope"
    RELATION = "relation"
    ADDITION = "addition"
    NEIGHBOUR = "neighbour"

    @property
    def verdict(self) -> Verdict:
        """What the evidence says of a sentence with this error: otherwise, or nothing."""
        silent = (ErrorType.SCOPE, ErrorType.ADDITION, ErrorType.NEIGHBOUR)
        return Verdict.NOT_ENOUGH_INFO if self in silent else Verdict.CONTRADICTED


@dataclass(frozen=True, slots=True)
class Injected:
    """A sentence with one error in it, and what was changed (`24 -> 31`)."""

    text: str
    error: ErrorType
    note: str


def inject(sentence: str, error: ErrorType, *, seed: int | str, donors: Sequence[str] = ()) -> Injected | None:
    """Put one error of a type into a sentence; the same seed gives the same error.

    `donors` are sentences of other papers: names, additions and neighbours come from them. `None`
    where the sentence has nothing that such an error could change.
    """
    chance = random.Random(f"{seed}|{error}|{sentence}")
    changed = _INJECTORS[error](sentence, donors, chance)
    if changed is None or changed[0] == sentence:
        return None
    return Injected(changed[0], error, changed[1])


def inject_all(sentence: str, *, seed: int | str, donors: Sequence[str] = ()) -> list[Injected]:
    """Every kind of error that fits the sentence, one each, in the order of `ErrorType`."""
    found = (inject(sentence, error, seed=seed, donors=donors) for error in ErrorType)
    return [injected for injected in found if injected is not None]


_Changed = tuple[str, str] | None
_SPELLED = "two three four five six seven eight nine ten eleven twelve".split()
_DIGITS = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w-]*[a-z]{3,}\d)")


def _number(sentence: str, donors: Sequence[str], chance: random.Random) -> _Changed:
    spots = [(match.start(), match.end()) for match in _DIGITS.finditer(sentence)]
    spots += [m.span() for m in re.finditer(rf"\b(?:{'|'.join(_SPELLED)})\b", sentence, re.IGNORECASE)]
    if not spots:
        return None
    start, end = chance.choice(spots)
    old = sentence[start:end].rstrip(",")
    end = start + len(old)
    new = _other_number(old, {figure.value for figure in figures(sentence)}, chance)
    return f"{sentence[:start]}{new}{sentence[end:]}", f"{old} -> {new}"


def _other_number(old: str, taken: set[float], chance: random.Random) -> str:
    if old.lower() in _SPELLED:
        new = chance.choice([word for word in _SPELLED if word != old.lower()])
        return new.capitalize() if old[0].isupper() else new
    digits = old.replace(",", "")
    places = len(digits.partition(".")[2])
    value = float(digits)
    for _ in range(20):
        factor = chance.choice((0.4, 0.5, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.5, 2, 3))
        other = round(value * factor, places) if places or value >= 10 else round(value + chance.choice((-2, -1, 1, 2)))
        if 1900 < value < 2100 and not places:
            other = value + chance.choice((-3, -2, -1, 1, 2))
        if other > 0 and other != value and other not in taken:
            return f"{other:,.{places}f}" if "," in old else f"{other:.{places}f}"
    return f"{value + 1:.{places}f}"


def _entity(sentence: str, donors: Sequence[str], chance: random.Random) -> _Changed:
    own = list(dict.fromkeys(names(sentence)))
    keys = {name_key(name) for name in own}
    others = sorted({name for donor in donors for name in names(donor) if name_key(name) not in keys})
    if not own or not others:
        return None
    old = chance.choice(own)
    alike = [name for name in others if name.isupper() == old.isupper()] or others
    new = chance.choice(alike)
    return re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, sentence), f"{old} -> {new}"


_AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|will|would|does|do|did|has|have|should|may|might)\b(?! not\b)")
_UNDO: Sequence[tuple[str, str]] = (
    (r"\bcannot\b", "can"),
    (r"\b(is|are|was|were|can|could|does|do|did|will|would|should|may|might) not\b", r"\1"),
    (r"\bwithout\b", "with"),
    (r"\bno longer\b", "still"),
    (r"\bfails? to\b", "manages to"),
    (r"\bunable to\b", "able to"),
)
_VERB = re.compile(
    r"\b(achiev|improv|outperform|reduc|increas|provid|enabl|allow|requir|demonstrat|show|support|depend|lead|"
    r"generaliz|generalis|affect|yield|preserv|retain|match|exceed|surpass|contain|cover|includ|offer|handl|solv|"
    r"predict|produc|perform|remain|work|correlat|benefit|eliminat|address|guarantee|transfer|scale)(e?s)\b"
)


def _negation(sentence: str, donors: Sequence[str], chance: random.Random) -> _Changed:
    for pattern, new in _UNDO:
        if re.search(pattern, sentence):
            return re.sub(pattern, new, sentence, count=1), f"undone: {pattern}"
    choices: list[tuple[str, str]] = []
    for match in _AUXILIARY.finditer(sentence):
        at = match.end()
        choices.append((f"{sentence[:at]} not{sentence[at:]}", f"{match[1]} -> {match[1]} not"))
    for match in _VERB.finditer(sentence):
        base = match[1] + ("e" if match[2] == "es" and not match[1].endswith(("ch", "sh", "s")) else "")
        new = f"does not {base}"
        choices.append((f"{sentence[: match.start()]}{new}{sentence[match.end() :]}", f"{match[0]} -> {new}"))
    return chance.choice(choices) if choices else None


_OPPOSITES = dict(
    pair.split("/")
    for pair in (
        "increase/decrease increases/decreases increased/decreased increasing/decreasing higher/lower more/less "
        "better/worse best/worst improve/degrade improves/degrades improved/degraded improving/degrading "
        "faster/slower larger/smaller stronger/weaker reduce/increase reduces/increases reduced/increased "
        "reducing/increasing outperform/underperform outperforms/underperforms outperforming/underperforming "
        "outperformed/underperformed high/low large/small strong/weak superior/inferior exceed/trail "
        "exceeds/trails easier/harder early/late cheaper/costlier robust/brittle enhance/impair enhances/impairs "
        "success/failure successfully/unsuccessfully significant/negligible significantly/barely "
        "accurate/inaccurate efficient/inefficient effective/ineffective most/least widely/rarely positive/negative "
        "gain/loss gains/losses rise/fall grows/shrinks benefit/harm benefits/harms sufficient/insufficient "
        "supervised/unsupervised first/last similar/different simple/complex consistent/inconsistent"
    ).split()
)
_OPPOSITES |= {new: old for old, new in _OPPOSITES.items() if new not in _OPPOSITES}


def _direction(sentence: str, donors: Sequence[str], chance: random.Random) -> _Changed:
    spots = [match for match in re.finditer(r"[A-Za-z]+", sentence) if match[0].lower() in _OPPOSITES]
    if not spots:
        return None
    spot = chance.choice(spots)
    new = _OPPOSITES[spot[0].lower()]
    new = new.capitalize() if spot[0][0].isupper() else new
    return f"{sentence[: spot.start()]}{new}{sentence[spot.end() :]}", f"{spot[0]} -> {new}"


_WIDER: Sequence[tuple[str, str]] = (
    (r"\b(?:some|several|many|most|various|certain|a number of|a few|two|three|four|five)\b(?! of the)", "all"),
    (r"\b(?:often|usually|typically|generally|frequently|sometimes|commonly|mostly|largely|primarily)\b", "always"),
    (r"\b(?:can|may|might|could)\b(?! not)", "always will"),
    (r"\b(?:suggests?|indicates?|hints?)\b", "proves"),
    (r"\bup to\b", "at least"),
    (r"\b(?:nearly|almost|about|approximately|roughly|around|over)\b(?= \d)", "fully"),
    (r"\b(?:nearly|almost|largely|partially|partly)\b", "completely"),
    (r"\b(?:in|on|across|over) (?:some|several|many|multiple|various|two|three|four|five|\d+) ", "on all existing "),
)
_TAILS = (
    "in all cases", "on every dataset", "for any model", "in every domain", "regardless of the setting",
    "for all languages", "under all conditions", "without exception", "at any scale",
)  # fmt: skip


def _scope(sentence: str, donors: Sequence[str], chance: random.Random) -> _Changed:
    wider = [(pattern, new) for pattern, new in _WIDER if re.search(pattern, sentence, re.IGNORECASE)]
    if wider and chance.random() < 0.75:
        pattern, new = chance.choice(wider)
        found = re.search(pattern, sentence, re.IGNORECASE)
        assert found
        new = new.capitalize() if found[0][0].isupper() else new
        return f"{sentence[: found.start()]}{new}{sentence[found.end() :]}", f"{found[0]} -> {new}"
    tail = chance.choice(_TAILS)
    return _before_stop(sentence, f" {tail}"), f"+ {tail}"


_SWAPS = re.compile(
    r"\b(?P<left>[\w-]+(?: [\w-]+)?) (?P<link>(?:significantly |consistently )?(?:outperforms?|outperforming|exceeds?|"
    r"surpass(?:es)?|replaces?|than|rather than|over|instead of|leads? to|causes?|requires?|depends? on|into|"
    r"improves?|enables?|predicts?|explains?|affects?|precedes?|based on|before|after|and not|but not)) "
    r"(?:the |a |an )?(?P<right>[\w-]+(?: [\w-]+)?)",
    re.IGNORECASE,
)
_PREPOSITIONS = "a an the of in on for with to and or by as that which is are its their our this these we it".split()


def _relation(sentence: str, donors: Sequence[str], chance: random.Random) -> _Changed:
    own = list(dict.fromkeys(names(sentence)))
    if len(own) >= 2 and chance.random() < 0.6:
        one, other = chance.sample(own, 2)
        if one not in other and other not in one:
            return _exchange(sentence, one, other)
    for match in _SWAPS.finditer(sentence):
        left = _content(match["left"], last=True)
        right = _content(match["right"], last=False)
        if left and right and left.lower() != right.lower():
            return _exchange(sentence, left, right)
    return None


def _content(words: str, *, last: bool) -> str:
    """The words next to the link, function words at the edges aside."""
    parts = words.split()
    while parts and parts[0].lower() in _PREPOSITIONS:
        parts = parts[1:]
    while parts and parts[-1].lower() in _PREPOSITIONS:
        parts = parts[:-1]
    return " ".join(parts)


def _exchange(sentence: str, one: str, other: str) -> tuple[str, str]:
    both = re.compile(rf"(?<!\w)(?:{re.escape(one)}|{re.escape(other)})(?!\w)")
    swapped = both.sub(lambda match: other if match[0] == one else one, sentence)
    return swapped, f"{one} <-> {other}"


_CLAUSE = re.compile(
    r",? ((?:while|enabling|allowing|without|achieving|outperforming|reducing|improving|demonstrating|leading to|"
    r"resulting in|making|requiring|showing|using only|by using|trained on|evaluated on|compared (?:to|with)|"
    r"on (?:\w+ )?(?:benchmarks?|datasets?|tasks?)|with (?:only|up to|over)|even (?:when|if|with|without)|"
    r"in (?:both|terms of)|and (?:shows?|improves?|reduces?|achieves?|generali[sz]es?|outperforms?))"
    r"\b[^,.;:()]{12,90})(?=[.,;])"
)


def _addition(sentence: str, donors: Sequence[str], chance: random.Random) -> _Changed:
    clauses = sorted({match[1] for donor in donors for match in _CLAUSE.finditer(donor)})
    if not clauses:
        return None
    clause = chance.choice(clauses)
    joined = f" {clause}" if clause.startswith(("on ", "with ", "in ", "and ", "using")) else f", {clause}"
    return _before_stop(sentence, joined), f"+ {clause}"


def _neighbour(sentence: str, donors: Sequence[str], chance: random.Random) -> _Changed:
    others = [donor for donor in donors if donor != sentence]
    return (chance.choice(others), "a sentence of another paper") if others else None


def _before_stop(sentence: str, addition: str) -> str:
    body = sentence.rstrip()
    stop = body[-1] if body and body[-1] in ".!?" else "."
    return f"{body.rstrip('.!?')}{addition}{stop}"


_INJECTORS: dict[ErrorType, Callable[[str, Sequence[str], random.Random], _Changed]] = {
    ErrorType.NUMBER: _number,
    ErrorType.ENTITY: _entity,
    ErrorType.NEGATION: _negation,
    ErrorType.DIRECTION: _direction,
    ErrorType.SCOPE: _scope,
    ErrorType.RELATION: _relation,
    ErrorType.ADDITION: _addition,
    ErrorType.NEIGHBOUR: _neighbour,
}
