"""What an answer conveys, told by its words: the model-free judge of correctness and coverage.

Figures must be right to the digit, names with a digit to the letter; of the other words a share must
be there, by stem. Words are seen and not how they are put: "does not train faster" conveys "trains
faster". Whether the answer contradicts its evidence is told by `faithfulness`.
"""

from __future__ import annotations

from itertools import pairwise

from rag.cite import read_draft
from rag.figures import figures
from rag.library.lexical import terms
from rag.words import name_key, names, words

# A key fact has about four content words: one of them may be put otherwise.
ENOUGH = 0.75
_ANY_NUMBER = 999  # markers have at most three digits


def plain(text: str) -> str:
    """The text without its footnote markers, which are no figures of the answer."""
    return " ".join(sentence.text for sentence in read_draft(text, shown=_ANY_NUMBER))


def content(text: str) -> list[str]:
    """The stems of a text without markers and function words, in order, repeats included."""
    return terms(plain(text))


def conveys(fact: str, answer: str) -> bool:
    """Whether the answer has every figure of the fact and enough of its other words.

    A figure is there if its value is, with the same unit or with none on one side. A fact without
    content ("not all of them") must be there word for word. An empty fact is never conveyed.
    """
    fact, said = plain(fact), plain(answer)
    if not all(any(map(figure.says, figures(said))) for figure in figures(fact)):
        return False
    if not all(_has_name(name, said) for name in _numbered_names(fact)):
        return False
    wanted = _without_figures(fact)
    if wanted:
        return len(wanted & set(terms(said))) >= ENOUGH * len(wanted)
    return bool(figures(fact)) or _word_for_word(words(fact), words(said))


def stem_share(text: str, answer: str) -> float:
    """Distinct stems of the text that the answer has / distinct stems of the text; 0 if there are none."""
    wanted = set(content(text))
    return len(wanted & set(content(answer))) / len(wanted) if wanted else 0.0


def _numbered_names(fact: str) -> set[str]:
    """`GPT-4o`, `t5`; not `2-27B`, which is figures."""
    mixed = {word for word in words(fact) if any(map(str.isalpha, word)) and not figures(word)}
    numbered = {name for name in {*mixed, *names(fact)} if any(map(str.isdigit, name))}
    return {name_key(name) for name in numbered if not (name[0].isdigit() and figures(name))}


def _has_name(key: str, said: str) -> bool:
    """Whether the name is there, as one word or two: `GPT-4`, `GPT 4`."""
    spoken = words(said)
    pairs = (first + second for first, second in pairwise(spoken))
    return any(name_key(word) == key for word in (*spoken, *pairs))


def _without_figures(fact: str) -> set[str]:
    checked = {term for figure in figures(fact) for term in terms(figure.text)}
    return {term for term in terms(fact) if term not in checked and not term.isdigit()}


def _word_for_word(wanted: list[str], spoken: list[str]) -> bool:
    places = range(len(spoken) - len(wanted) + 1)
    return bool(wanted) and any(spoken[place : place + len(wanted)] == wanted for place in places)
