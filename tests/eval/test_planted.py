"""Planted systems get what they deserve: each is caught by the metrics made for it and by no others."""

import random
import re
from dataclasses import replace

import pytest

from eval.dataset import Question, read_questions
from eval.harness import DATA
from eval.judges import CallableJudge
from eval.run import Record
from eval.scoring import METRICS, score_run
from rag.answer import compose
from rag.pipeline import Footnote
from rag.text import fold, locate, sentences
from rag.types import Abstention, Answer, Chunk, Citation, Claim, Hit

# The judge of this test knows exactly one thing: whether the cited text has the sentence.
JUDGE = CallableJudge("quotation", lambda premise, claim: float(fold(claim) in fold(premise)))


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    chosen = [q for q in read_questions(DATA / "questions-dev.jsonl") if len(q.gold_sources) < 2]
    return [q for q in chosen if q.type in ("fact", "definition", "unanswerable_near", "unanswerable_far")]


@pytest.fixture(scope="module")
def documents(seed_folder):
    footnote = Footnote.open(seed_folder)
    found = {document.source: document for document in footnote.library.list(0, 1000)[0]}
    footnote.library.close()
    return found


def cited(text, document, quote, number=1):
    start, end = locate(quote, document.text)
    citation = Citation(number, document.id, start, end, document.text[start:end], document.source, document.title)
    return Claim(text, 0, 0, (citation,))


def answer(question, claims, documents, **changes):
    text, placed = compose(claims)
    hits = tuple(
        Hit(Chunk(documents[s].id, 0, 1, documents[s].text[:1]), 1 / rank, rank, {}, s)
        for rank, s in enumerate([*question.gold_sources, *(s for s in sorted(documents)[:3])], start=1)
    )
    reason = None if placed else Abstention.WEAK_EVIDENCE
    return replace(Answer(question.question, question.question, text, placed, hits=hits, abstention=reason), **changes)


def good(question, documents):
    """The marked sentences, each cited; silence where there is no answer."""
    claims = [cited(fold(s.text), documents[s.source], s.text) for s in question.gold_sentences]
    return answer(question, claims, documents)


def copies_the_abstract(question, documents):
    if not question.answerable:
        return good(question, documents)
    document = documents[question.gold_sources[0]]
    return answer(question, [cited(fold(s), document, s) for s in sentences(document.text)], documents)


def always_abstains(question, documents):
    return answer(question, [], documents)


def never_abstains(question, documents):
    if question.answerable:
        return good(question, documents)
    document = documents[min(documents)]
    return answer(
        question, [cited(fold(sentences(document.text)[0]), document, sentences(document.text)[0])], documents
    )


def cites_at_random(question, documents):
    chance = random.Random(question.id)
    claims = []
    for s in question.gold_sentences:
        other = documents[chance.choice(sorted(set(documents) - set(question.gold_sources)))]
        claims.append(cited(fold(s.text), other, chance.choice(sentences(other.text))))
    return answer(question, claims, documents)


def changes_figures(question, documents):
    claims = []
    for s in question.gold_sentences:
        wrong = re.sub(r"\d+", lambda m: str(int(m[0]) + 7), fold(s.text))
        claims.append(cited(wrong, documents[s.source], s.text))
    return answer(question, claims, documents)


def makes_up_markers(question, documents):
    return replace(good(question, documents), fabricated_markers=2 if question.answerable else 0)


def cites_nothing(question, documents):
    return answer(question, [replace(c, citations=()) for c in good(question, documents).claims], documents)


def scores(system, questions, documents):
    records = [Record(q.id, system(q, documents)) for q in questions]
    found = score_run(questions, records, {s: d.text for s, d in documents.items()}, JUDGE)
    return {name: row["value"] if (row := found["metrics"][name]) else None for name in METRICS}


CITATION = {"citation_recall", "citation_precision", "faithfulness", "faithfulness_drafted", "faithful_answers"}
PLANTED = [
    # copying is faithful and covers everything: only its length and what it cites besides the evidence show
    (copies_the_abstract, {"words", "evidence_precision", "token_f1"}),
    (never_abstains, {"false_answer", "false_answer_near", "false_answer_far"}),
    (
        cites_at_random,
        CITATION | {"misattribution", "first_paper_right", "a_paper_right", "evidence_precision", "evidence_recall"},
    ),
    (makes_up_markers, {"citation_validity", "citation_precision"}),
    (cites_nothing, (CITATION - {"citation_precision"}) | {"first_paper_right", "a_paper_right", "evidence_recall"}),
]


def test_a_good_system_has_what_can_be_had(questions, documents):
    found = scores(good, questions, documents)
    for name in ("success@1", "verbatim", "citation_recall", "faithfulness", "a_paper_right", "evidence_recall"):
        assert found[name] == 1, name
    assert found["false_answer"] == found["false_refusal"] == 0
    assert found["key_facts"] > 0.95


@pytest.mark.parametrize(("system", "metrics"), PLANTED, ids=lambda value: getattr(value, "__name__", ""))
def test_a_planted_fault_is_caught_by_its_metrics_alone(system, metrics, questions, documents):
    right, wrong = scores(good, questions, documents), scores(system, questions, documents)
    worse = {
        name
        for name, metric in METRICS.items()
        if right[name] is not None
        and wrong[name] is not None
        and (wrong[name] - right[name]) * (1 if metric.lower_is_better else -1) > 0.02
    }
    assert worse == metrics


def test_changed_figures_are_caught_by_faithfulness_and_key_facts(questions, documents):
    numeric = [q for q in questions if any(any(c.isdigit() for c in fact) for fact in q.key_facts)]
    right, wrong = scores(good, numeric, documents), scores(changes_figures, numeric, documents)
    assert wrong["faithfulness"] < 0.5
    assert wrong["key_facts"] < right["key_facts"] - 0.3
    for name in ("success@1", "verbatim", "citation_validity", "a_paper_right", "evidence_recall", "answered"):
        assert wrong[name] == right[name], name


def test_always_abstaining_earns_nothing_and_is_not_faithful(questions, documents):
    found = scores(always_abstains, questions, documents)
    assert found["answered"] == 0
    assert found["false_refusal"] == 1
    assert found["key_facts"] == found["coverage"] == 0
    assert found["faithfulness"] is None
    assert found["faithful_answers"] is None
    assert found["citation_recall"] is None
    assert found["false_answer"] == 0


def test_an_error_is_counted_as_one_and_scores_nothing(questions, documents):
    records = [Record(q.id, None, "ServerError: gone") for q in questions]
    found = score_run(questions, records, {}, JUDGE)
    assert found["errors"] == len(questions)
    assert all(row is None for row in found["metrics"].values())
