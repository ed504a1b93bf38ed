"""Training examples for the answerer: a question, numbered evidence, and the answer with its markers.

The evidence is what the product shows: the sentences that answer among others of the same papers and
of papers like them. The answer says those that answer, shortened by rule, each followed by its number;
where none answers, it is the fixed token. Sentences that a person wrote are taken only where they keep
to the words of the evidence, and what a guard objects to is left out.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.train.answerer_wording import focused, shortened
from eval.train.aspect_data import aspects, name_of, phrases
from eval.train.corpora import Row, papers, rows
from eval.train.entailer_data import nearest
from eval.train.reader_data import answer_spans, neighbours_of
from rag import guards
from rag.answer import DECLINES, prompt
from rag.cite import Evidence
from rag.library.lexical import terms
from rag.overlap import keeps_to
from rag.text import fold, sentence_spans, sentences
from rag.types import Chunk, Document

# Questions that people asked, with the span that answers, and how many to take of each: CC BY, Apache-2.0, MIT.
SPANS = {
    "qa_squadshifts_new_wiki": 180,
    "qa_covid_qa": 120,
    "qa_bioasq_abstract_snippets": 120,
    "qa_evidence_inference_v2": 80,
}
EXPERTS = 500  # questions of physicians, with the snippets that answer
ASPECTS = 480  # named papers asked for something that they have, some also for what they lack
STATEMENTS = 480  # papers asked what they propose, find, measure
LISTS = 280  # several papers asked together
_POOL = 6_000  # papers looked at
_DECLINED = 0.35  # share of the papers' aspects that are asked in vain
_WITHHELD = 0.08  # share of the other examples from which the evidence that answers is taken
_LONGEST_SAID = 42  # words of a sentence of an answer
_LONGEST_SHOWN = 450  # characters of a sentence of evidence

Shown = tuple[str, str]  # a paper's title and a sentence of it


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its evidence in the order of its numbers, and the answer to be written."""

    question: str
    evidence: tuple[Shown, ...]
    answer: str
    kind: str

    @property
    def prompt(self) -> str:
        """The user message, as the product writes it."""
        return prompt(self.question, [_evidence(title, sentence) for title, sentence in self.evidence])


def build(data: Path, papers_file: Path, *, leave_out: frozenset[str], seed: int = 0) -> list[Example]:
    """All examples, shuffled; the same seed gives the same. Raises BadInputError for a missing set."""
    chance = random.Random(seed)
    found: list[Example] = []
    for name, most in SPANS.items():
        found += _of_spans(rows(data, name), name, most, chance)
    found += _of_experts(rows(data, "aux_bioasq_golden"), chance)
    pool = papers(papers_file, most=_POOL, seed=seed + 2, leave_out=leave_out)
    neighbours = list(neighbours_of([f"{row['title']} {' '.join(row['sentences'])[:300]}" for row in pool]))
    found += _of_aspects(pool, neighbours, chance)
    found += _of_statements(pool, neighbours, chance)
    found += _of_lists(pool, neighbours, chance)
    chance.shuffle(found)
    return found


def said_of(sentence: str, wanted: frozenset[str], *, title: str = "", whole: bool = False) -> str:
    """The sentence as an answer says it; empty when that would be long, or depart from the evidence."""
    said = shortened(sentence) if whole else focused(sentence, wanted)
    if not 5 <= len(said.split()) <= _LONGEST_SAID or not keeps_to(said, sentence):
        return ""
    return "" if guards.object_to(said, sentence, context=title) else said


def _of_spans(found: Sequence[Row], kind: str, most: int, chance: random.Random) -> Iterator[Example]:
    """Passages as papers: the sentence that has the span answers."""
    usable = [row for row in found if answer_spans(row)]
    chosen = chance.sample(usable, min(most, len(usable)))
    neighbours = neighbours_of([f"{row['question']} {row['passage'][:400]}" for row in chosen])
    for at, (row, near) in enumerate(zip(chosen, neighbours, strict=True)):
        spans = answer_spans(row)
        wanted = frozenset(terms(f"{row['question']} {row['answer']}"))
        right: list[Shown] = []
        wrong: list[Shown] = []
        for start, end in sentence_spans(row["passage"]):
            sentence = (f"Passage {at}", fold(row["passage"][start:end]))
            (right if any(start <= answer < end for answer, _ in spans) else wrong).append(sentence)
        others = [
            (f"Passage {other}", fold(text))
            for other in near[:2]
            if chosen[other]["passage"][:100] != row["passage"][:100]
            for text in sentences(chosen[other]["passage"])[:2]
        ]
        yield from _example(row["question"], right[:2], [*wrong, *others], wanted, kind, chance)


