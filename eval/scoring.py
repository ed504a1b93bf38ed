"""Answers and questions → scores: every metric for every question, and its mean or pool with an interval.

One rule for the awkward cases: an abstention is scored as an abstention; it conveys nothing, claims
nothing and is never faithful. An error is counted as one and has no scores. What a judge cannot tell is
unscored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.dataset import Question
from eval.judges import Judge
from eval.metrics import citation, correctness, coverage, evidence, faithfulness, retrieval
from eval.metrics.abstention import aurc, risk_coverage
from eval.metrics.share import Share, counted, pooled
from eval.run import Record
from eval.statistics import Interval, clusters_of, mean_interval, ratio_interval
from rag.answer import is_quotation
from rag.types import JSON, Answer, Claim

Scores = dict[str, Share]  # metric → what a question got; a metric that does not apply is not there


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is reported: `pooled` sums over all items of all questions, else each question weighs the same."""

    group: str
    says: str
    pooled: bool = False
    lower_is_better: bool = False
    is_rate: bool = True


METRICS: dict[str, Metric] = {
    "success@1": Metric("retrieval", "a right paper is first"),
    "success@5": Metric("retrieval", "a right paper is among the first five"),
    "recall@5": Metric("retrieval", "right papers among the first five"),
    "ndcg@10": Metric("retrieval", "how early the right papers come"),
    "mrr": Metric("retrieval", "one over the rank of the first right paper"),
    "citation_validity": Metric("citation", "footnote numbers that were shown", pooled=True),
    "verbatim": Metric("citation", "quotes that stand at their offsets, letter for letter", pooled=True),
    "citation_recall": Metric("citation", "sentences that what they cite carries", pooled=True),
    "citation_precision": Metric("citation", "citations that help to carry their sentence", pooled=True),
    "necessity": Metric("citation", "citations without which their sentence would not be carried", pooled=True),
    "misattribution": Metric("citation", "right sentence, wrong paper", pooled=True, lower_is_better=True),
    "first_paper_right": Metric("citation", "the first cited paper is a right one"),
    "a_paper_right": Metric("citation", "some cited paper is a right one"),
    "evidence_precision": Metric("citation", "cited text that a person marked as evidence"),
    "evidence_recall": Metric("citation", "marked evidence that is cited"),
    "faithfulness": Metric("faithfulness", "claims shown that their citation supports", pooled=True),
    "faithfulness_drafted": Metric("faithfulness", "the same of all claims drafted", pooled=True),
    "contradiction": Metric("faithfulness", "claims shown that it contradicts", pooled=True, lower_is_better=True),
    "faithful_answers": Metric("faithfulness", "answers of which every claim is supported"),
    "key_facts": Metric("correctness", "key facts conveyed, figures to the digit"),
    "token_f1": Metric("correctness", "content words in common with the gold answer"),
    "sentence_recall": Metric("correctness", "sentences of the gold answer conveyed"),
    "words": Metric("correctness", "words an answer", lower_is_better=True, is_rate=False),
    "coverage": Metric("coverage", "marked evidence that the answer conveys"),
    "answered": Metric("abstention", "answerable questions answered"),
    "false_refusal": Metric("abstention", "answerable questions refused", lower_is_better=True),
    "false_answer": Metric("abstention", "unanswerable questions answered", lower_is_better=True),
    "false_answer_near": Metric("abstention", "of those close to the papers' topics", lower_is_better=True),
    "false_answer_far": Metric("abstention", "of those far from them", lower_is_better=True),
}


def score_question(question: Question, answer: Answer, documents: Mapping[str, str], judge: Judge) -> Scores:
    """Every metric that applies to one question; `documents` maps each source to its text."""
    found: Scores = {}
    if question.answerable:
        found |= _retrieval(question, answer)
        found |= _correctness(question, answer)
        found["answered"] = _flag(not answer.abstained)
        found["false_refusal"] = _flag(answer.abstained)
    else:
        found["false_answer"] = _flag(not answer.abstained)
        kind = question.type.removeprefix("unanswerable_")
        if kind in ("near", "far"):
            found[f"false_answer_{kind}"] = _flag(not answer.abstained)
    found |= _faithfulness(answer, judge)
    if not answer.abstained:
        found |= _citation(question, answer, documents, judge)
    return {name: found[name] for name in METRICS if name in found}


