"""Labelled claims → how good a judge of them is: `footnote eval claims`, and the self-test of every run.

A file of JSON Lines with `claim`, `label` and either `evidence` (a text or a list of sentences) or
`source` (a paper of the library) is judged line by line. The self-test needs no file of errors: it puts
known ones into faithful claims and asks whether the judge ranks the faithful ones higher.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.dataset import ClaimRow
from eval.inject import ErrorType, inject
from eval.metrics import ranking
from eval.statistics import bootstrap
from rag.errors import DocumentNotFoundError, EvalError
from rag.pipeline import MAX_QUESTION_CHARACTERS
from rag.text import fold, json_lines, whole
from rag.types import JSON, Verdict

Support = Callable[[str, Sequence[str]], float | None]  # claim, evidence sentences → how far it is supported

_SPELLINGS = {
    Verdict.SUPPORTED: ("supported", "support", "supports", "entailment", "entailed", "true", "1", "attributable"),
    Verdict.CONTRADICTED: ("contradicted", "contradict", "contradiction", "refutes", "refuted", "refute", "false"),
    Verdict.NOT_ENOUGH_INFO: (
        "not_enough_info", "nei", "neutral", "unsupported", "not_supported", "not_entailment", "0",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelledClaim:
    """A claim with its label, and the text or the source that it is about; `type` groups it in the tables."""

    id: str
    claim: str
    label: Verdict
    evidence: str | None = None
    source: str | None = None
    type: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim with what the judge made of it; `support` is `None` where it could not tell."""

    row: LabelledClaim
    verdict: Verdict
    support: float | None

    def to_dict(self) -> JSON:
        """Return the line of `footnote eval claims --out`."""
        row = self.row
        return {"id": row.id, "label": row.label.value, "verdict": self.verdict.value, "support": self.support}


def read_labelled(path: Path) -> list[LabelledClaim]:
    """The claims of a file. Raises EvalError that names every line that cannot be used."""
    try:
        lines = json_lines(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"{path} cannot be read: {error}") from error
    rows: list[LabelledClaim] = []
    wrong: list[str] = []
    first: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                rows.append(_labelled(json.loads(line), number))
                if first.setdefault(rows[-1].id, number) != number:
                    raise ValueError(f"the id {rows[-1].id!r} is that of line {first[rows[-1].id]}")
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                wrong.append(f"line {number}: {error}")
    if wrong:
        raise EvalError(f"{path} has {len(wrong)} unusable lines: {'; '.join(wrong[:20])}")
    if not rows:
        raise EvalError(
            f'{path} holds no claim; a line looks like {{"claim": "…", "evidence": "…", "label": "supported"}}'
        )
    return rows


def _labelled(row: Mapping[str, Any], number: int) -> LabelledClaim:
    claim = row.get("claim") or row.get("hypothesis")
    if not isinstance(claim, str) or not claim.strip():
        raise ValueError("no `claim`")
    if len(fold(claim)) > MAX_QUESTION_CHARACTERS:
        raise ValueError(f"the claim has {len(fold(claim)):,} characters, more than {MAX_QUESTION_CHARACTERS:,}")
    given = row.get("evidence", row.get("premise"))
    evidence = " ".join(given) if isinstance(given, list) else given
    source = row.get("source") if evidence is None else None
    for name, value in (("evidence", evidence), ("source", source)):
        if value is not None and not (isinstance(value, str) and value.strip() and value == whole(value)):
            raise ValueError(f"`{name}` is empty or not a text")
    if evidence is None and source is None:
        raise ValueError("neither `evidence` nor `source`")
    return LabelledClaim(
        str(row.get("id", number)),
        fold(claim),
        label_of(row.get("label")),
        evidence,
        source,
        str(row.get("type") or ""),
    )


