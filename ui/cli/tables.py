"""Figures of an evaluation as tables of plain text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

HEADLINES = (
    "success@1", "success@5", "first_paper_right", "verbatim", "faithfulness", "faithfulness_drafted",
    "key_facts", "words", "coverage", "answered", "false_answer_near", "false_answer_far",
)  # fmt: skip


def of_metrics(metrics: Mapping[str, Any], names: Sequence[str] = HEADLINES) -> str:
    """Each of the named metrics that has a value: a line with its interval."""
    shown = [name for name in names if metrics.get(name)]
    lines = [f"{'':<22}{'value':>8}  {'95% interval':<16}{'n':>5}"]
    for name in shown:
        row = metrics[name]
        interval = _interval(row["low"], row["high"])
        lines.append(f"{name:<22}{_number(row['value']):>8}  {interval:<16}{row['n']:>5}")
    return "\n".join(lines)


def of_differences(metrics: Mapping[str, Any]) -> str:
    """Each metric in both runs, the change, and whether it can be told from chance."""
    lines = [f"{'':<22}{'A':>8}{'B':>8}{'change':>9}  {'95% interval':<18}{'p (Holm)':>9}  verdict"]
    for name, row in metrics.items():
        interval = _interval(row["low"], row["high"])
        p = "" if row["p_holm"] is None else f"{row['p_holm']:.3f}"
        seen = (
            f"; would see {row['detectable']:.2f}" if row["detectable"] and row["verdict"] == "cannot be told" else ""
        )
        lines.append(
            f"{name:<22}{_number(row['a']):>8}{_number(row['b']):>8}{row['difference']:>+9.3f}  {interval:<18}{p:>9}"
            f"  {row['verdict']}{seen}"
        )
    return "\n".join(lines)


def of_claims(tables: Mapping[str, Any]) -> str:
    """How well claims were judged, over all and for each type of claim; see `eval.claims.tables`."""
    lines = [f"{tables['claims']} claims {tables['labels']}, {tables['unscored']} unscored"]
    for name in ("auc", "auc_contradicted"):
        if found := tables[name]:
            lines.append(f"{name:<24}{found['auc']:.3f}  {found['low']:.3f} to {found['high']:.3f}")
    for name in ("balanced_accuracy", "macro_f1", "recognized", "wrongly_supported"):
        if tables[name] is not None:
            lines.append(f"{name:<24}{tables[name]:.3f}")
    for kind, row in tables["by_type"].items():
        auc = f"AUC {row['auc']['auc']:.3f}" if row.get("auc") else ""
        share = "recognized" if "recognized" in row else "wrongly_supported"
        lines.append(f"  {kind:<22}{row['n']:>4}  {auc:<11} {share} {_number(row[share])}")
    return "\n".join(lines)


def _interval(low: float | None, high: float | None) -> str:
    """One without width would look like certainty: it is put in words."""
    if low is None:
        return ""
    return "all alike" if low == high else f"{_number(low)} to {_number(high)}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
