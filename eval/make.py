"""Questions out of any library, without a person: for a corpus that nobody has written questions for.

Number and name questions leave a gap in a sentence that the paper has; known-item questions ask which
paper says something, its names taken out; of each answerable question a twin is asked while its paper is
hidden, and must be left unanswered. They are easier than what people ask, and good for comparing settings.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from eval.dataset import GoldSentence, Question
from rag.figures import figures
from rag.text import fold, sentences
from rag.types import Document
from rag.words import names

_GAP = "____"
_ROUNDS = 3  # questions about one paper at most
_SHORTEST, _LONGEST = 60, 320  # characters of a sentence that a question is made of


def make_questions(documents: Sequence[Document], *, most: int, seed: int = 0) -> list[Question]:
    """About `most` questions, a third of them unanswerable because their paper is hidden; the same seed, the same.

    Fewer where the papers have too few sentences with figures and names.
    """
    chance = random.Random(seed)
    order = chance.sample(list(documents), len(documents))
    found: dict[str, Question] = {}
    for round_number in range(1, _ROUNDS + 1):
        for document in order:
            question = _one(document, round_number, chance)
            if question and len(found) < most - most // 3:
                found.setdefault(question.question, question)
    answerable = list(found.values())
    return [*answerable, *(_hidden(question) for question in answerable[: min(most // 3, len(answerable) // 2)])]


def _one(document: Document, round_number: int, chance: random.Random) -> Question | None:
    """A question about one paper, of a kind that falls to it by lot, or of another if that does not fit."""
    usable = [s for s in sentences(document.text) if _SHORTEST <= len(s) <= _LONGEST]
    for make in chance.sample([_number, _name, _known_item], 3):
        for sentence in chance.sample(usable, len(usable)):
            made = make(fold(sentence), document)
            if made:
                kind, text, answer = made
                return Question(
                    f"made-{kind}-{document.id[:12]}-{round_number}",
                    f"made_{kind}",
                    text,
                    (),
                    answer,
                    (answer,) if kind != "known_item" else (fold(document.title) or fold(sentence),),
                    (document.source,),
                    (GoldSentence(document.source, sentence),),
                    answerable=True,
                )
    return None


def _number(sentence: str, document: Document) -> tuple[str, str, str] | None:
    numbers = [figure.text for figure in figures(sentence) if any(char.isdigit() for char in figure.text)]
    return _with_gap(sentence, numbers, "number", document)


def _name(sentence: str, document: Document) -> tuple[str, str, str] | None:
    return _with_gap(sentence, [name for name in names(sentence) if len(name) > 3], "name", document)


def _with_gap(sentence: str, answers: Sequence[str], kind: str, document: Document) -> tuple[str, str, str] | None:
    """A question for the longest of the answers, but not for what the title tells or is no word of the sentence."""
    usable = {answer: _without(answer, sentence) for answer in answers if answer not in document.title}
    gapped = {answer: text for answer, text in usable.items() if text != sentence}
    if not gapped or not document.title:
        return None
    answer = max(gapped, key=len)
    return kind, f"Which {kind} belongs in the gap, according to “{fold(document.title)}”: {gapped[answer]}", answer


def _without(answer: str, sentence: str) -> str:
    return re.sub(rf"(?<![\w.,]){re.escape(answer)}(?!\w|[.,]\d)", _GAP, sentence)


def _known_item(sentence: str, document: Document) -> tuple[str, str, str] | None:
    """What a sentence says, without its names and figures, as a search for its paper."""
    text = re.sub(r"^(?:In this (?:paper|work|article|study),? )?[Ww]e ", "", sentence).rstrip(".")
    for name in sorted(set(names(text)), key=len, reverse=True):
        text = text.replace(name, "it")
    if text == sentence.rstrip(".") or len(text.split()) < 8:
        return None
    said = f"Which paper's authors {text[0].lower()}{text[1:]}?"
    return "known_item", said, fold(document.title) or sentence


def _hidden(question: Question) -> Question:
    """The same question, asked while its paper cannot be seen."""
    return Question(
        f"{question.id}-hidden",
        "made_hidden",
        question.question,
        (),
        "",
        (),
        (),
        (),
        answerable=False,
        without=question.gold_sources,
    )
