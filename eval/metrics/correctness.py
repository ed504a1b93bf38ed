"""Whether an answer says what the gold answer says, told without a model, and how long it is.

Where nothing is given as right there is no value; where nothing is said there is 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from eval.metrics.share import Share, counted, harmonic
from eval.metrics.wording import content, conveys, plain
from rag.text import sentences
from rag.words import words

Conveyed = Callable[[str, str], float | None]  # of (text, answer): whether, or how far, the answer says it


def key_facts(facts: Sequence[str], answer: str, *, conveyed: Conveyed = conveys) -> Share:
    """Key facts that the answer conveys / key facts; `None` without one. Figures must be exact."""
    return counted(conveyed(fact, answer) for fact in facts)


def token_f1(answer: str, gold: str) -> float | None:
    """F1 of the content words of both, by stem, repeats counted; `None` if the gold answer has none.

    Precision: common / of the answer; recall: common / of the gold answer.

    Source: Rajpurkar et al., SQuAD, EMNLP 2016; there with function words, and without stems.
    """
    said, wanted = Counter(content(answer)), Counter(content(gold))
    if not wanted:
        return None
    common = (said & wanted).total()
    return harmonic(common / said.total() if said else 0.0, common / wanted.total())


def sentence_recall(gold: str, answer: str, *, conveyed: Conveyed = conveys) -> Share:
    """Sentences of the gold answer that the answer conveys / sentences of the gold answer.

    Source: claim recall of ALCE, arXiv:2305.14627, with sentences as claims.
    """
    return counted(conveyed(sentence, answer) for sentence in sentences(gold))


def length(answer: str) -> int:
    """Words, markers not counted."""
    return len(words(plain(answer)))
