"""One pole where the text has the other: more for less, stable for unstable."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from rag.guards.negation import polarity
from rag.guards.objection import Objection, relevant, stems
from rag.guards.sides import exchanged
from rag.library.lexical import terms
from rag.words import words

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
_BOUND = re.compile(  # what `numbers` looks at: "at least 5" is no "less" to "more than 5"
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
    return "~" + ("".join(stems(word)) or word)


def _pole_keys(text: str) -> dict[str, str]:
    """Each word and its stem key, with the word as it is written."""
    unbound = _BOUND.sub("", _BEHIND.sub("underperforms", text))
    spoken = [word for word in words(unbound) if word not in _NO_POLES]
    return {key: word for word in spoken for key in (word, _stem_key(word))}


def objection(claim: str, evidence: str, _: str) -> Objection | None:
    """Whether the claim and a relevant sentence take opposite poles."""
    claimed = _pole_keys(claim)
    for sentence in relevant(claim, evidence):
        shown = _pole_keys(sentence)
        opposed = _opposite_poles(claimed, shown) or _opposite_prefixes(set(claimed), set(shown))
        if not opposed or is_converse(claim, sentence):
            continue
        if _is_denied(opposed[0], claim) != _is_denied(opposed[1], sentence):
            continue  # `not necessary` is `unnecessary`
        # `A beats B` says what `B falls behind A` says.
        if not (_is_rank(opposed) and exchanged(claim, sentence) == ""):
            said, given = opposed
            return Objection("direction", f"the claim says {said!r}, the cited text {given!r}", True)
    return None


def falls(text: str) -> bool:
    """Whether something falls, by any of the words for it."""
    return not _paired()[0][1].isdisjoint(map(_stem_key, words(text)))


def _is_rank(opposed: tuple[str, str]) -> bool:
    ranks = next(one | other for one, other in _paired() if _stem_key("better") in one)
    return ranks.issuperset(map(_stem_key, opposed)) or {"before", "after"}.issuperset(opposed)


def _is_denied(word: str, text: str) -> bool:
    return bool(polarity(text)[0].intersection(terms(word)))


def is_converse(claim: str, sentence: str) -> bool:
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
