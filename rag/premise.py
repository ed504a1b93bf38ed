"""What a question takes for granted, and whether a paper denies it: `Why does A need B?` where A goes without B.

A premise is put as a claim, without its inflection, which an entailer does not miss, and held against the sentences of
the paper that are nearest to it. That a paper denies a premise is an answer, whatever else it says.
"""

from __future__ import annotations

import re
from dataclasses import replace

from rag import guards
from rag.evidence import Selection, as_written, nearest_sentences
from rag.followup import without_topic
from rag.models import Entailer
from rag.models.reader import titled
from rag.sentences import Query, SentenceVectors
from rag.types import Document
from rag.verify import context_of

DENIED_FROM = 0.75  # of 127 true premises about three collections none is denied so surely (.67), of 68 false ones most
SENTENCES = 2

_AUXILIARY = r"(?:do|does|did|is|are|was|were|has|have|had)"
_PRESUPPOSES = re.compile(
    r"(?:(?:and|but|so|then),? )?(?:"
    rf"(?:why|how|by how much|in what ways?|to what extent) {_AUXILIARY} |why c(?:an|ould) |how come "
    r"|what (?:makes|made|explains|is the reason|are the reasons)(?: that| why| for)? "
    r")(?P<premise>[^,;:]+)(?:, (?:as|like|(?:even )?though|although)\b.*)?\?",
    re.IGNORECASE,
)
_ASKS = r"(?:what|which|who|why|when|where|how|is|are|was|were|do|does|did|should|can|could)\b"
_GIVEN = re.compile(
    rf"(?:given that|since|because|now that|seeing that|considering that) (?P<premise>[^,;:]+), (?={_ASKS})",
    re.IGNORECASE,
)
_BEING = re.compile(rf"(?P<subject>[^,;:]+?) being (?P<rest>[^,;:]+), (?={_ASKS})", re.IGNORECASE)
_ANYONE = re.compile(r"(?:I|you|we|one|anyone|someone|somebody|people)\b", re.IGNORECASE)
_SUPPOSED = re.compile(r"\b(?:if|unless|suppos(?:e|ing))\b", re.IGNORECASE)
_NEGATES = re.compile(r"\b(?:no|not|never|none|nothing|neither|nor|cannot|without)\b|n['’]t\b", re.IGNORECASE)


def premise(question: str) -> str:
    """What a standalone question takes for granted, as a claim; nothing where that cannot be told.

    Nor of a follow-up whose subject is elsewhere; of what is only supposed; and of what something is not, since of
    that encoders say too little.
    """
    asked, topic = without_topic(question)
    if topic or _SUPPOSED.search(asked):
        return ""
    if given := _GIVEN.match(asked) or _PRESUPPOSES.fullmatch(asked):
        stated = given["premise"]
    elif given := _BEING.match(asked):
        stated = f"{given['subject']} is {given['rest']}"
    else:
        return ""
    if _NEGATES.search(stated) or _ANYONE.match(stated) or " " not in stated:
        return ""
    return f"{stated[0].upper()}{stated[1:]}."


def held_against(
    selection: Selection, stated: Query, document: Document, sentences: SentenceVectors, entailer: Entailer
) -> Selection:
    """The selection, led by the sentences of the best paper that deny what is stated, the one that does most first.

    As it is where they do not surely.
    """
    near = nearest_sentences(stated, document, sentences, most=SENTENCES)
    texts = [item.text for item in near]
    both = " ".join(as_written(near))
    shown = [*texts, *(titled(document.title, text) for text in texts), both]
    denials = [found.contradicted for found in entailer.entail([(text, stated.text) for text in shown])]
    alone, under_title, together = denials[: len(near)], denials[len(near) : -1], denials[-1]
    sure = min(max(alone), max(under_title), together)  # however it is looked at
    objection = guards.object_to(stated.text, both, context=context_of(document))
    if sure < DENIED_FROM or (objection and objection.guard == "names"):
        return selection
    denying = [item for item, _ in sorted(zip(near, alone, strict=True), key=lambda pair: -pair[1])]
    others = [item for item in selection.evidence if item.chunk not in {own.chunk for own in denying}]
    signals = replace(selection.signals, denied=sure)
    return replace(selection, evidence=(*denying, *others[: len(selection.evidence) - 1]), signals=signals)