def _of_experts(found: Sequence[Row], chance: random.Random) -> Iterator[Example]:
    """The snippets that an expert marked, those that share most with the expert's own answer first."""
    chosen = chance.sample(found, min(EXPERTS, len(found)))
    neighbours = neighbours_of([f"{row['question']} {' '.join(row['snippets'])[:300]}" for row in chosen])
    for row, near in zip(chosen, neighbours, strict=True):
        ideal = row["ideal"] or [""]
        answer = fold(ideal if isinstance(ideal, str) else ideal[0])
        wanted = frozenset(terms(f"{row['question']} {answer}"))
        own = [fold(part) for snippet in row["snippets"] for part in sentences(snippet)]
        best = nearest(answer, list(dict.fromkeys(own)), chance.choice((1, 1, 2)))
        rest = [part for part in dict.fromkeys(own) if len(wanted & set(terms(part))) < 0.2 * len(wanted)]
        others = [("Other", fold(s)) for other in near[:3] for s in sentences(" ".join(chosen[other]["snippets"]))[:2]]
        right = [("Snippets", part) for part in best]
        yield from _example(
            row["question"], right, [*(("Snippets", r) for r in rest), *others], wanted, "expert", chance
        )


def _of_aspects(pool: Sequence[Row], neighbours: Sequence[Sequence[int]], chance: random.Random) -> Iterator[Example]:
    """A named paper asked for a phrase of its own, or of a neighbour's: then none answers."""
    near_of = {row["title"]: near for row, near in zip(pool, neighbours, strict=True)}
    for row, question, answering in list(aspects(pool, neighbours, chance))[: 2 * ASPECTS]:
        title, parts = row["title"], row["sentences"]
        has = answering or frozenset()
        wanted = frozenset(terms(question)) - frozenset(terms(title))
        right = [(title, parts[at]) for at in sorted(has)]
        wrong = [(title, part) for at, part in enumerate(parts) if at not in has]
        others = [(pool[n]["title"], part) for n in near_of[title][:2] for part in pool[n]["sentences"][:2]]
        if answering is not None:
            yield from _example(question, right[:2], [*wrong, *others], wanted, "aspect", chance)
        elif chance.random() < _DECLINED:
            yield from _declined(question, [*wrong, *others], "aspect", chance)


_PROPOSES = re.compile(r"\b[Ww]e (?:propose|introduce|present|develop|design|release|study|investigate|examine)\b")
_FINDS = re.compile(
    r"\b(?:[Ww]e (?:find|show|demonstrate|observe|prove)|[Rr]esults|[Ee]xperiments|outperform\w*|achieves?)\b"
)
_LACKS = re.compile(r"\b(?:[Hh]owever|suffer|limited|lack|challeng\w+|fail|difficult|costly|expensive)\b")
_COUNT = re.compile(
    r"\b(?:\d[\d,]*[KM]?\+?|three|four|five|six|seven|eight|ten|twelve) ((?:[a-z-]{3,} ){0,1}[a-z-]{3,}s)\b"
)
_SHARE = re.compile(r"\b\d+(?:\.\d+)?(?:%| percent| points|x\b)")
_FORMS = (
    (_PROPOSES, ("What is {n}?", "What do the authors of {n} propose?", "what does {n} do", "Tell me about {n}.",
                 "What is the paper on {t} about?", "What is new in {n}?", "{n}", "How does {n} work?")),
    (_FINDS, ("What did {n} find?", "What are the results of {n}?", "How well does {n} do?", "{n} results",
              "How does {n} compare with other methods?", "What does the work on {t} show?", "And how good is it?")),
    (_LACKS, ("Why was {n} needed?", "What problem does {n} address?", "What is wrong with earlier approaches to {t}?",
              "why is {t} hard?", "What motivates {n}?")),
    (_COUNT, ("How many {c} does {n} have?", "how many {c} are there in {n}?", "How many {c} were used?", "{n} {c}?")),
    (_SHARE, ("By how much does {n} improve?", "How large is the gain of {n}?", "What figures does {n} report?",
              "How much better is {n}?")),
)  # fmt: skip


def _of_statements(
    pool: Sequence[Row], neighbours: Sequence[Sequence[int]], chance: random.Random
) -> Iterator[Example]:
    """Papers asked what they propose, find, miss, count or gain: the first sentences that say so answer."""
    made = 0
    for row, near in zip(pool, neighbours, strict=True):
        title, parts = row["title"], row["sentences"]
        pattern, forms = chance.choice(_FORMS)
        saying = [part for part in parts if pattern.search(part)]
        topic = " ".join(phrases(title.lower())[:1])
        name = name_of(title) or (topic and f"the work on {topic}")
        if not saying or not name or not topic:
            continue
        right = saying[: chance.choice((1, 1, 2, 3))]
        counted = _COUNT.search(right[0])
        question = chance.choice(forms).format(n=name, t=topic, c=counted[1] if counted else "")
        wanted = frozenset(terms(f"{title} {question}"))
        if pattern in (_COUNT, _SHARE):
            right = right[:1]
            wanted |= frozenset(terms(" ".join(match[0] for match in pattern.finditer(right[0]))))
        others = [(pool[n]["title"], part) for n in near[:2] for part in pool[n]["sentences"][:2]]
        wrong = [(title, part) for part in parts if part not in saying]
        whole = pattern in (_PROPOSES, _FINDS)
        for example in _example(
            _capital(question, chance),
            [(title, r) for r in right],
            [*wrong, *others],
            wanted,
            "statement",
            chance,
            whole,
        ):
            made += 1
            yield example
        if made >= STATEMENTS:
            return


