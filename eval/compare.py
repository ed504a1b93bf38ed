"""Two runs over the same questions → what got better, what got worse, and what cannot be told.

Paired by question and clustered by abstract: a difference has an interval, a p-value adjusted for the
number of metrics, and beside it the smallest difference that so many questions would show. A question that
ended in an error in either run can be compared in nothing; with errors in B that A has not, no gate passes.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.dataset import Question
from eval.run import Record, read_manifest
from eval.scoring import METRICS, Metric
from eval.statistics import (
    DISCORDANT,
    Gate,
    GateOutcome,
    Interval,
    bootstrap,
    detectable_mean,
    detectable_rate,
    holm,
    mcnemar,
    swap_sides,
)
from rag.errors import EvalError
from rag.types import JSON

SIGNIFICANT = 0.05
SORTED_BY = "key_facts"  # rows are sorted by the change in this
_ROUNDING = 1e-9
_ROW = {"id", "type", "cluster", "outcome", "scores"}  # what a row of scores.json has

_Pair = tuple[float, float, float, float]  # part and whole in A, part and whole in B


def compare(
    folder_a: Path,
    folder_b: Path,
    questions: Sequence[Question],
    records_a: Sequence[Record],
    records_b: Sequence[Record],
    *,
    gates: Sequence[Gate] = (),
) -> JSON:
    """The comparison of two scored runs over `questions`; its keys are those of `comparison.json`.

    Raises EvalError if a run has no scores, questions or judges differ, or a gate names an unknown metric or
    calls worse what is better.
    """
    a, b = read_scores(folder_a), read_scores(folder_b)
    rows_a = {row["id"]: row for row in a["rows"]}
    rows_b = {row["id"]: row for row in b["rows"]}
    run_a, run_b = read_manifest(folder_a), read_manifest(folder_b)
    if rows_a.keys() != rows_b.keys() or run_a.get("questions_sha256") != run_b.get("questions_sha256"):
        raise EvalError(f"{folder_a} and {folder_b} were asked other questions; compare runs over the same file")
    if a.get("judge") != b.get("judge"):
        raise EvalError(
            f"{folder_a} was scored by {a.get('judge')!r}, {folder_b} by {b.get('judge')!r}; score one of them again "
            "with the other's --judge: its answers are kept"
        )
    for gate in gates:
        _check(gate)
    errors = {
        side: [i for i, row in rows.items() if row["outcome"] == "error"]
        for side, rows in (("a", rows_a), ("b", rows_b))
    }
    spoilt = len(set(errors["b"]) - set(errors["a"]))
    ids = [row["id"] for row in a["rows"]]
    clusters = [rows_a[i]["cluster"] for i in ids]
    found = {name: _metric(metric, _pairs(name, ids, rows_a, rows_b), clusters) for name, metric in METRICS.items()}
    metrics = {name: row for name, row in found.items() if row}
    adjusted = holm({name: row["p"] for name, row in metrics.items()})
    for name, row in metrics.items():
        row["p_holm"] = adjusted[name]
        row["verdict"] = _verdict(row)
    return {
        "a": run_a,
        "b": run_b,
        "questions": len(ids),
        "judge": a.get("judge"),
        "errors": {side: len(own) for side, own in errors.items()},
        "metrics": metrics,
        "by_type": _by_type(ids, rows_a, rows_b, list(metrics)),
        "rows": _rows(questions, rows_a, rows_b),
        "gates": [_gated(gate, metrics.get(gate.metric), spoilt) for gate in gates],
        "agreement": _agreement(records_a, records_b),
    }


def read_scores(folder: Path) -> JSON:
    """The scores of a run. Raises EvalError if there are none."""
    try:
        found: JSON = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvalError(f"{folder} has no scores: {error}; make them with: footnote eval run --out {folder}") from error
    rows = found.get("rows") if isinstance(found, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.keys() >= _ROW for row in rows):
        raise EvalError(f"{folder} is no run of questions: its scores.json has no rows of them")
    return found


def _check(gate: Gate) -> None:
    """Refuse a gate on what is no metric, or one that would pass the worst of changes."""
    if gate.metric not in METRICS:
        raise EvalError(f"no metric is called {gate.metric!r}; there are: {', '.join(METRICS)}")
    if gate.lower_is_better != METRICS[gate.metric].lower_is_better:
        right = "<=" if METRICS[gate.metric].lower_is_better else ">="
        better = "lower" if METRICS[gate.metric].lower_is_better else "higher"
        raise EvalError(f"gate {str(gate)!r} is upside down: {better} is better, so write {gate.metric}{right}…")


def outcome(comparison: Mapping[str, Any]) -> GateOutcome:
    """The worst that the gates say: fail before inconclusive before pass; pass without a gate."""
    said = {GateOutcome(gate["outcome"]) for gate in comparison["gates"]}
    return next((each for each in (GateOutcome.FAIL, GateOutcome.INCONCLUSIVE) if each in said), GateOutcome.PASS)


def _pairs(name: str, ids: Sequence[str], rows_a: Mapping[str, Any], rows_b: Mapping[str, Any]) -> list[_Pair | None]:
    """What each question got in both runs; `None` where the metric does not apply to both."""
    pairs: list[_Pair | None] = []
    for each in ids:
        one, other = rows_a[each]["scores"].get(name), rows_b[each]["scores"].get(name)
        both = one and other and one[1] and other[1]
        pairs.append((one[0], one[1], other[0], other[1]) if both else None)
    return pairs


def _metric(metric: Metric, pairs: Sequence[_Pair | None], clusters: Sequence[str]) -> JSON | None:
    kept = [(pair, cluster) for pair, cluster in zip(pairs, clusters, strict=True) if pair]
    if not kept:
        return None
    own = _weighed(metric, [pair for pair, _ in kept])
    keys = [cluster for _, cluster in kept]
    before = [part / whole for part, whole, _, _ in own]
    after = [part / whole for _, _, part, whole in own]
    interval = bootstrap(own, _difference, clusters=keys, resamples=1000)
    binary = set(before) | set(after) <= {0.0, 1.0}
    changes = [y - x for x, y in zip(before, after, strict=True)]
    better = sum((change < 0) == metric.lower_is_better and change != 0 for change in changes)
    return {
        "group": metric.group,
        "says": metric.says,
        "lower_is_better": metric.lower_is_better,
        "is_rate": metric.is_rate,
        "a": _side(own, 0),
        "b": _side(own, 2),
        "difference": _difference(own),
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "p": swap_sides(own, clusters=keys),
        "p_mcnemar": mcnemar([x == 1 for x in before], [x == 1 for x in after]) if binary else None,
        "n": len(own),
        "clusters": len(set(keys)),
        "detectable": _detectable_rate(changes) if binary else _detectable(own, keys),
        "wins": better,
        "ties": changes.count(0.0),
        "losses": len(changes) - better - changes.count(0.0),
    }


def _weighed(metric: Metric, rows: Sequence[_Pair]) -> list[_Pair]:
    """The rows whose pooled shares are the metric: each question as one item, unless its items count."""
    return list(rows) if metric.pooled else [(a / b, 1.0, c / d, 1.0) for a, b, c, d in rows]


def _side(rows: Sequence[_Pair], first: int) -> float:
    return sum(row[first] for row in rows) / sum(row[first + 1] for row in rows)


def _difference(rows: Sequence[_Pair]) -> float:
    return _side(rows, 2) - _side(rows, 0)


def _detectable_rate(changes: Sequence[float]) -> float | None:
    """The smallest difference of rates that so many questions would probably show, taken as independent."""
    discordant = sum(change != 0 for change in changes) / len(changes)
    return detectable_rate(len(changes), discordant=max(discordant, DISCORDANT))  # few may be chance


def _detectable(rows: Sequence[_Pair], clusters: Sequence[str]) -> float | None:
    """The smallest difference that so many questions, in clusters, would probably show.

    What a cluster adds to the difference is linear in its sums; of a pooled share to the first order.

    Source: the ratio estimator, Cochran, Sampling Techniques, 1977, chapter 6.
    """
    one, other = _side(rows, 0), _side(rows, 2)
    items_a, items_b = (sum(row[place] for row in rows) / len(rows) for place in (1, 3))
    added: dict[str, float] = defaultdict(float)
    for (a, b, c, d), cluster in zip(rows, clusters, strict=True):
        added[cluster] += (c - other * d) / items_b - (a - one * b) / items_a
    deviation = math.sqrt(sum(each**2 for each in added.values()) / len(rows))
    return detectable_mean(len(rows), deviation) if deviation > _ROUNDING else None


def _verdict(row: Mapping[str, Any]) -> str:
    """`better` or `worse` only where the adjusted p-value says so."""
    if row["p_holm"] is None or row["p_holm"] > SIGNIFICANT or not row["difference"]:
        return "cannot be told"
    return "worse" if (row["difference"] > 0) == row["lower_is_better"] else "better"


def _by_type(ids: Sequence[str], rows_a: Mapping[str, Any], rows_b: Mapping[str, Any], names: Sequence[str]) -> JSON:
    found: JSON = {}
    for kind in dict.fromkeys(rows_a[i]["type"] for i in ids):
        own = [i for i in ids if rows_a[i]["type"] == kind]
        found[kind] = {}
        for name in names:
            pairs = [pair for pair in _pairs(name, own, rows_a, rows_b) if pair]
            if pairs:
                weighed = _weighed(METRICS[name], pairs)
                found[kind][name] = {
                    "a": _side(weighed, 0),
                    "b": _side(weighed, 2),
                    "difference": _difference(weighed),
                    "n": len(pairs),
                }
    return found


def _rows(questions: Sequence[Question], rows_a: Mapping[str, Any], rows_b: Mapping[str, Any]) -> list[JSON]:
    """Every question with what it got in both runs, worst change first; ties in their order, an error among them."""
    rows = []
    for question in questions:
        if question.id in rows_a:
            one, other = (_values(rows[question.id]) for rows in (rows_a, rows_b))
            name = SORTED_BY if question.answerable else "false_answer"
            sign = 1 if question.answerable else -1
            failed = "error" in (rows_a[question.id]["outcome"], rows_b[question.id]["outcome"])
            change = 0.0 if failed else sign * ((other.get(name) or 0.0) - (one.get(name) or 0.0))
            rows.append(
                {
                    "id": question.id,
                    "type": question.type,
                    "question": question.question,
                    "change": change,
                    "a": one,
                    "b": other,
                }
            )
    return sorted(rows, key=lambda row: row["change"])


def _values(row: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: (part / whole if whole else None) for name, (part, whole, _) in row["scores"].items()}


def _gated(gate: Gate, row: Mapping[str, Any] | None, spoilt: int) -> JSON:
    """A gate and what it says of the difference; `spoilt` questions, answered in A, ended in an error in B."""
    change = None
    if row and row["low"] is not None:
        change = Interval(row["difference"], row["low"], row["high"], row["n"], row["clusters"])
    said = gate.outcome(change)
    if spoilt and said is GateOutcome.PASS:
        said = GateOutcome.INCONCLUSIVE
    return {
        "spec": str(gate),
        "outcome": said.value,
        "errors": spoilt,
        "change": change.value if change else None,
        "low": change.low if change else None,
        "high": change.high if change else None,
    }


def _agreement(records_a: Sequence[Record], records_b: Sequence[Record]) -> JSON:
    """How many answers are the same to the letter, and the mean share of cited sentences in common."""
    other = {record.id: record for record in records_b}
    same, shares = 0, []
    for record in records_a:
        one, two = record.answer, other[record.id].answer if record.id in other else None
        if one and two:
            same += one.text == two.text
            places = [{(c.doc_id, c.start, c.end) for c in answer.citations} for answer in (one, two)]
            if places[0] | places[1]:
                shares.append(len(places[0] & places[1]) / len(places[0] | places[1]))
    return {"same_text": same, "shared_evidence": sum(shares) / len(shares) if shares else None}
