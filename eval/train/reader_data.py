"""Training groups for the reader: a question, texts, and which of them answers it, if any.

A group is what reranking sees: one text that answers among others that are near it, of the same
passage and of neighbouring ones; in some groups none answers. Texts are single sentences, windows of
three, or whole passages, because the reader ranks papers and picks sentences with the same weights.
Question answering sets give the questions; summaries and titles of papers, put as queries, bring the
domain.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.train.aspect_data import aspects, name_of
from eval.train.corpora import Row, lines, papers, rows, title_key
from rag.text import fold, sentence_spans, sentences

NONE = -1  # no text of the group answers

# Sets with spans, and how many groups to take of each. CC BY, CC BY-SA, Apache-2.0 and MIT only.
SPANS = {
    "qa_squadshifts_new_wiki": 1_500,
    "qa_squadshifts_reddit": 300,
    "qa_squad_nqg": 700,
    "qa_bioasq_snippets": 2_500,
    "qa_bioasq_abstract_snippets": 1_900,
    "qa_evidence_inference_v2": 600,
    "qa_covid_qa": 1_200,
    "qa_selqa": 900,
    "qa_nq_open_oracle": 700,
    "qa_sleepqa": 400,
    "qa_qed_dev": 400,
    "qa_xquad_en": 500,
}
PASSAGES = {"qa_qnli_dev": 700, "qa_medquad": 600}  # the whole passage answers, or does not
TITLES = 1_200
ASPECTS = 1_500  # papers asked for something that they have, and for something that they lack
_POOL = 12_000  # papers looked at for those that have a name
_WITHHELD = 0.12  # share of groups out of which the answering text is taken
_LONGEST = 600  # characters of a text


@dataclass(frozen=True, slots=True)
class Group:
    """A question with texts, of which `answer` is the index of the one that answers, or `NONE`."""

    question: str
    texts: tuple[str, ...]
    answer: int
    kind: str


def build(
    data: Path,
    papers_file: Path,
    *,
    leave_out: frozenset[str],
    seed: int = 0,
    texts: int = 4,
    questions: Path | None = None,
) -> list[Group]:
    """All groups, shuffled; the same seed gives the same groups. Raises BadInputError for a missing set.

    `questions` is what `eval.train.questions` wrote; its groups come with all aspects, and as many of the others.
    """
    chance = random.Random(seed)
    groups: list[Group] = []
    for name, most in SPANS.items():
        groups += _of_spans(rows(data, name), name, most, texts, chance)
    for name, most in PASSAGES.items():
        groups += _of_passages(rows(data, name), name, most, texts, chance)
    groups += _of_summaries(data, leave_out, texts, chance)
    groups += _of_titles(papers(papers_file, most=TITLES, seed=seed, leave_out=leave_out), texts, chance)
    aspect = list(_of_aspects(papers(papers_file, most=_POOL, seed=seed, leave_out=leave_out), texts, chance))
    if questions:
        asked = list(_of_questions(questions, leave_out, texts, chance))
        groups = [*asked, *chance.sample(groups, min(len(groups), len(asked)))]
    groups += aspect
    chance.shuffle(groups)
    return groups


def _of_spans(found: Sequence[Row], kind: str, most: int, texts: int, chance: random.Random) -> Iterator[Group]:
    chosen = chance.sample(found, min(most, len(found)))
    neighbours = neighbours_of([f"{row['question']} {row['passage'][:400]}" for row in chosen])
    for row, near in zip(chosen, neighbours, strict=True):
        spans = answer_spans(row)
        size = chance.choice((1, 1, 3))
        pieces = _pieces(row["passage"], spans, size)
        right = [text for text, answers in pieces if answers]
        wrong = [text for text, answers in pieces if not answers]
        others = [
            text
            for other in near
            if chosen[other]["passage"][:200] != row["passage"][:200]
            for text, _ in _pieces(chosen[other]["passage"], [], size)
        ]
        yield from _group(row["question"], right, wrong, others, kind, texts, chance)


def answer_spans(row: Row) -> list[tuple[int, int]]:
    """Where the answers stand in the row's passage; none where it has none."""
    if row["answer"] is None or row.get("answer_start") is None:
        return []
    found = [(row["answer_start"], row["answer_start"] + len(row["answer"]))]
    for text, *_ in row.get("all_spans") or []:  # (text, start), or text alone, by set
        start = row["passage"].find(text) if isinstance(text, str) else -1
        if start >= 0:
            found.append((start, start + len(text)))
    return found


