"""A text as it is read out, so that two ways to write a thing are one; and where a paper names its own."""

from __future__ import annotations

import re
import unicodedata

from rag.text import sentences


def spoken(text: str) -> str:
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
GREEK_LETTERS = frozenset(_GREEK.values())
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
