"""Sentences of abstracts, said shorter and in the third person, by rule: what the answerer learns to write.

What is left keeps the sentence's words in their order, every figure and every name. Whatever limits or
hedges what is claimed stays: conditions, `may`, `we hypothesize that`.
"""

from __future__ import annotations

import re

from rag.library.lexical import terms
from rag.text import fold

_SHORTEST = 6  # words: what is left of a sentence says too little below that

_OPENING = re.compile(
    r"^(?:(?:However|Moreover|Furthermore|In addition|Additionally|Specifically|In particular|Finally|Therefore|Thus|"
    r"Consequently|Hence|To this end|Here|Empirically|Notably|Importantly|Interestingly|Crucially|Surprisingly|Also|"
    r"Overall|In summary|In conclusion|In fact|First|Second|Third|Firstly|Secondly|Thirdly|Then|Next|Lastly|"
    r"Fortunately|Unfortunately|Indeed|More specifically|In contrast|As a result|Conclusions?|Results?|Methods?|"
    r"Objectives?|Background|Purpose|Aims?|Findings)[,:]|"
    r"(?:In|With|Through) (?:this|the present|our) (?:paper|work|article|report|study|survey)s?,?|"
    r"To (?:address|tackle|overcome|solve|mitigate|remedy|bridge|fill|alleviate|resolve|handle|meet) (?:this|these|the|"
    r"such|that|those|both)\b[^,;]{0,60},|"
    r"(?:Motivated|Inspired) by (?:this|these|the above)\b[^,;]{0,50},|"
    r"(?:Based on|Building on|Given|Towards?|To achieve|For) (?:this|these|that|which)\b[^,;]{0,40},|"
    r"Despite [^,;]{5,90},|(?:Although|Though|While) [^,;]{10,90},|"
    r"(?:And|But|So|Yet),? )\s*",
)
_REPORTS = re.compile(
    r"^(?:(?:We|The authors|They)(?: also| further| then| empirically| theoretically| experimentally| formally)* "
    r"(?:show|find|found|demonstrate|observe|report|discover|prove|reveal|establish|note|see|conclude|verify|"
    r"validate|confirm|showed|observed|demonstrated|reported|argue and show)|"
    r"(?:(?:Our|The|These|This|Their|Extensive|Comprehensive|Empirical|Experimental|Numerical|Several|Thorough|"
    r"Preliminary|Various|Further|Additional|Quantitative|Qualitative|and|empirical|experimental|extensive|results?|"
    r"experiments?|findings?|evaluations?|stud(?:y|ies)|analys[ie]s|simulations?|theoretical|numerical|key|main|"
    r"comprehensive|also|further|quantitative|qualitative|work|paper) )*"
    r"(?:results?|experiments?|findings?|evaluations?|stud(?:y|ies)|analys[ie]s|simulations?|work|paper)"
    r"(?: also| further| clearly)* "
    r"(?:shows?|demonstrates?|reveals?|confirms?|verify|verifies|validates?|finds?|showed|demonstrated|revealed)|"
    r"It (?:is|was|has been) (?:shown|found|demonstrated|observed|reported|proved|proven)),? that,? ",
    re.IGNORECASE,
)
_RESULTS = re.compile(
    r"^(?:Our|The|These) (?:experimental |empirical )?(?:results|experiments|findings) (?:show|demonstrate) "
    r"(?=[A-Z]\w+ [a-z]+s )"
)
_TAIL = re.compile(
    r"(?:,| and|, and|,? thereby|,? thus) (?:thereby |thus |further |hence )?(?:highlighting|demonstrating|suggesting|"
    r"indicating|underscoring|emphasi[sz]ing|showcasing|illustrating|paving the way|opening|offering|providing|"
    r"shedding|advancing|contributing|positioning|establishing|validating|confirming|"
    r"which (?:highlights?|demonstrates?|suggests?|indicates?|underscores?|shows?))\b[^;]*$"
)
_FILLER = re.compile(
    r"\b(?:novel|extensive|comprehensive|in fact|notably|importantly|interestingly|successfully|carefully|"
    r"rigorously|thorough|empirically|in particular|simple yet effective|simple but effective|remarkably|"
    r"also|furthermore|moreover|very|highly|extremely|"
    r"however|therefore|additionally|consequently|specifically) ",
)
_BRACKETS = re.compile(r" ?\((?:i\.e\.|e\.g\.|see|for example|cf\.)[^()]*\)")
_ASIDE = re.compile(r" ?\(([^()]{3,})\)")
_CODE = re.compile(
    r",? ?(?:\b(?:and|which|that)\b[^.,;]{0,20})?(?:available at|https?://|www\.)\S*.*$|\. ?https?://.*$"
)
_PHRASES = (
    (re.compile(r"\bin order to\b"), "to"),
    (re.compile(r"\bas well as\b"), "and"),
    (re.compile(r"\b(a|A) (?:wide|broad|large|diverse) (?:range|variety|array) of "), r"\1 range of "),
    (re.compile(r"\b(?:is|are) able to\b"), "can"),
)
_WE = re.compile(r"\b(?:We|we)\b")
_THIRD = {"our": "their", "ours": "theirs", "us": "them", "ourselves": "themselves", "my": "their"}
_OWN = re.compile(r"\b(?:[Oo]urs?|us|ourselves|[Mm]y)\b")


