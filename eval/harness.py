"""OPEN THIS FIRST: one evaluation, from questions to a report.

`evaluate` asks every question (`run`), asks a sample of them of the controls (`systems`), scores the
answers (`scoring`) by a judge (`judges`) whose own quality is measured in the same breath (`claims`,
`detectors`), and writes the folder (`report`). Everything is resumable: answers are kept as they come.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval import claims, detectors, systems
from eval.dataset import ClaimRow, Question, claim_faults, faults
from eval.judges import EntailerJudge, Judge, WordJudge
from eval.report import write_report
from eval.run import Record, ask_all, manifest_of, peak_memory_mb, sample, writing
from eval.scoring import score_run
from rag.errors import EvalError
from rag.pipeline import Footnote
from rag.text import sentences
from rag.tokens import count
from rag.types import JSON, Document, Verdict

DATA = Path(__file__).parent / "data"
CONTROL_QUESTIONS = 40  # each control answers a seeded sample: five controls over all would take half an hour
SAME = "the same questions"  # what the report calls the system on those that the controls are asked
SLOW_CLAIMS = 16  # faithful claims for the detectors that need the generator's gradients

Say = Callable[[str, int, int], None]  # (stage, done, total)


def evaluate(
    footnote: Footnote,
    questions: Sequence[Question],
    folder: Path,
    *,
    faithful: Sequence[ClaimRow] = (),
    judge: Judge | None = None,
    with_controls: bool = True,
    with_slow_detectors: bool = True,
    say: Say = lambda stage, done, total: None,
) -> JSON:
    """Run, score and report into `folder`; returns the scores. A run that was killed goes on.

    `say` is called after every question and every claim, and what it raises ends the run there. Raises
    EvalError for questions or claims that do not fit the library, or a folder that holds another run or is written to
    by another process.
    """
    documents = list(footnote.library.every())
    texts = {document.source: document.text for document in documents}
    _check(footnote, texts, questions, faithful)
    judge = judge or WordJudge(footnote.embedder)
    system = systems.Pipeline(footnote)
    manifest = manifest_of(questions, system, settings_of(footnote))
    with writing(folder):
        records = ask_all(questions, system, folder, manifest=manifest, on_answer=_of_stage(say, "asking"))
        peak_mb = peak_memory_mb()
        say("scoring", 0, 1)
        scores = score_run(questions, records, texts, judge)
        scores["run"] = manifest
        scores["controls"] = (
            _controls(footnote, questions, records, documents, texts, judge, folder, say) if with_controls else None
        )
        quality, found = _judged(footnote, judge, faithful, documents, say, slow=with_slow_detectors)
        scores["judge_quality"], scores["detectors"] = quality, found
        _write(folder / "scores.json", scores)
        costs = {**costs_of(records), "peak_memory_mb": peak_mb}
        _write(folder / "costs.json", costs)
        write_report(folder, {**scores, "costs": costs}, questions, records)
    return scores


def settings_of(footnote: Footnote) -> JSON:
    """What can change an answer: the settings, without places and secrets, and the library's contents."""
    said: JSON = footnote.settings.model_dump(mode="json", exclude={"library", "store", "api_key", "device"})
    for name in ("llm_url", "embed_url"):  # name and password may stand in it
        said[name] = re.sub("//[^/?#]*@", "//", said[name])
    return {**said, "library": footnote.library.fingerprint()}


def costs_of(records: Sequence[Record]) -> JSON:
    """Seconds, words and tokens of the answers."""
    answers = [record.answer for record in records if record.answer]
    given = [answer for answer in answers if not answer.abstained]
    return {
        "first_words_s": _spread([a.timings["first_words"] for a in given if "first_words" in a.timings]),
        "total_s": _spread([a.timings["total"] for a in answers if "total" in a.timings]),
        "words": _spread([float(len(a.text.split())) for a in given]),
        "tokens": _spread([float(count(a.text)) for a in given]),
    }


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {"median": round(float(np.median(values)), 3), "p95": round(float(np.percentile(values, 95)), 3)}


def claims_of(questions: Sequence[Question]) -> list[ClaimRow]:
    """Faithful claims to test a judge on, where there are none by hand: the gold answers out of one paper each."""
    return [
        ClaimRow(
            question.id,
            question.type,
            question.gold_answer,
            question.gold_sentences[0].source,
            Verdict.SUPPORTED,
            tuple(sentence.text for sentence in question.gold_sentences),
            "the gold answer of a question",
        )
        for question in questions
        if question.gold_answer.strip() and len({sentence.source for sentence in question.gold_sentences}) == 1
    ]