def _pieces(passage: str, answers: Sequence[tuple[int, int]], size: int) -> list[tuple[str, bool]]:
    """Runs of `size` sentences, each with whether an answer begins in it."""
    spans = sentence_spans(passage)
    pieces = []
    for first in range(0, len(spans), size):
        run = spans[first : first + size]
        start, end = run[0][0], run[-1][1]
        pieces.append((fold(passage[start:end])[:_LONGEST], any(start <= a < end for a, _ in answers)))
    return pieces


def _of_passages(found: Sequence[Row], kind: str, most: int, texts: int, chance: random.Random) -> Iterator[Group]:
    chosen = chance.sample(found, min(most, len(found)))
    neighbours = neighbours_of([row["question"] for row in chosen])
    for row, near in zip(chosen, neighbours, strict=True):
        own = [fold(row["passage"])[:_LONGEST]]
        others = [fold(chosen[other]["passage"])[:_LONGEST] for other in near]
        others = [text for text in others if text != own[0]]
        answers = row["answer"] is not None
        yield from _group(row["question"], own if answers else [], [] if answers else own, others, kind, texts, chance)


def _of_summaries(data: Path, leave_out: frozenset[str], texts: int, chance: random.Random) -> Iterator[Group]:
    """One-sentence summaries by people as queries: which paper is meant, and which of its sentences."""
    found = [
        {"title": row["title"], "sentences": [fold(s) for s in row["abstract"]], "summary": tldr}
        for row in rows(data, "aux_scitldr")
        for tldr in row["tldrs"][:1]
    ] + [
        {"title": row["title"], "sentences": [fold(s) for s in sentences(row["abstract"])], "summary": row["tldr"]}
        for row in rows(data, "aux_tldr")
    ]
    found = [row for row in found if title_key(row["title"]) not in leave_out and len(row["sentences"]) > 2]
    neighbours = neighbours_of([f"{row['title']} {row['summary']}" for row in found])
    for row, near in zip(found, neighbours, strict=True):
        if title_key(row["summary"]) in title_key(" ".join(row["sentences"])):
            continue
        size = chance.choice((2, 3, 99))
        right = _titled(row, size, chance)
        others = [text for other in near for text in _titled(found[other], size, chance)[:2]]
        yield from _group(_lowered(row["summary"]), right, [], others, "summary", texts, chance)


def _of_titles(found: Sequence[Row], texts: int, chance: random.Random) -> Iterator[Group]:
    """Titles as queries for their abstracts."""
    neighbours = neighbours_of([row["title"] for row in found])
    for row, near in zip(found, neighbours, strict=True):
        right = [" ".join(row["sentences"])[:_LONGEST]]
        others = [" ".join(found[other]["sentences"])[:_LONGEST] for other in near]
        yield from _group(row["title"], right, [], others, "title", texts, chance)


