"""Training groups that ask a named paper for something: it speaks of that, or a paper like it does.

A name finds its paper whatever is asked about it, so a reader has to learn that this is not enough.
Phrases out of abstracts stand for what people ask. A phrase of the paper's own is answered by a
sentence that has it; the phrase of a neighbour, of which the paper has no word, by none.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from eval.train.corpora import Row
from rag.library.lexical import terms
from rag.words import words

_NAMED = re.compile(r"^([A-Z][A-Za-z0-9+-]*[A-Z0-9][A-Za-z0-9+-]*): ")
_BREAKS = re.compile(
    r"[^\w\s-]|\d\S*|\b(?:a|an|the|of|in|on|for|with|to|and|or|by|from|as|at|is|are|was|were|be|been|we|our|their|its|it"
    r"|this|that|these|those|which|can|not|also|than|such|both|into|over|between|under|more|most|show|shows|using|used"
    r"|use|based|have|has|while|when|where|via|two|three|many|several|all|each|other|new|novel|existing|recent)\b",
    re.IGNORECASE,
)
_COMMON = 0.004  # of all papers: a phrase in more of them says little
_FORMS = (
    "What {a} does {n} use?",
    "What {a} was used in {n}?",
    "Which {a} did they choose for {n}?",
    "What does {n} say about {a}?",
    "How does {n} deal with {a}?",
    "Does {n} address {a}?",
    "Do the findings of {n} hold for {a}?",
    "How does {n} perform on {a}?",
    "How does {n} compare with {a}?",
    "How much does {a} matter in {n}?",
    "How many {a} are there in {n}?",
    "What role does {a} play in {n}?",
    "{n} {a}",
)


def name_of(title: str) -> str:
    """What a paper calls its subject, before a colon: `BERT` in `BERT: Pre-training of …`, or nothing."""
    named = _NAMED.match(title)
    return named[1] if named else ""


def phrases(text: str) -> list[str]:
    """Runs of two or three plain lower-case words between stop words and punctuation."""
    runs = (part.split() for part in _BREAKS.split(text))
    return [" ".join(run) for run in runs if 2 <= len(run) <= 3 and all(re.fullmatch(r"[a-z-]{3,}", w) for w in run)]


def aspects(
    papers: Sequence[Row], neighbours: Sequence[Sequence[int]], chance: random.Random
) -> Iterator[tuple[Row, str, frozenset[int] | None]]:
    """For each paper that has a name, a question it answers and one it does not.

    Yields (paper, question, the sentences that answer, by index); `None` where nothing in it does.
    """
    own = [[phrases(sentence) for sentence in row["sentences"]] for row in papers]
    seen = Counter(phrase for found in own for phrase in {p for sentence in found for p in sentence})
    asked = {phrase for phrase, papers_with in seen.items() if 2 <= papers_with <= max(2, _COMMON * len(papers))}
    for row, found, near in zip(papers, own, neighbours, strict=True):
        own_name = name_of(row["title"])
        name = own_name if own_name and chance.random() < 0.9 else f"the paper on {_topic(row['title'])}"
        present = sorted({p for sentence in found for p in sentence if p in asked})
        stems = set(terms(" ".join([row["title"], *row["sentences"]])))
        absent = sorted(
            {p for other in near for s in own[other] for p in s if p in asked and not stems & set(terms(p))}
        )
        if not present or not absent:
            continue
        phrase = chance.choice(present)
        answering = {at for at, sentence in enumerate(found) if phrase in sentence}
        answering |= {at for at, s in enumerate(row["sentences"]) if set(terms(phrase)) <= set(terms(s))}
        yield row, _question(name, phrase, chance), frozenset(answering)
        yield row, _question(name, chance.choice(absent), chance), None


def _question(name: str, phrase: str, chance: random.Random) -> str:
    form = chance.choice(_FORMS if phrase.endswith("s") else [f for f in _FORMS if not f.startswith("How many")])
    asked = form.format(n=name, a=phrase)
    return asked[0].upper() + asked[1:]


def _topic(title: str) -> str:
    short = re.split(r"[:?]| via | with | for ", title)[0]
    return " ".join(words(short)[:8])
