"""Fit what turns signs into probabilities: how likely the papers answer, how likely a text carries a claim.

Both are small logistic regressions on the dev split over the seed papers, on what the models that are
installed say of it, so they are fitted again whenever a model changes. The constants go into
`rag/models/trained/calibration.json`, where `rag.confidence`, `rag.verify` and the entailer find them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.dataset import ClaimRow, Question, read_claims, read_questions
from eval.harness import DATA
from eval.metrics.ranking import roc_auc
from rag import guards
from rag.checking import SENTENCES
from rag.confidence import SIGNS, Signals
from rag.evidence import as_written, nearest_sentences
from rag.models import NliEntailer, load_entailer
from rag.models.entailer import OWN, signs
from rag.models.weights import TRAINED
from rag.pipeline import Footnote
from rag.sentences import SentenceVectors
from rag.types import JSON, Document, Turn, Verdict
from rag.verify import context_of

ANSWERED = 0.93  # of the answerable dev questions: with more, soon more than one in five near the papers pass
BESIDE_WEIGHT = 0.25  # of a faithful claim beside sentences that do not say it
FOLDS = 8
_SEEDS = Path(__file__).parents[2] / "seeds"

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]


def calibrate(
    questions: Sequence[Question] | None = None, claims: Sequence[ClaimRow] | None = None, *, install: bool = False
) -> JSON:
    """Fit both on questions and claims about the seed papers; returns constants and cross-validated scores.

    Those of the dev split unless others are given. The papers go into a library in a temporary folder.
    `install` puts the constants to use.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        judge = load_entailer(OWN)
        footnote = Footnote.build([_SEEDS], Path(folder) / "library", entailer=judge)
        # A reader that is given, not named, goes without the asker: so it is where its base has not been fetched.
        parts = {"embedder": footnote.embedder, "reader": footnote.reader, "entailer": judge}
        other = Footnote.open(Path(folder) / "library", **parts)
        rows = questions or read_questions(DATA / "questions-dev.jsonl")
        asked = [*_asked(footnote, rows), *_asked(other, rows)]
        other.library.close()
        claimed = list(_claimed(footnote, judge, claims or read_claims(DATA / "claims-dev.jsonl")))
        footnote.library.close()
    fitted = {"confidence": confidence_weights(asked), "entailer": entailer_weights(claimed)}
    if install:
        (TRAINED / "calibration.json").write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")
    return fitted


# -- how likely the papers answer -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the signs that the papers answer it."""

    question: Question
    signals: Signals


def _asked(footnote: Footnote, questions: Sequence[Question]) -> list[Asked]:
    found = []
    for question in questions:
        history = [Turn(turn.question, turn.answer) for turn in question.history]
        found.append(Asked(question, footnote.signals(question.question, history=history)))
    return found


def confidence_weights(asked: Sequence[Asked]) -> JSON:
    """Weights with reader and entailer, with a reader and with neither, each with how they do on unseen questions.

    A question may come several times, with the signs under several settings.
    A question that lists has no sign of either (`rag.evidence`), so it counts only for the weights without.
    """
    read = [item for item in asked if item.signals.reader is not None]
    judged = [item for item in read if item.signals.entailed is not None]
    usable = {"with_both": judged, "with_reader": read, "without": asked}
    return {known: _weights_of(usable[known], names) for known, names in SIGNS.items()}


def _weights_of(asked: Sequence[Asked], names: Sequence[str]) -> JSON:
    found = np.array([[asdict(item.signals)[name] for name in names] for item in asked])
    kinds = np.array([item.question.type for item in asked])
    answerable = np.array([item.question.answerable for item in asked])
    weights, bias = _fit(found, answerable)
    bias -= float(np.quantile((found @ weights + bias)[answerable], 1 - ANSWERED))
    unfitted = _unfitted(found, answerable, [item.question.id for item in asked])
    level = np.quantile(unfitted[answerable], 1 - ANSWERED)
    scores = {"auc": _auc(answerable, unfitted)}
    for kind in ("near", "far"):
        own = kinds == f"unanswerable_{kind}"
        scores |= {
            f"auc_{kind}": _auc(answerable, unfitted, own),
            f"false_{kind}": float((unfitted[own] >= level).mean()),
        }
    constants = {"bias": bias} | dict(zip(names, weights.tolist(), strict=True))
    questions = len({item.question.id for item in asked})
    return _rounded(constants, 2) | {"cross_validated": _rounded(scores), "questions": questions}


