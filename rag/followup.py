"""A follow-up question → the standalone question that is searched and shown.

By rule, because the default generator cannot be trusted with it: a question leans on the conversation
when it has a pronoun or ellipsis where its subject should be. What it leans on, the names and the
topic of the last exchange that it does not mention itself, is put into it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import fold, sentences
from rag.types import Turn
from rag.words import name_key, names, words

_LEANS = re.compile(
    r"\b(?:it|its|it's|they|them|their|theirs|he|she|his|her|this|that|these|those|there|former|latter|one|ones"
    r"|same|such|others?|another|both|also|too|either|neither|else|again|instead|previous|above|mentioned)\b"
    r"|^(?:and|but|or|so|what about|how about|why|how so|which ones?|any|then|what else|how come)\b",
    re.IGNORECASE,
)
_SELF_CONTAINED_WORDS = 5  # a question of fewer words without a name of its own is an ellipsis
_TOPIC_WORDS = 14
_ABOUT = " (about: "


def leans_on_history(question: str) -> bool:
    """Whether the question cannot be understood alone."""
    own_names = names(question)
    if not own_names and len(words(question)) < _SELF_CONTAINED_WORDS:
        return True
    return bool(_LEANS.search(question))


def standalone(question: str, history: Sequence[Turn]) -> str:
    """Rewrite a follow-up so that it can be searched alone; any other question is returned folded.

    The rewritten form is the question itself with its topic behind it in brackets.
    """
    question = fold(question)
    if not history or not leans_on_history(question):
        return question
    topic = _topic(question, history)
    return f"{question.rstrip()}{_ABOUT}{topic})" if topic else question


def asked_length(standalone_question: str) -> int:
    """How much of a standalone question is asked; what follows is the topic that was put behind it."""
    asked, _, _ = standalone_question.partition(_ABOUT)
    return len(asked)


def _topic(question: str, history: Sequence[Turn]) -> str:
    """Names of the latest exchange that has any, else the words of its question."""
    own = {name_key(name) for name in names(question)}
    for turn in reversed(history):
        asked = [name for name in dict.fromkeys(names(turn.question)) if name_key(name) not in own]
        opening = sentences(turn.answer)[:1]
        told = [name for text in opening for name in dict.fromkeys(names(text)) if name_key(name) not in own]
        if asked or told:
            subject = " ".join(dict.fromkeys([*asked, *told[:3]]))
            return fold(f"{subject}; {_shortened(turn.question)}") if not asked else _shortened(turn.question, asked)
    return _shortened(history[-1].question)


def _shortened(question: str, must: Sequence[str] = ()) -> str:
    kept = fold(question).rstrip("?").split()[:_TOPIC_WORDS]
    missing = [name for name in must if name not in " ".join(kept)]
    return " ".join([*kept, *missing])