def check_sources(path: Path, rows: Sequence[LabelledClaim], resolve: Callable[[str], object]) -> None:
    """Raises EvalError that names the claims about papers that `resolve` does not find."""
    wrong = []
    for row in rows:
        if row.source is not None:
            try:
                resolve(row.source)
            except DocumentNotFoundError as error:
                wrong.append(f"claim {row.id}: {error}")
    if wrong:
        raise EvalError(f"{path} has {len(wrong)} claims about papers that are not there: {'; '.join(wrong[:20])}")


def label_of(label: object) -> Verdict:
    """A label in any of the usual spellings. Raises ValueError for another one."""
    text = str(label).strip().lower().replace(" ", "_").replace("-", "_")
    for verdict, spellings in _SPELLINGS.items():
        if text in spellings:
            return verdict
    raise ValueError(f"label {label!r} is none of supported, contradicted, not_enough_info")


def tables(judged: Sequence[Judged]) -> JSON:
    """How well verdicts and support fit the labels, in all and for each type of unsupported claim.

    `auc` is supported against all others, `auc_contradicted` supported against contradicted; a type's
    is against all supported claims. Values are `None` where a side is missing.
    """
    scored = [item for item in judged if item.support is not None]
    gold = [item.row.label for item in judged]
    said = [None if item.support is None else item.verdict for item in judged]
    binary = [label is Verdict.SUPPORTED for label in gold]
    binary_said = [None if v is None else v is Verdict.SUPPORTED for v in said]
    supported = [item for item in scored if item.row.label is Verdict.SUPPORTED]
    contradicted = [item for item in scored if item.row.label is Verdict.CONTRADICTED]
    rest = [item for item in scored if item.row.label is not Verdict.SUPPORTED]
    return {
        "claims": len(judged),
        "labels": {verdict.value: gold.count(verdict) for verdict in Verdict if gold.count(verdict)},
        "unscored": len(judged) - len(scored),
        "auc": auc_interval(scored),
        "auc_contradicted": auc_interval([*supported, *contradicted]) if contradicted else None,
        "balanced_accuracy": ranking.balanced_accuracy(binary, binary_said),
        "accuracy_3": ranking.balanced_accuracy(gold, said),
        "macro_f1": ranking.macro_f1(gold, said),
        "wrongly_supported": _called_supported(rest),
        "recognized": _called_supported(supported),
        "by_type": {kind: _of_type(own, supported) for kind, own in _types(scored)},
    }


def _of_type(own: Sequence[Judged], supported: Sequence[Judged]) -> JSON:
    found: JSON = {"n": len(own)}
    right = [item for item in own if item.row.label is Verdict.SUPPORTED]
    wrong = [item for item in own if item.row.label is not Verdict.SUPPORTED]
    if right:
        found["recognized"] = _called_supported(right)
    if wrong:
        found |= {"auc": auc_interval([*supported, *wrong]), "wrongly_supported": _called_supported(wrong)}
    return found


def _types(judged: Sequence[Judged]) -> list[tuple[str, list[Judged]]]:
    kinds = dict.fromkeys(item.row.type for item in judged if item.row.type)
    return [(kind, [item for item in judged if item.row.type == kind]) for kind in kinds]


def auc_interval(judged: Sequence[Judged]) -> JSON | None:
    """ROC AUC of support for "supported" with its bootstrap interval; `None` without both sides."""
    pairs = [(item.row.label is Verdict.SUPPORTED, item.support) for item in judged]
    return auc_of(pairs, [item.row.source or item.row.evidence or item.row.id for item in judged])


def auc_of(pairs: Sequence[tuple[bool, float | None]], clusters: Sequence[str]) -> JSON | None:
    """ROC AUC of (is positive, score) pairs with its interval; `None` without both sides.

    `clusters` names the text that each is about; with one alone, the pairs are taken for independent.
    """

    def auc(rows: Sequence[tuple[bool, float | None]]) -> float | None:
        return ranking.roc_auc([positive for positive, _ in rows], [score for _, score in rows])

    interval = bootstrap(list(pairs), auc, clusters=clusters if len(set(clusters)) > 1 else None, resamples=500)
    if interval is None:
        return None
    return {"auc": interval.value, "low": interval.low, "high": interval.high, "n": interval.n}