_LISTS = (
    "Which papers deal with {p}?", "Which papers use {p}?", "What papers are about {p}?", "List work on {p}.",
    "How do {n} and {m} deal with {p}?", "Compare {n} and {m} on {p}.", "What do {n} and {m} say about {p}?",
    "What do the papers say about {p}?", "papers on {p}",
)  # fmt: skip


def _of_lists(pool: Sequence[Row], neighbours: Sequence[Sequence[int]], chance: random.Random) -> Iterator[Example]:
    """Two to four papers that share a phrase: a sentence of each."""
    having: dict[str, dict[int, str]] = defaultdict(dict)
    for at, row in enumerate(pool):
        for sentence in row["sentences"]:
            for phrase in phrases(sentence):
                having[phrase].setdefault(at, sentence)
    shared = sorted(phrase for phrase, own in having.items() if 2 <= len(own) <= 12)
    for phrase in chance.sample(shared, min(LISTS, len(shared))):
        chosen = chance.sample(sorted(having[phrase]), min(len(having[phrase]), chance.choice((2, 2, 3, 4))))
        right = [(pool[at]["title"], having[phrase][at]) for at in chosen]
        names = [name_of(title) or f"the work on {' '.join(phrases(title.lower())[:1])}" for title, _ in right]
        question = chance.choice(_LISTS).format(p=phrase, n=names[0], m=names[1])
        others = [(pool[n]["title"], pool[n]["sentences"][0]) for n in neighbours[chosen[0]][:2] if n not in chosen]
        yield from _example(question, right, others[: 6 - len(right)], frozenset(terms(phrase)), "list", chance)


def _example(
    question: str,
    right: Sequence[Shown],
    wrong: Sequence[Shown],
    wanted: frozenset[str],
    kind: str,
    chance: random.Random,
    whole: bool = False,
) -> Iterator[Example]:
    """At most one example: what answers, mostly first, among two to five others; sometimes without it."""
    saying = [(shown, said_of(shown[1], wanted, title=shown[0], whole=whole)) for shown in right]
    if not saying or not all(said for _, said in saying):
        return
    if kind != "list" and chance.random() < _WITHHELD:
        yield from _declined(question, [shown for shown in wrong if shown not in right], kind, chance)
        return
    evidence = _shown([shown for shown, _ in saying], wrong, chance)
    if max(len(sentence) for _, sentence in evidence) <= _LONGEST_SHOWN:
        answer = " ".join(f"{said[:-1]} [{evidence.index(shown) + 1}]." for shown, said in saying)
        yield Example(fold(question), tuple(evidence), answer, kind)


def _declined(question: str, wrong: Sequence[Shown], kind: str, chance: random.Random) -> Iterator[Example]:
    evidence = _shown([], wrong, chance)
    if len(evidence) > 1:
        yield Example(fold(question), tuple(evidence), DECLINES, f"{kind}/none")


def _shown(right: Sequence[Shown], wrong: Sequence[Shown], chance: random.Random) -> list[Shown]:
    """What answers and some of the rest, distinct; the best first as the product has it, or in any order."""
    pool = [shown for shown in dict.fromkeys(wrong) if shown not in right and 20 < len(shown[1]) <= _LONGEST_SHOWN]
    near, far = pool[: len(pool) * 2 // 3], pool[len(pool) * 2 // 3 :]
    most = chance.choice((1, 2, 3, 4)) if right else chance.choice((3, 4, 5))
    rest = [*chance.sample(near, min(len(near), most)), *chance.sample(far, min(len(far), 1))]
    evidence = [*dict.fromkeys(right), *chance.sample(rest, len(rest))]
    return evidence if chance.random() < 0.5 else chance.sample(evidence, len(evidence))


def _capital(question: str, chance: random.Random) -> str:
    return question[0].upper() + question[1:] if chance.random() < 0.8 else question


def _evidence(title: str, sentence: str) -> Evidence:
    return Evidence(Document(title, title, sentence, title), Chunk(title, 0, len(sentence), sentence), 1.0)