def _flag(holds: bool) -> Share:
    return Share(float(holds), 1)


def _of(value: float | None) -> Share:
    return counted([value]) if value is not None else Share()


def _retrieval(question: Question, answer: Answer) -> Scores:
    ranked = retrieval.ranking_of(answer.hits, by_source=True)
    grades = dict.fromkeys(question.gold_sources, 1)
    return {
        "success@1": _of(retrieval.success(ranked, grades, k=1)),
        "success@5": _of(retrieval.success(ranked, grades, k=5)),
        "recall@5": _of(retrieval.recall(ranked, grades, k=5)),
        "ndcg@10": _of(retrieval.ndcg(ranked, grades, k=10)),
        "mrr": _of(retrieval.reciprocal_rank(ranked, grades)),
    }


def _correctness(question: Question, answer: Answer) -> Scores:
    text = "" if answer.abstained else answer.text
    return {
        "key_facts": _of(correctness.key_facts(question.key_facts, text).value),
        "token_f1": _of(correctness.token_f1(text, question.gold_answer)),
        "sentence_recall": _of(correctness.sentence_recall(question.gold_answer, text).value),
        "words": _of(None if answer.abstained else float(correctness.length(text))),
        "coverage": _of(coverage.coverage([s.text for s in question.gold_sentences], text).value),
    }


def _faithfulness(answer: Answer, judge: Judge) -> Scores:
    judged = faithfulness.JudgedAnswer(
        tuple(judge.verdict(claim) for claim in answer.claims if not is_quotation(claim)),
        tuple(judge.verdict(claim) for claim in answer.withdrawn),
        answer.abstained,
        tuple(judge.verdict(claim) for claim in answer.claims if is_quotation(claim)),
    )
    found = {
        "faithfulness": faithfulness.after(judged).faithfulness,
        "faithfulness_drafted": faithfulness.before(judged).faithfulness,
        "faithful_answers": faithfulness.faithful_answers([judged]),
    }
    if judge.tells_contradiction:
        found["contradiction"] = faithfulness.after(judged).contradiction
    return found


def _citation(question: Question, answer: Answer, documents: Mapping[str, str], judge: Judge) -> Scores:
    stated = citation.statements(answer.claims)
    by_id = {c.doc_id: documents.get(c.source, "") for c in _citations(answer.claims)}
    gold: dict[str, str] = {}
    for sentence in question.gold_sentences:
        gold[sentence.source] = f"{gold.get(sentence.source, '')} {sentence.text}".strip()
    cited = [c.source for c in _citations(answer.claims)]
    found = {
        "citation_validity": citation.validity_of(answer),
        "verbatim": citation.verbatim(_citations(answer.claims), by_id),
        "citation_recall": citation.recall(stated, judge.entails),
        "citation_precision": citation.precision(stated, judge.entails, fabricated=answer.fabricated_markers),
        "necessity": citation.necessity(stated, judge.entails),
        "misattribution": citation.misattribution(stated, gold, judge.entails) if gold else Share(),
    }
    if question.answerable:
        overlap = evidence.overlap(
            evidence.cited_places(_citations(answer.claims)),
            evidence.marked_places(question.gold_sentences, documents),
        )
        found |= {
            "first_paper_right": _flag(bool(cited) and cited[0] in question.gold_sources),
            "a_paper_right": _flag(any(source in question.gold_sources for source in cited)),
            "evidence_precision": _of(overlap.precision.value),
            "evidence_recall": _of(overlap.recall.value),
        }
    return found


def _citations(claims: Sequence[Claim]) -> list[Any]:
    return [c for claim in claims for c in claim.citations]