def self_test(
    faithful: Sequence[ClaimRow],
    texts: Mapping[str, Sequence[str]],
    detectors: Mapping[str, Support],
    *,
    seed: int = 0,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """For each detector its AUC by injected error: the faithful claims against the same with one error.

    `texts` maps each source to its sentences, out of which errors that need foreign matter are made.
    `detectors` give how far a claim is supported. The value of `all` is over every error. `on_done(done,
    total)` is called before the first claim and after each, of every detector.
    """
    cases = list(_cases(faithful, texts, seed))
    found: dict[str, JSON] = {}
    done, total = 0, len(cases) * len(detectors)
    on_done(done, total)
    for name, support in detectors.items():
        scored: list[tuple[str, str, float | None]] = []
        for kind, source, claim, evidence in cases:
            scored.append((kind, source, support(claim, evidence)))
            done += 1
            on_done(done, total)
        kinds = [kind for kind in dict.fromkeys(kind for kind, _, _ in scored) if kind]
        found[name] = {kind: _told_apart(scored, {kind}) for kind in kinds}
        found[name]["all"] = _told_apart(scored, set(kinds))
    return found


def _told_apart(scored: Sequence[tuple[str, str, float | None]], errors: Collection[str]) -> JSON | None:
    """The AUC of (error or "", source, score) rows: those without an error against those with one of `errors`."""
    own = [row for row in scored if not row[0] or row[0] in errors]
    return auc_of([(not error, score) for error, _, score in own], [source for _, source, _ in own])


def coverage_test(
    faithful: Sequence[ClaimRow],
    texts: Mapping[str, Sequence[str]],
    left_out: Callable[[Sequence[str], Sequence[str]], Sequence[float]],
    *,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> JSON | None:
    """The AUC of telling what a claim leaves out of its abstract from the sentences that it conveys.

    `left_out(answer, evidence)` gives a score for each sentence of evidence, higher where it is missing.
    `on_done(done, total)` is called before the first claim and after each.
    """
    on_done(0, len(faithful))
    pairs: list[tuple[bool, float | None]] = []
    clusters: list[str] = []
    for done, row in enumerate(faithful, start=1):
        evidence = texts.get(row.source, ())
        if row.label is Verdict.SUPPORTED and row.gold_sentences and evidence:
            found = left_out([row.claim], evidence)
            pairs += [(s not in row.gold_sentences, score) for s, score in zip(evidence, found, strict=True)]
            clusters += [row.source] * len(found)
        on_done(done, len(faithful))
    return auc_of(pairs, clusters)


def _cases(
    faithful: Sequence[ClaimRow], texts: Mapping[str, Sequence[str]], seed: int
) -> Iterator[tuple[str, str, str, Sequence[str]]]:
    """(error or "", source, claim, evidence): each faithful claim, and each error that fits it."""
    sources = sorted(texts)
    for row in faithful:
        if row.label is not Verdict.SUPPORTED or not row.gold_sentences:
            continue
        yield "", row.source, row.claim, row.gold_sentences
        place = sources.index(row.source) if row.source in texts else 0
        near = [sources[(place + step) % len(sources)] for step in (1, 2) if sources]
        others = [s for source in near if source != row.source for s in texts[source]]
        own = [s for s in texts.get(row.source, ()) if s not in row.gold_sentences]
        for error in ErrorType:
            within = inject(row.claim, error, seed=seed, donors=own) if error is ErrorType.ENTITY else None
            injected = within or inject(row.claim, error, seed=seed, donors=others)
            if injected:
                yield error.value, row.source, injected.text, row.gold_sentences


def _called_supported(judged: Sequence[Judged]) -> float | None:
    return sum(item.verdict is Verdict.SUPPORTED for item in judged) / len(judged) if judged else None
