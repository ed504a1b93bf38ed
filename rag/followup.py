"""A follow-up question → the standalone question that is searched and shown.

By rule, because the default generator cannot be trusted with it: a question leans on the conversation
when it goes on with it, is too short to have a subject, or has a pronoun before anything that it could stand
for. Its "it" gives way to what the last question was about, where that has a name. Else what it leans on, the
names and the topic of the last exchange that it does not mention itself, is put behind it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from rag.library.lexical import terms
from rag.text import fold, sentences, whole
from rag.types import Turn
from rag.words import name_key, names, words

_OKAY = r"(?:ok(?:ay)?,? )?"
_BACK_TO = r"(?:(?:going|coming|let's go) )?back to"
_GOES_ON = re.compile(
    rf"{_OKAY}(?:and|but|or|so|then|also|same|what about|how about|which ones?|what else|how so|how come|as for"
    rf"|{_BACK_TO})\b",
    re.IGNORECASE,
)
_POINTS = re.compile(
    r"\b(?:it|its|it's|they|them|their|theirs|he|she|his|her|this|these|those|in there|that way|such an?|ones"
    r"|the (?:former|latter|others?|rest|previous)|the (?:first|second|third|last)(?: one)?(?=\?)|above|mentioned"
    r"|(?:is|was|are|does|did|do|doesn't|isn't|can|could|would|will|than|like|of|for|with|by|from|about|on|at|why|how"
    r"|beyond|besides) that)\b",
    re.IGNORECASE,
)
# In a question of few words without a name, these are hints enough: of the dev questions, one of them stands alone.
_HINTS = re.compile(
    r"^(?:why|any)\b|\b(?:that|one|same|others?|another|both|also|too|either|neither|else|again|instead)\b"
    r"|\bthe (?:(?:first|second|third|last|other|\w+ed) )?(?:paper|study|article|authors|data|datasets?|models?"
    r"|methods?|approach|technique|benchmarks?|systems?|results|experiments|evaluation|framework|limitations|code)\b"
    r"(?! (?:of|on|by|about|behind|that|which|who|in|from|for|with|called)\b)"
    r"|\b(?:is|are|was|were|do|does|did) the \w+ (?!.*\b(?:of|on|by|about|for|in|from|with)\b)\w|\bthe \w+\?$",
    re.IGNORECASE,
)
_HINTED_WORDS = 9
# A question of nothing but words that fit any study asks about the one that was spoken of.
_OF_ANY_STUDY = frozenset(
    terms(
        "adults adverse age analysis analyzed animals approach assessed assigned baselines benchmarks bigger "
        "carried caused change children code collected compare compute conclusion conducted control cost data "
        "datasets different divided dose drug duration effects enrolled evaluated excluded experiments failed "
        "found given group happen help higher hospital hours improve included kind larger last limitations long "
        "lower main many measured men method metrics mice models months much needed number observed obtained "
        "outcomes part participants participated patients people performance performed placebo primary "
        "published randomized reasons recruited reduced related repeated reported results run sample scores sex "
        "show side significant size small smaller statistically studied study subjects suggest symptoms take "
        "taken task tested time took train trained treated treatment trial used volunteers weeks women work "
        "worse years"
    )
)
_POSSESSIVES = frozenset(("its", "their"))
_STANDS_FOR_NOTHING = re.compile(
    r"it (?:take|cost|mean|matter|necessary|possible|true|known|been)\b|(?<=be )it\b", re.IGNORECASE
)
_IT = re.compile(r"its?", re.IGNORECASE)
_HAS_VERB = re.compile(r"\b(?:is|are|was|were|do|does|did|can|could|will|would|has|have|had|should)\b", re.IGNORECASE)
_AUXILIARY = re.compile(r"\b(?:is|was|does|can|could)\s", re.IGNORECASE)  # of "What did X find?" it is not X
_DEFINES = re.compile(r"(?:what(?:['’]s| is| are)|define|explain)\s(?!the\b)", re.IGNORECASE)
# Most pronouns behind so many words stand for one of them: of the dev questions, 2 of 28 follow-ups are missed so,
# and 3 of 300 whole questions in whole sentences are taken for one.
_ANTECEDENT_WORDS = 4
_PAPERS = re.compile(
    r"(?:which|what|list|name|find|show)\s(?:me\s)?(?:the\s|all\s)*(?:papers|studies|articles|trials)\b", re.I
)
_PAPER_TERMS = frozenset(terms("papers studies study articles trials list name find show"))
_SELF_CONTAINED_WORDS = 5  # a question of fewer words without a name of its own is an ellipsis
_TOPIC_WORDS = 14
_ABOUT = " (about: "
_BACK = re.compile(rf"{_OKAY}{_BACK_TO}\b", re.IGNORECASE)
_INSTEAD = re.compile(
    rf"{_OKAY}(?:(?:and|but|or|so) )?(?:(?:what about|how about|as for|for|with) )?(?:the )?", re.IGNORECASE
)
# What is asked of an answer rather than of the papers is no topic.
_OF_ANSWERS = frozenset(
    terms(
        "thanks please tell give more details explain elaborate summarize shorter longer simpler words sentence example"
    )
)
_LEAST_ADDED = 2  # content words


def leans_on_history(question: str) -> bool:
    """Whether the question cannot be understood alone."""
    if _GOES_ON.match(question):
        return True
    if not names(question):
        length = len(words(question))
        if length < _SELF_CONTAINED_WORDS and not _DEFINES.match(question) and not _asks_for_papers(question):
            return True
        if length < _HINTED_WORDS and (_HINTS.search(question) or _fits_any_study(question)):
            return True
    return _has_pointer(question)


def _fits_any_study(question: str) -> bool:
    return not (_DEFINES.match(question) or _PAPERS.match(question)) and set(terms(question)) <= _OF_ANY_STUDY


def _has_pointer(question: str) -> bool:
    """Whether it has a pronoun for something that was said before."""
    return any(_points_back(pointer, question) for pointer in _POINTS.finditer(question))


def _asks_for_papers(question: str) -> bool:
    """Whether it asks for papers about something that it names."""
    return bool(_PAPERS.match(question) and set(terms(question)) - _PAPER_TERMS)


def _points_back(pointer: re.Match[str], question: str) -> bool:
    """Whether a pronoun stands for something that was said before the question."""
    before = question[: pointer.start()]
    if pointer.group().lower() in _POSSESSIVES and names(before):
        return False
    if _STANDS_FOR_NOTHING.match(question, pointer.start()) and len(set(terms(question))) >= _ANTECEDENT_WORDS:
        return False
    return len(set(terms(before))) < _ANTECEDENT_WORDS


def standalone(question: str, history: Sequence[Turn], *, goes_on: bool = False) -> str:
    """Rewrite a follow-up so that it can be searched alone; any other question is returned folded.

    The rewritten form is the question itself: with what its "it" stands for in its place, else with its topic
    behind it in brackets. One that `goes_on` in the same breath is a follow-up unless it names something itself.
    """
    question = fold(question)
    if not history or not (leans_on_history(question) or (goes_on and not names(question))):
        return question
    return _rewritten(question, _as_read(history))


def _as_read(history: Sequence[Turn]) -> list[Turn]:
    """The turns with standalone questions, for some who give a history tell what was typed."""
    read: list[Turn] = []
    for turn in history:
        asked = whole(turn.question)
        if read and _ABOUT not in asked and leans_on_history(asked):
            asked = _rewritten(asked, read)
        read.append(Turn(asked, whole(turn.answer)))
    return read


def _rewritten(question: str, history: Sequence[Turn]) -> str:
    return _resolved(question, history[-1]) or with_topic(question, _topic(question, history))


def _resolved(question: str, last: Turn) -> str:
    """The question with a name for its "it", where that can only be what the last one was about; else nothing."""
    pointers = list(_POINTS.finditer(question))
    is_whole = _HAS_VERB.search(question) and not _BACK.match(question)
    if not pointers or not is_whole or not all(_IT.fullmatch(found[0]) for found in pointers):
        return ""
    first = pointers[0]
    if names(question[: first.start()]):
        return ""  # then that may be what it stands for
    subject = next((name for text in without_topic(last.question) if (name := _subject(text))), "")
    if not subject or _STANDS_FOR_NOTHING.match(question, first.start()):
        return ""
    own = "'s" if first[0].lower() == "its" else ""
    return f"{question[: first.start()]}{subject}{own}{question[first.end() :]}"


def _subject(question: str) -> str:
    """The name that a question asks about, right behind its auxiliary, with its number: `Gemma 2`."""
    found = _AUXILIARY.search(question)
    known = set(names(question))
    subject: list[str] = []
    for word in question[found.end() :].split() if found else ():
        bare = word.rstrip("?.,;:!")
        if bare not in known and not (subject and re.fullmatch(r"\d[\w.]*", bare)):
            break
        subject.append(bare)
        if bare != word:
            break
    return " ".join(subject)


def with_topic(asked: str, topic: str) -> str:
    """A standalone question, made of what is asked and the topic, if there is one."""
    return f"{asked}{_ABOUT}{topic})" if topic else asked


def without_topic(standalone_question: str) -> tuple[str, str]:
    """What a standalone question asks, and the topic that was put behind it, which may be empty."""
    asked, _, topic = standalone_question.partition(_ABOUT)
    return asked, topic.removesuffix(")")


def asked_length(standalone_question: str) -> int:
    """How much of a standalone question is asked; what follows is the topic that was put behind it."""
    return len(without_topic(standalone_question)[0])


def _topic(question: str, history: Sequence[Turn]) -> str:
    """What the latest exchange that names something was about, else the words of its question."""
    own = {name_key(name) for name in names(question)}
    if own and _BACK.match(question):
        return ""  # it says itself what it goes back to
    if own and _is_instead(question):
        asked, about = without_topic(history[-1].question)
        left = _unnamed(about if about and (_is_instead(asked) or not _adds(asked, about)) else asked)
        return _shortened(left) if set(terms(left)) - _OF_ANSWERS else ""
    for turn in reversed(history):
        asked, about = without_topic(turn.question)
        if about and (_has_pointer(asked) or not _others(asked, own)):  # it went on about the same
            if found := [*_others(about, own), *_others(asked, own)]:
                goes_on = not _has_pointer(question) and _adds(asked, about)
                return _shortened(f"{about}; {asked}" if goes_on else about, found)
        elif found := _others(asked, own):
            return _shortened(asked, found)
        if told := [name for text in sentences(turn.answer)[:1] for name in _others(text, own)]:
            return fold(f"{' '.join(told[:3])}; {_shortened(about or asked)}")
    asked, about = without_topic(history[-1].question)
    return _shortened(about or asked)


def _is_instead(question: str) -> bool:
    """Whether it asks the last question of something else, and says no more than of what, as `And for LoRA?` does."""
    led = _INSTEAD.match(question)
    return led is not None and words(_unnamed(f"of {question[led.end() :]}")) == ["of"]


def _unnamed(question: str) -> str:
    """What is asked, of whatever it is."""
    for name in names(question):
        question = re.sub(rf"\b{re.escape(name)}(?:['’]s)?(?:\s\d+(?:\.\d+)*)?", "…", question)
    return question


def _adds(asked: str, about: str) -> bool:
    """Whether a follow-up says anything of its own that the next one may go on with."""
    return bool(names(asked)) or len(set(terms(asked)) - set(terms(about)) - _OF_ANSWERS) >= _LEAST_ADDED


def _others(text: str, own: Collection[str]) -> list[str]:
    """The names of a text that are not among `own`, each with its number: `Gemini 1.5`."""
    others = [name for name in dict.fromkeys(names(text)) if name_key(name) not in own]
    numbered = [re.search(rf"\b{re.escape(name)} \d+(?:\.\d+)*\b", text) for name in others]
    return [found.group() if found else name for name, found in zip(others, numbered, strict=True)]


def _shortened(question: str, must: Sequence[str] = ()) -> str:
    kept = " ".join(fold(question).rstrip("?").split()[:_TOPIC_WORDS]).rstrip(";?")
    return " ".join([kept, *(name for name in must if name not in kept)])