# Where a sentence can end early, and what goes before its subject.
_ENDS = re.compile(
    r"; |: (?=[a-z])| -+ | — |, (?=(?:while|whereas|which|where|who|whose|including|such as|thus|thereby|especially|"
    r"particularly|making|leading|allowing|enabling|resulting|using|showing|yielding|achieving|outperforming|improving|"
    r"reducing|providing|offering|highlighting|suggesting|demonstrating|indicating|revealing|requiring|because|since|"
    r"and (?:thus|thereby|therefore|hence|we|our|it|they|this|these|that|show|demonstrate|present|find|propose|provide|"
    r"discuss|evaluate|analyze|introduce|develop)) )|"
    r" (?=(?:while|whereas|because|such as|including|as well as|thereby) )"
)
_LEAD = re.compile(
    r"^(?:To|By|Using|Through|With|Given|Based on|Building on|Unlike|Inspired by|Motivated by|Leveraging|Drawing on|"
    r"Thanks to|As|Since|Because|Beyond|Following|Among|Compared|Rather than|Instead of|Across|Along with|Together)"
    r" [^,;:]{4,140}, (?=(?:we|our|the|this|these|it|they|a|an|[A-Z]\w+|\w+s) )"
)


def focused(sentence: str, wanted: frozenset[str]) -> str:
    """The sentence without the parts at its ends that have none of the `wanted` stems; `shortened` besides."""
    text = fold(sentence)
    for _ in range(3):
        text = _kept(text, _capital(_OPENING.sub("", text)))
    text = _kept(text, _capital(_RESULTS.sub("", _REPORTS.sub("", text))))
    lead = _LEAD.match(text)
    if lead and not wanted & set(terms(lead[0])):
        text = _kept(text, _capital(text[lead.end() :]))
    for end in reversed(list(_ENDS.finditer(text))):
        if wanted & set(terms(text[end.start() :])):
            break
        text = _kept(text, text[: end.start()])
    text = _ASIDE.sub(lambda aside: aside[0] if wanted & set(terms(aside[1])) or aside[1].isupper() else "", text)
    return shortened(text)


def shortened(sentence: str) -> str:
    """The sentence without opening, report, asides and closing remark, in the third person, with a full stop."""
    text = fold(sentence)
    for _ in range(3):
        text = _kept(text, _capital(_OPENING.sub("", text)))
    text = _kept(text, _capital(_RESULTS.sub("", _REPORTS.sub("", text))))
    text = _kept(text, _CODE.sub("", text))
    text = _kept(text, _TAIL.sub("", text))
    text = _BRACKETS.sub("", text.replace(", however,", ""))
    text = _kept(text, _FILLER.sub("", text))
    for pattern, shorter in _PHRASES:
        text = pattern.sub(shorter, text)
    text = re.sub(r"\b([Aa])n (?=[b-df-hj-np-tv-z])", r"\1 ", re.sub(r"\b([Aa]) (?=[aeio][a-z])", r"\1n ", text))
    text = third_person(text)
    return f"{_capital(text).rstrip(' .,;:!?')}."


def third_person(text: str) -> str:
    """`We propose our X.` → `The authors propose their X.`; a second `we` is `they`."""
    said = 0

    def authors(found: re.Match[str]) -> str:
        nonlocal said
        said += 1
        start = found.start() == 0 or text[: found.start()].rstrip().endswith(".")
        if said == 1:
            return "The authors" if start else "the authors"
        return "They" if start else "they"

    text = _WE.sub(authors, text)
    return _OWN.sub(lambda found: _cased(_THIRD[found[0].lower()], found[0]), text)


def _kept(before: str, after: str) -> str:
    """What is left, if it is enough of a sentence."""
    return after if len(after.split()) >= _SHORTEST else before


def _capital(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:]


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word