def _of_aspects(found: Sequence[Row], texts: int, chance: random.Random) -> Iterator[Group]:
    """A paper by its name and a phrase; the texts are the paper's own, and a neighbour's where it has few."""
    found = [row for row in found if name_of(row["title"]) or chance.random() < 0.05]
    if not found:
        return
    neighbours = list(neighbours_of([f"{row['title']} {' '.join(row['sentences'])[:400]}" for row in found]))
    asked = aspects(found, neighbours, chance)
    near_of = {row["title"]: near for row, near in zip(found, neighbours, strict=True)}
    for row, question, answering in list(asked)[: 2 * ASPECTS]:
        size = chance.choice((1, 3))
        pieces = _titled(row, size, chance)
        has = {at // size for at in answering or ()}
        right = [text for at, text in enumerate(pieces) if at in has]
        wrong = [text for at, text in enumerate(pieces) if at not in has]
        others = [text for near in near_of[row["title"]][:2] for text in _titled(found[near], size, chance)]
        yield from _group(question, right, wrong, others, "aspect", texts, chance)


def _of_questions(path: Path, leave_out: frozenset[str], texts: int, chance: random.Random) -> Iterator[Group]:
    """Questions asked of a sentence: which sentence of its paper, and which paper, whose every part is near."""
    asked = written(path, leave_out)
    neighbours = neighbours_of([f"{row['title']} {' '.join(row['sentences'])[:400]}" for row in asked])
    for row, near in zip(asked, neighbours, strict=True):
        others = [asked[other] for other in near if asked[other]["title"] != row["title"]]
        for within in (True, False) if row["kind"] == "other_words" else (True,):
            size = chance.choice((1, 1, 3))
            own = _titled(row, size, chance)
            right = own.pop(row["sentences"].index(row["sentence"]) // size)
            foreign = [text for other in others for text in _titled(other, size, chance)]
            yield from _group(row["question"], [right], own if within else [], foreign, row["kind"], texts, chance)


def written(path: Path, leave_out: frozenset[str]) -> list[Row]:
    """The usable ones of the questions that `eval.train.questions` wrote, each once."""
    found = {row["question"]: row for row in lines(path)}
    return [
        row
        for question, row in found.items()
        if question.endswith("?") and 25 <= len(question) <= 220 and title_key(row["title"]) not in leave_out
    ]


def _titled(row: Row, size: int, chance: random.Random) -> list[str]:
    """Runs of sentences under their paper's title, as the reader sees them; some without it."""
    parts = row["sentences"]
    title = f"{fold(row['title'])}. " if chance.random() < 0.7 else ""
    return [f"{title}{' '.join(parts[i : i + size])}"[:_LONGEST] for i in range(0, len(parts), size)]


def _lowered(text: str) -> str:
    """A summary without its `We propose`, as somebody would search for it."""
    for opening in ("We propose ", "We present ", "We introduce ", "We show that ", "We show ", "This paper presents "):
        if text.startswith(opening):
            return text.removeprefix(opening)
    return text


def _group(
    question: str,
    right: Sequence[str],
    wrong: Sequence[str],
    others: Sequence[str],
    kind: str,
    texts: int,
    chance: random.Random,
) -> Iterator[Group]:
    """At most one group: an answering text among wrong ones of its passage and of neighbours."""
    withheld = not right or chance.random() < _WITHHELD
    chosen = [] if withheld else [chance.choice(right)]
    room = texts - len(chosen)
    own = chance.sample(wrong, min(len(wrong), (room + 1) // 2 + (1 if len(others) < room else 0)))
    far = [text for text in others if text not in right]
    rest = [*own, *chance.sample(far, min(len(far), room - len(own)))]
    if len(rest) < 2:
        return
    every = [*chosen, *rest]
    order = chance.sample(range(len(every)), len(every))
    answer = NONE if withheld else order.index(0)
    yield Group(fold(question), tuple(every[i] for i in order), answer, kind)


def neighbours_of(texts: Sequence[str], most: int = 6) -> Iterable[list[int]]:
    """For each text the indices of those nearest to it by their words, nearest first, itself left out."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    matrix = TfidfVectorizer(stop_words="english", sublinear_tf=True, max_features=50_000).fit_transform(texts)
    for start in range(0, len(texts), 512):
        similar = (matrix[start : start + 512] @ matrix.T).toarray()
        for row, own in enumerate(range(start, min(start + 512, len(texts)))):
            similar[row, own] = -1.0
            yield similar[row].argsort()[::-1][: min(most, len(texts) - 1)].tolist()
