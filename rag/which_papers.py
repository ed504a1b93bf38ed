"""Questions that ask for papers ("Which papers …?") rather than for what a paper says.

Their frame fits every paper of a library alike, or worse: some say "this paper" and others don't. So it is
taken off before anything is looked for.
"""

from __future__ import annotations

import re

from rag.followup import with_topic, without_topic
from rag.library.lexical import terms

_FRAME = re.compile(
    r"\b(?:(?:in|of)\s+)?(?:"
    r"(?:which|what|list|name|find|show|any|all|every|how many|looking for"
    r"|^(?:(?:can|could) you )?(?:please )?(?:recommend|suggest|give me))\s+"
    r"(?P<kind>(?:(?!(?:do|does|did|is|are|was|were|made|makes)\b)[\w'-]+,?\s+){0,4}?)"
    r"(?:papers?|studies|articles?|abstracts?|publications|preprints|manuscripts|trials|authors|researchers)"
    r"(?<!how many trials)"
    r"(?<!\buser studies)(?<!\bcase studies)(?<!\bablation studies)(?<!\bcohort studies)(?<!\bpilot studies)"
    r"(?!\s+(?:did|was|were)\s+(?!about\b|on\b))"  # of studies that a paper made or counts
    r"|^(?:papers|studies|articles|literature|research)(?=\s+(?:on|about)\b)"
    r"|(?:which|what|list|name|find|show|any|all|every)\s+(?:(?:of\s+)?the\s+|other\s+|recent\s+)*works"
    r"(?!\s+(?:best|better|well|worst|worse|for|with|like|on|as)\b)"
    r")\b",
    re.IGNORECASE,
)
# How a paper has to do with something: what is asked for is the something.
_SAYS = re.compile(
    r"\b(?:(?:is|are|was|were|do|does|did|has|have|been|being|be)\s+)?(?:"
    r"mention(?:s|ed|ing)?|discuss(?:es|ed|ing)?|com(?:e|es|ing) up|talk(?:s|ed|ing)? (?:of|about)|"
    r"deal(?:s|t|ing)? with|touch(?:es|ed|ing)? (?:on|upon)|address(?:es|ed|ing)?|cover(?:s|ed|ing)?|"
    r"concern(?:s|ed|ing)?|about)\b",
    re.IGNORECASE,
)
# The same at once behind the papers, where a word that may also be what is asked for can mean nothing else.
_STUDIES = re.compile(
    r"^\W*(?:(?:that|which|who)\s+)?(?:(?:is|are|was|were|do|does|did|has|have|been)\s+)?(?:"
    r"stud(?:y|ies|ied|ying)|investigat(?:e|es|ed|ing)|examin(?:e|es|ed|ing)|explor(?:e|es|ed|ing)"
    r"|analy[sz](?:e|es|ed|ing)|consider(?:s|ed|ing)?|look(?:s|ed|ing)? (?:at|into)|focus(?:es|ed|ing)? on"
    r"|relat(?:e|es|ed|ing) to|(?:some|any)thing to do with|on)\s+",
    re.IGNORECASE,
)


def lists(question: str) -> bool:
    """Whether a standalone question asks for papers; that the one before it did is no matter."""
    return bool(_FRAME.search(without_topic(question)[0]))


def topic(question: str) -> str:
    """What the papers that a standalone question asks for are about; another question as it is.

    What it goes on about is taken out of such a question as well.
    """
    sought = with_topic(*map(_unframed, without_topic(question)))
    return sought if terms(sought) else question


def _unframed(text: str) -> str:
    frame = _FRAME.search(text)
    if not frame:
        return text
    rest = f"{text[: frame.start()]} {frame['kind'] or ''} {_STUDIES.sub('', text[frame.end() :])}"
    return " ".join(_SAYS.sub(" ", rest).split())