def score_run(
    questions: Sequence[Question], records: Sequence[Record], documents: Mapping[str, str], judge: Judge
) -> JSON:
    """The scores of a run: `metrics`, `rows`, `risk_coverage` and `aurc`.

    There are no timings in them, so the same answers give the same bytes.
    """
    clusters = clusters_of([question.gold_sources or question.without for question in questions])
    rows = [
        score_question(q, r.answer, documents, judge) if r.answer else {}
        for q, r in zip(questions, records, strict=True)
    ]
    confidences, losses = _risks(questions, records, rows)
    return {
        "questions": len(questions),
        "errors": sum(record.answer is None for record in records),
        "abstained": sum(record.answer is not None and record.answer.abstained for record in records),
        "judge": judge.name,
        "metrics": {name: aggregate(name, questions, rows, clusters) for name in METRICS},
        "aurc": aurc(confidences, losses),
        "risk_coverage": [
            {"confidence": p.confidence, "coverage": p.coverage, "risk": p.risk}
            for p in risk_coverage(confidences, losses)
        ],
        "rows": [
            {
                "id": question.id,
                "type": question.type,
                "cluster": cluster,
                "answerable": question.answerable,
                "outcome": _outcome(record),
                "scores": {name: [s.part, s.whole, s.unscored] for name, s in row.items()},
            }
            for question, record, row, cluster in zip(questions, records, rows, clusters, strict=True)
        ],
    }


def aggregate(name: str, questions: Sequence[Question], rows: Sequence[Scores], clusters: Sequence[str]) -> JSON | None:
    """A metric over all questions, and its value for each type; `None` where it applies to none."""
    metric = METRICS[name]
    own = [row.get(name, Share()) for row in rows]
    total = pooled(own)
    if not total.whole and not total.unscored:
        return None
    interval = interval_of(metric, own, clusters)
    by_type: JSON = {}
    for kind in dict.fromkeys(question.type for question in questions):
        part = [share for share, question in zip(own, questions, strict=True) if question.type == kind]
        value = _value(metric, part)
        if value is not None:
            by_type[kind] = {"value": value, "n": sum(bool(share.whole) for share in part)}
    return {
        "group": metric.group,
        "says": metric.says,
        "lower_is_better": metric.lower_is_better,
        "is_rate": metric.is_rate,
        "value": _value(metric, own),
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "n": sum(bool(share.whole) for share in own),
        "clusters": interval.clusters if interval else None,
        "items": total.whole,
        "unscored": total.unscored,
        "lowest": total.lowest if total.unscored else None,
        "highest": total.highest if total.unscored else None,
        "by_type": by_type,
    }


def interval_of(metric: Metric, own: Sequence[Share], clusters: Sequence[str]) -> Interval | None:
    """The interval of a metric over questions, clustered by abstract."""
    if metric.pooled:
        return ratio_interval([s.part for s in own], [float(s.whole) for s in own], clusters=clusters)
    return mean_interval([s.value for s in own], clusters=clusters)


def _value(metric: Metric, own: Sequence[Share]) -> float | None:
    if metric.pooled:
        return pooled(own).value
    values = [share.value for share in own if share.value is not None]
    return sum(values) / len(values) if values else None


def _outcome(record: Record) -> str:
    if record.answer is None:
        return "error"
    return "abstained" if record.answer.abstained else "answered"


def _risks(
    questions: Sequence[Question], records: Sequence[Record], rows: Sequence[Scores]
) -> tuple[list[float], list[float]]:
    """How sure the system was of each question, and what answering it would cost: 1 - key facts, or 1."""
    confidences, losses = [], []
    for question, record, row in zip(questions, records, rows, strict=True):
        if record.answer is not None:
            confidences.append(confidence(record.answer))
            facts = row.get("key_facts", Share()).value
            losses.append(1 - (facts or 0.0) if question.answerable else 1.0)
    return confidences, losses


def confidence(answer: Answer) -> float:
    """How sure the system was: what it says itself, else the score of its first hit, else 0."""
    if answer.confidence is not None:
        return answer.confidence
    return answer.hits[0].score if answer.hits else 0.0