def _check(
    footnote: Footnote, texts: Mapping[str, str], questions: Sequence[Question], faithful: Sequence[ClaimRow]
) -> None:
    """Raises EvalError if questions or claims are about papers that are not there, or not what these say."""
    for what, rows, faults_of in (("questions", questions, faults), ("claims", faithful, claim_faults)):
        wrong = faults_of([json.dumps(row.to_dict()) for row in rows], texts)
        if wrong:
            listed = "\n".join(f"  {fault.id}: {fault.what}" for fault in wrong[:10])  # a sample has lines of its own
            raise EvalError(
                f"{len(wrong)} faults: the {what} do not fit the papers of {footnote.settings.library}:\n{listed}\n"
                "evaluate the library that they were written for, or make some with: footnote eval questions make"
            )


def _controls(
    footnote: Footnote,
    questions: Sequence[Question],
    records: Sequence[Record],
    documents: Sequence[Document],
    texts: Mapping[str, str],
    judge: Judge,
    folder: Path,
    say: Say,
) -> JSON:
    """Each control's scores on the same sample of the questions, after those of the system on it."""
    chosen = sample(questions, CONTROL_QUESTIONS)
    by_id = {record.id: record for record in records}
    found: JSON = {SAME: _compact(score_run(chosen, [by_id[question.id] for question in chosen], texts, judge))}
    for control in systems.controls(footnote, documents):
        own = folder / "controls" / control.name.replace(" ", "-")
        manifest = manifest_of(chosen, control, settings_of(footnote))
        answers = ask_all(chosen, control, own, manifest=manifest, on_answer=_of_stage(say, f"control: {control.name}"))
        found[control.name] = _compact(score_run(chosen, answers, texts, judge))
    return found


def _compact(scored: JSON) -> JSON:
    return {key: scored[key] for key in ("questions", "errors", "metrics")}


def _judged(
    footnote: Footnote,
    judge: Judge,
    faithful: Sequence[ClaimRow],
    documents: Sequence[Document],
    say: Say,
    *,
    slow: bool,
) -> tuple[Any, Any]:
    """The judge's own quality and the detectors', on faithful claims and the same with known errors."""
    rows = [row for row in faithful if row.label is Verdict.SUPPORTED and row.gold_sentences]
    quality: JSON = {"judge": judge.name, "is_verifier": _verified(footnote, judge), "n_faithful": len(rows)}
    if not rows:
        return quality, None
    texts = {document.source: sentences(document.text) for document in documents}
    quick = [
        detectors.word_overlap(),
        detectors.similarity(footnote.embedder),
        detectors.classifier(footnote.entailer),
    ]
    supports: dict[str, claims.Support] = {judge.name: lambda c, e: judge.entails(" ".join(e), c)}
    supports |= {each.name: _inverted(each) for each in quick}
    by_detector = claims.self_test(rows, texts, supports, on_done=_of_stage(say, "testing the judge"))
    coverage = [
        detectors.word_overlap_coverage(),
        detectors.similarity_coverage(footnote.embedder),
        detectors.classifier_coverage(footnote.entailer),
    ]
    left_out: JSON = {}
    for each in coverage:
        told = _of_stage(say, f"testing what is left out: {each.name}")
        left_out[each.name] = claims.coverage_test(rows, texts, each, on_done=told)
    if slow:
        told = _of_stage(say, "testing the detectors by salience")
        few = rows[:: max(1, len(rows) // SLOW_CLAIMS)][:SLOW_CLAIMS]
        gradient = {each.name: _inverted(each) for each in detectors.salience_detectors(footnote.generator)}
        by_detector |= claims.self_test(few, texts, gradient, on_done=told)
        by_gradient = detectors.salience_coverage(footnote.generator)
        told = _of_stage(say, f"testing what is left out: {by_gradient.name}")
        left_out[by_gradient.name] = claims.coverage_test(few, texts, by_gradient, on_done=told)
    quality["by_type"] = by_detector.pop(judge.name)
    return quality, {"hallucination": by_detector, "coverage": left_out}


def _verified(footnote: Footnote, judge: Judge) -> bool:
    """Whether the judge is the model that verified, be its folder named in another way."""
    names = (judge.name, footnote.entailer.name)
    return isinstance(judge, EntailerJudge) and len({Path(name).resolve() for name in names}) == 1


def _inverted(detector: detectors.HallucinationDetector) -> claims.Support:
    return lambda claim, evidence: -detector(claim, evidence)


def _of_stage(say: Say, stage: str) -> Callable[[int, int], None]:
    return lambda done, total: say(stage, done, total)


def _write(path: Path, content: JSON) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
