"""Deterministic checks of a claim against the text it cites.

Each guard returns why the claim cannot be called supported, or `None` when it has nothing to object.
They see what encoders miss: a changed figure, a swapped name, a lost "not", a reversed comparison. A
guard never proves support; that is the entailer's part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from rag.figures import Figure, figures, in_passing
from rag.library.lexical import FUNCTION_WORDS, terms
from rag.sides import exchanged
from rag.text import sentences
from rag.words import name_key, names, words


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
    claim, evidence, context = _spoken(claim), _spoken(evidence), _spoken(context)
    for guard in (_numbers, _names, _negation, _direction, _roles, _scope):
        objection = guard(claim, evidence, context)
        if objection:
            return objection
    return None


def _spoken(text: str) -> str:
    """The text as it is read out: `TNF-alpha`, `CO2`, `BRCA1/BRCA2`, `phase 3`, no "not" that denies nothing."""
    straight = unicodedata.normalize("NFC", text).replace("’", "'").translate(_GREEK)
    straight = _SUBSCRIPT.sub(r"\1", straight.translate(_SUBSCRIPTS))
    straight = _TWO_OF_A_NAME.sub(r"\1\2/\1\3", straight)
    straight = _ROMAN.sub(lambda match: match[1] + str(_ROMANS.index(match[2].upper()) + 1), straight)
    bounded = _NO_MORE_THAN.sub(lambda match: "at most" if match[1].lower() == "more" else "at least", straight)
    return _DENIES_NOTHING.sub("", bounded)


_GREEK = {
    ord(letter): unicodedata.name(letter).split()[-1].lower().replace("lamda", "lambda")
    for letter in "αβγδεζηθικλνξοπρστυφχψωΓΔΘΛΞΠΣΦΨΩ"  # `μ` is a prefix of units
}
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SUBSCRIPT = re.compile(r"(?<=[A-Za-z)])\$?_\{?(\d+)\}?\$?")
_TWO_OF_A_NAME = re.compile(r"\b(?=[a-z]*+[A-Z])([A-Za-z]++-?)(\d++(?:\.\d)?)/(\d+(?:\.\d)?)(?![\w.]*\d)")
_ROMANS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"]
_ROMAN = re.compile(rf"\b((?i:phase|type|stage|grade|class|level|factor|war)[ -])({'|'.join(_ROMANS)})(?![\w'.])")
_NO_MORE_THAN = re.compile(r"\bno (less|more|fewer) than\b", re.IGNORECASE)
_DENIES_NOTHING = re.compile(r"\bnot (?:only|just|merely|simply)\b|\bwhether or not\b", re.IGNORECASE)


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
    claimed = figures(claim)
    if not claimed:
        return None
    shown, named = figures(_VERSIONED.sub(r"\1", evidence)), f"{evidence} {context}"
    passed = in_passing(evidence)
    nearby = [other for sentence in _relevant(claim, evidence) for other in figures(sentence)]
    sign_is_told = _falls(claim) != _falls(evidence)  # "drops by 0.3" says what "-0.3" says
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


def _falls(text: str) -> bool:
    return not _paired()[0][1].isdisjoint(map(_stem_key, words(text)))


def _in_a_name(figure: Figure, text: str) -> bool:
    """Whether the figure is part of a name there, as the 2 of `Gemma 2`."""
    return bool(re.search(rf"[A-Z][\w-]{{0,60}} ?-?(?<!\d){re.escape(figure.text)}(?!\d|[.,]\d|\s?%)", text))


def _of_another_name(figure: Figure, claim: str, text: str) -> bool:
    """Whether it belongs to a name of which no letters are there: the 19 of `COVID-19` is for `_names` to miss."""
    there = set(_LETTERS.findall(text.lower()))
    own = {part for name in names(claim) if figure.text in name for part in _LETTERS.findall(name.lower())}
    return bool(own) and own.isdisjoint(there)


_LETTERS = re.compile(r"[^\W\d_]+")


def _names(claim: str, evidence: str, context: str) -> Objection | None:
    known = f"{evidence} {context}"
    keys = {name_key(part) for word in words(known) for part in (word, *_PART.split(word), word.removesuffix("'s"))}
    for name in names(claim):
        key = name_key(name)
        parts = [part for part in _NAME_PART.split(name) if not part.islower()]
        is_known = key in keys or all(name_key(part) in keys or _has_version(part, known) for part in parts)
        if is_known or (len(key) > 4 and _is_spelled(key, known)):
            continue
        if not _abbreviates(name, known):
            return Objection("names", f"the cited text does not mention {name!r}", False)
    for label, letter in _LABELLED.findall(claim):
        own = r"(?<!^)(?<![.?!:]\s)\bA\b" if letter == "A" else rf"(?i:\b{letter}\b)"  # no article
        if not re.search(own, known):
            return Objection("names", f"the cited text does not mention {label!r}", False)
    return None


# `group A`, `vitamin D`; no initial, and no `N = 5`
_LABELLED = re.compile(r"\b([a-zA-Z]{0,30}[a-z] ([A-HJ-Z]))(?![\w'&/^$-]|\.\s?\w|\s?[=<>≤≥≈~])")
_PART = re.compile(r"[-/]|\.(?!\d)")  # `Qwen2.5` is one
_NAME_PART = re.compile(r"[-/](?!\d+(?:\.\d+)*(?!\w))|\.(?!\d)")  # and so is `GPT-3`: its 3 is no 3 elsewhere
_VERSION = re.compile(r"(.+)[-/](\d+(?:\.\d+)*)")


def _has_version(name: str, text: str) -> bool:
    """Whether the number of `Llama-3` is one of those behind its letters there: `Llama 2 and 3`, not `Llama 2, 3.1`."""
    version = _VERSION.fullmatch(name)
    if not version:
        return False
    letters = r"[\W_]*".join(map(re.escape, name_key(version[1])))
    numbered = rf"{letters}s?(?:[\W\d_]|and|or|to)*(?<![\d.]){re.escape(version[2])}(?!\.?\d)"
    return bool(re.search(numbered, text.lower()))


def _is_spelled(key: str, text: str) -> bool:
    """Whether the letters and digits of `key` follow each other there; `CIFAR10` is not in `CIFAR100`."""
    end = r"(?!\.?\d)" if key[-1].isdigit() else ""
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


_NEGATORS = frozenset(
    "not no never neither nor without cannot none nothing hardly barely unable fail fails failed failing lack lacks "
    "lacking".split()
)
_REACH = 2  # content words that a "not" reaches


def _negation(claim: str, evidence: str, _: str) -> Objection | None:
    denied, said = _polarity(claim)
    for sentence in _relevant(claim, evidence):
        other_denied, other_said = _polarity(sentence)
        excused = _denied_in_both(claim, sentence)
        lost = (other_denied - other_said) & (said - denied) - excused
        added = (denied - said) & (other_said - other_denied) - excused
        if lost or added:
            word = min(lost or added)
            return Objection("negation", f"the cited text {'denies' if lost else 'affirms'} {word!r}", True)
    return None


@dataclass(frozen=True, slots=True)
class _Clause:
    """Stems of a clause: the first behind each negator, those out of reach of one, all behind the first.

    Names are in none. `negators` counts what denies; a "nor" goes on with what a "neither" began.
    """

    denied: frozenset[str]
    said: frozenset[str]
    scope: frozenset[str]
    negators: int


def _polarity(text: str) -> tuple[set[str], set[str]]:
    """The first stem behind each negator, and all stems out of reach of one; names are in neither."""
    clauses = _clauses(text)
    return {stem for c in clauses for stem in c.denied}, {stem for c in clauses for stem in c.said}


def _denied_in_both(claim: str, sentence: str) -> set[str]:
    """Stems of clauses that deny the same in other words: `does not require data`, `requires no data`."""
    return {
        stem
        for one in _clauses(claim)
        for other in _clauses(sentence)
        if one.negators == other.negators == 1 and one.denied and other.denied
        if one.denied <= other.scope or other.denied <= one.scope
        for stem in (one.said | one.scope) & (other.said | other.scope)
    }


def _clauses(text: str) -> list[_Clause]:
    named = {name.lower() for name in names(text)}
    parts = re.split(r"[,;:.]|\b(?:but|while|whereas|although|though|however)\b", text)
    return [_clause(words(part), named) for part in parts]


def _clause(spoken: Sequence[str], named: set[str]) -> _Clause:
    denied: set[str] = set()
    said: set[str] = set()
    scope: set[str] = set()
    reach = negators = 0
    for word, following in zip(spoken, [*spoken, ""][1:], strict=True):
        if _negates(word):
            reach = _REACH
            negators += word != "nor" or not negators
            continue
        found = [] if word in named else _stems(word)
        if negators:
            scope.update(found)
        # "requires no data" neither affirms nor denies that it requires.
        if reach <= 0 and following not in ("no", "neither", "none"):
            said.update(found)
        elif reach == _REACH:
            denied.update(found)
        reach -= len(found)
    return _Clause(frozenset(denied), frozenset(said), frozenset(scope), negators)


def _negates(word: str) -> bool:
    return word in _NEGATORS or word.endswith("n't")


# Poles that are told by stem, so in any inflection; `_POLES` below are told as they are written.
_POLES_BY_STEM: Sequence[tuple[str, str]] = (
    (
        "increase rise rose risen grow grew grown raise higher greater larger bigger boost expand",
        "decrease decline drop fall fell fallen reduce reduction lower fewer smaller shrink shrank shrunk lessen "
        "diminish",
    ),
    (
        "better best improve outperform superior surpass exceed beat stronger enhance",
        "worse worst worsen degrade underperform inferior weaker deteriorate trail lag harm hurt",
    ),
    ("faster fast quicker quick speed accelerate", "slower slow"),
    ("strengthen", "weaken"),
    ("enable allow", "prevent preclude"),
    ("widen wider", "narrow narrower shrink shrank shrunk"),
    ("maximize maximise", "minimize minimise"),
    ("activate activation", "inhibit inhibition"),
    ("depend", "independent"),
)
_POLES: Sequence[tuple[str, str]] = (
    ("more most", "less least fewer fewest"),
    ("positive positively", "negative negatively"),
    ("early earlier earliest before", "late later latest after"),
    ("easy easier easily simple simpler", "hard harder difficult complex"),
    ("small smaller smallest few fewer tiny", "large larger largest many big bigger huge"),
    ("low lower lowest", "high higher highest"),
    ("cheap cheaper inexpensive", "expensive costly"),
    ("strong stronger strongest strongly best", "weak weaker weakest weakly poor poorly poorer worst"),
    ("succeed succeeds successful successfully", "fail fails failed unsuccessfully"),
    ("include includes including", "exclude excludes excluding"),
    ("robust", "fragile brittle vulnerable"),
    ("always often frequently", "never rarely seldom"),
    ("short shorter shortest", "long longer longest"),
    ("sparse sparser", "dense denser"),
    ("shallow shallower", "deep deeper"),
    ("young younger", "old older"),
    ("male males", "female females"),
    ("acute", "chronic"),
    ("benign", "malignant"),
    ("eastern", "western"),
    ("northern", "southern"),
    ("static", "dynamic"),
    ("discrete", "continuous"),
    ("convex", "concave"),
    ("horizontal", "vertical"),
    ("forward", "backward"),
    ("online", "offline"),
    ("qualitative qualitatively", "quantitative quantitatively"),
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
# As a stem, "increasingly popular" would be an increase.
_NO_POLES = frozenset(("increasingly",))
_BOUND = re.compile(  # what `_numbers` looks at: "at least 5" is no "less" to "more than 5"
    r"\bat (?:least|most)\b"
    r"|\b(?:more|less|fewer|greater|higher|lower|larger|smaller|longer|shorter) than(?= [$€£]?\.?\d)",
    re.IGNORECASE,
)
_BEHIND = re.compile(r"\b(?:fall|falls|fell|fallen|falling) (?:short|behind)\b", re.IGNORECASE)


@cache
def _paired() -> list[tuple[frozenset[str], frozenset[str]]]:
    """The keys of either pole of each pair: a word, or `~` and a stem."""
    by_stem = [tuple(frozenset(map(_stem_key, pole.split())) for pole in pair) for pair in _POLES_BY_STEM]
    return [(one, other) for one, other in [*by_stem, *(tuple(frozenset(p.split()) for p in pair) for pair in _POLES)]]


def _stem_key(word: str) -> str:
    return "~" + ("".join(_stems(word)) or word)


@lru_cache(maxsize=10_000)
def _stems(word: str) -> Sequence[str]:
    return terms(word)


def _pole_keys(text: str) -> dict[str, str]:
    """Each word and its stem key, with the word as it is written."""
    unbound = _BOUND.sub("", _BEHIND.sub("underperforms", text))
    spoken = [word for word in words(unbound) if word not in _NO_POLES]
    return {key: word for word in spoken for key in (word, _stem_key(word))}


def _direction(claim: str, evidence: str, _: str) -> Objection | None:
    claimed = _pole_keys(claim)
    for sentence in _relevant(claim, evidence):
        shown = _pole_keys(sentence)
        opposed = _opposite_poles(claimed, shown) or _opposite_prefixes(set(claimed), set(shown))
        if not opposed or _is_converse(claim, sentence):
            continue
        if _is_denied(opposed[0], claim) != _is_denied(opposed[1], sentence):
            continue  # `not necessary` is `unnecessary`
        # `A beats B` says what `B falls behind A` says.
        if not (_is_rank(opposed) and exchanged(claim, sentence) == ""):
            said, given = opposed
            return Objection("direction", f"the claim says {said!r}, the cited text {given!r}", True)
    return None


def _is_rank(opposed: tuple[str, str]) -> bool:
    ranks = next(one | other for one, other in _paired() if _stem_key("better") in one)
    return ranks.issuperset(map(_stem_key, opposed))


def _is_denied(word: str, text: str) -> bool:
    return bool(_polarity(text)[0].intersection(terms(word)))


def _is_converse(claim: str, sentence: str) -> bool:
    """Whether opposed comparatives stand between exchanged sides: `A is slower than B`, `B is faster than A`."""
    opposed = _opposite_poles(_comparatives(claim), _comparatives(sentence))
    return opposed is not None and (exchanged(claim, sentence) or "").lower() == "than"


def _comparatives(text: str) -> dict[str, str]:
    before = " ".join(match[1] for match in re.finditer(r"(?<![\w-])((?:[\w-]++\s++){1,4})than\b", text))
    return {k: w for k, w in _pole_keys(before).items() if w.endswith("er") or w in ("more", "less", "worse")}


def _opposite_poles(claimed: Mapping[str, str], shown: Mapping[str, str]) -> tuple[str, str] | None:
    for pair in _paired():
        for pole, other in (pair, pair[::-1]):
            said, given = claimed.keys() & pole, shown.keys() & other
            if said and given and not claimed.keys() & other and not shown.keys() & pole:
                return claimed[min(said)], shown[min(given)]
    return None


# Prefixes that deny, and how many letters the word behind one has at least.
_DENYING = {**dict.fromkeys(("un", "in", "im", "non", "non-", "dis", "ir", "il", "ab"), 5), "a": 7}
_EXCHANGED = (
    ("hyper", "hypo"), ("up", "down"), ("over", "under"), ("pre", "post"), ("in", "out"), ("intra", "inter"),
    ("uni", "multi"), ("mono", "multi"), ("homo", "hetero"), ("endo", "exo"), ("micro", "macro"), ("max", "min"),
)  # fmt: skip
_SHORTEST_STEM = 4


def _opposite_prefixes(claimed: set[str], shown: set[str]) -> tuple[str, str] | None:
    """`stable` against `unstable`, `upregulated` against `downregulated`, either way round."""
    said, given = claimed - shown, shown - claimed
    pairs = [(word, opposite) for word in sorted(said) for opposite in _opposites(word)]
    pairs += [(opposite, word) for word in sorted(given) for opposite in _opposites(word)]
    return next((pair for pair in pairs if pair[0] in said and pair[1] in given), None)


@lru_cache(maxsize=10_000)
def _opposites(word: str) -> Sequence[str]:
    """The words that one becomes without a prefix that denies, or with the opposite of its prefix."""
    found = [
        word.removeprefix(p) for p, least in _DENYING.items() if word.startswith(p) and len(word) >= len(p) + least
    ]
    for one, other in (*_EXCHANGED, *(pair[::-1] for pair in _EXCHANGED)):
        if word.startswith(one) and len(word) >= len(one) + _SHORTEST_STEM:
            found.append(other + word.removeprefix(one))
    return found


def _roles(claim: str, evidence: str, _: str) -> Objection | None:
    for sentence in _relevant(claim, evidence):
        word = exchanged(claim, sentence)
        if word and not _is_converse(claim, sentence):
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


_ANY_AFTER = 4  # words before an "any" that may deny it


def _is_denied_of(following: Sequence[str], evidence: str, *, by: Sequence[str]) -> bool:
    """Whether `by` denies, and the evidence denies the first content word that follows too."""
    first = terms(" ".join(following))[:1]
    return any(map(_negates, by)) and any(clause.scope.issuperset(first) for clause in _clauses(evidence) if first)


def _scope(claim: str, evidence: str, _: str) -> Objection | None:
    shown = set(words(evidence))
    claimed = words(claim)
    for at, word in enumerate(claimed):
        if claimed[max(0, at - 1) : at + 1] == ["at", "all"]:
            continue
        if word == "any" and _is_denied_of(claimed[at + 1 :], evidence, by=claimed[max(0, at - _ANY_AFTER) : at]):
            continue  # "without any labels" is "without labels"
        if word in _UNIVERSAL and not shown & set(_UNIVERSAL[word].split()):
            return Objection("scope", f"the cited text does not say {word!r}", False)
    return None


@lru_cache(maxsize=8)  # every guard asks for the same
def _relevant(claim: str, evidence: str) -> Sequence[str]:
    """Sentences of the evidence that share at least half of the claim's content, figures aside, with it.

    Where some have all of it, only those: the others are about something else.
    """
    wanted = {term for term in terms(claim) if not term.isdecimal()}
    shared = [(len(wanted.intersection(terms(sentence))), sentence) for sentence in sentences(evidence)]
    least = len(wanted) if any(count == len(wanted) for count, _ in shared) else len(wanted) / 2
    return [sentence for count, sentence in shared if wanted and count >= least]