# -- how likely a text carries a claim ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim beside sentences: `signs` are those of the model and whether a guard objects."""

    kind: str  # the claim's type, or BESIDE
    source: str
    supported: bool
    signs: tuple[float, ...]


BESIDE = "beside"


def _claimed(footnote: Footnote, judge: NliEntailer, claims: Sequence[ClaimRow]) -> Iterator[Claimed]:
    """Every claim beside its paper, and the faithful ones also beside text that does not say them.

    Such text is what is left of their paper without the gold sentences, and the likeliest other paper.
    """
    sentences = SentenceVectors(footnote.embedder)
    documents = {document.source: document for document in footnote.library.every()}

    def beside(claim: str, document: Document, kind: str, supported: bool, *, without: Sequence[str] = ()) -> Claimed:
        query = sentences.query(claim, footnote.library.idf)
        ranked = nearest_sentences(query, document, sentences, most=len(document.text))
        evidence = [e for e in ranked if not any(gold in e.text or e.text in gold for gold in without)][:SENTENCES]
        premise = " ".join(as_written(evidence))
        objects = guards.object_to(claim, premise, context=context_of(document)) is not None
        (entailment,) = judge.uncalibrated([(premise, claim)])
        return Claimed(kind, row.source, supported, (*signs(entailment), float(objects)))

    for row in claims:
        own = documents[row.source]
        faithful = row.label == Verdict.SUPPORTED
        yield beside(row.claim, own, row.type, faithful)
        if faithful:
            yield beside(row.claim, own, BESIDE, False, without=row.gold_sentences)
            other = next(hit.source for hit in footnote.search(row.claim, k=2) if hit.source != row.source)
            yield beside(row.claim, documents[other], BESIDE, False)


def entailer_weights(claimed: Sequence[Claimed]) -> JSON:
    """Calibration of the entailer and the worth of a guard's objection, with cross-validated scores by type."""
    found = np.array([item.signs for item in claimed])
    kinds = np.array([item.kind for item in claimed])
    supported = np.array([item.supported for item in claimed])
    weight = np.where(kinds == BESIDE, BESIDE_WEIGHT, 1.0)
    weights, bias = _fit(found, supported, weight)
    unfitted = _unfitted(found, supported, [item.source for item in claimed], weight)
    scores = {"auc": _auc(supported, unfitted, ~supported & (kinds != BESIDE))}
    scores |= {kind: _auc(supported, unfitted, kinds == kind) for kind in sorted(set(kinds[~supported].tolist()))}
    support, contradiction, objection = weights.tolist()
    constants = {"bias": bias, "support": support, "contradiction": contradiction, "objection": -objection}
    return _rounded(constants, 2) | {"cross_validated": _rounded(scores), "claims": len(claimed)}


# -- logistic regression ----------------------------------------------------------------------------


def _fit(found: Matrix, right: Flags, weight: Matrix | None = None) -> tuple[Matrix, float]:
    """Weights and bias on the signs as they are; fitted on standardized ones, C = 1.

    Without weights, both sides count the same, however many of each there are.
    """
    from sklearn.linear_model import LogisticRegression

    mean, spread = found.mean(0), found.std(0) + 1e-9
    model = LogisticRegression(class_weight="balanced" if weight is None else None)
    model.fit((found - mean) / spread, right, sample_weight=weight)
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ mean)


def _unfitted(found: Matrix, right: Flags, groups: Sequence[str], weight: Matrix | None = None) -> Matrix:
    """Log odds of each item by weights that were fitted without its group."""
    from sklearn.model_selection import GroupKFold

    scores = np.zeros(len(right))
    for kept, out in GroupKFold(FOLDS).split(found, right, groups):
        weights, bias = _fit(found[kept], right[kept], None if weight is None else weight[kept])
        scores[out] = found[out] @ weights + bias
    return scores


def _auc(right: Flags, scores: Matrix, wrong: Flags | None = None) -> float:
    """ROC AUC of what is right against `wrong`, or all the rest."""
    kept = right | (~right if wrong is None else wrong)
    area = roc_auc(right[kept].tolist(), scores[kept].tolist())
    return float("nan") if area is None else area


def _rounded(values: Mapping[str, float], digits: int = 3) -> dict[str, float]:
    return {name: round(float(value), digits) for name, value in values.items()}
