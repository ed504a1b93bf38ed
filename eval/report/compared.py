"""A comparison of two runs → whether and when one is better, as plain values; parts of it may be missing.

When: slices by question type. Why and how, the questions themselves, are in `pairings`.

Source: the views of LLM Comparator, Kahng et al. 2024, arXiv:2402.10524.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from eval.report import formats, plots
from eval.report.cards import Sign
from eval.report.figures import Table, settings
from eval.report.pairings import way
from eval.scoring import METRICS

SLICES = ("success@5", "a_paper_right", "key_facts", "coverage", "faithfulness", "false_refusal", "false_answer")
READING = (
    "B − A in points (of words, in words), with 95% intervals; “all alike” is no certainty. Verdicts are by p after "
    "Holm's correction over all metrics. “Detectable” is the smallest difference that this many questions would show "
    "four times in five, before that correction."
)
BETTER, WORSE, UNTOLD = "better", "worse", "cannot be told"
VERDICTS = {
    BETTER: Sign("good", "▲", BETTER),
    WORSE: Sign("bad", "▼", WORSE),
    UNTOLD: Sign("off", "?", UNTOLD),
}
GATES = {
    "pass": Sign("good", "✓", "pass"),
    "fail": Sign("bad", "✕", "fail"),
    "inconclusive": Sign("warn", "?", "inconclusive"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One metric in both runs."""

    name: str
    says: str
    lower_is_better: bool
    a: str
    b: str
    difference: str
    interval: str
    bar: Markup
    p: str
    p_holm: str
    n: int
    detectable: str
    split: Markup
    split_text: str
    sign: Sign


def changes(comparison: Mapping[str, Any]) -> list[tuple[str, list[Change]]]:
    """The metrics by group, each with its difference."""
    found: dict[str, list[Change]] = {}
    rows = {name: row for name, row in (comparison.get("metrics") or {}).items() if row}
    for name, row in rows.items():
        alike = [r for r in rows.values() if r.get("is_rate", True) == row.get("is_rate", True)]
        found.setdefault(str(row.get("group", "")), []).append(_change(name, row, _reach(alike)))
    return list(found.items())


def _reach(rows: Sequence[Mapping[str, Any]]) -> float:
    """The end of an axis that all of them share."""
    return max((abs(row.get(key) or 0) for row in rows for key in ("difference", "low", "high")), default=0) or 1.0


def _change(name: str, row: Mapping[str, Any], reach: float) -> Change:
    is_rate = bool(row.get("is_rate", True))
    split = [int(row.get(key) or 0) for key in ("wins", "ties", "losses")]
    return Change(
        formats.words(name),
        str(row.get("says") or ""),
        bool(row.get("lower_is_better")),
        formats.figure(row.get("a"), is_rate=is_rate),
        formats.figure(row.get("b"), is_rate=is_rate),
        formats.change(row.get("difference"), is_rate=is_rate),
        formats.changes(row.get("low"), row.get("high"), is_rate=is_rate),
        plots.change_bar(row, reach=reach),
        formats.probability(row.get("p")),
        formats.probability(row.get("p_holm")),
        int(row.get("n") or 0),
        formats.change(row.get("detectable"), is_rate=is_rate).lstrip("+"),
        plots.won_and_lost(split[0], split[1], split[2]),
        " / ".join(map(str, split)),
        VERDICTS.get(str(row.get("verdict")), VERDICTS[UNTOLD]),
    )


def told(comparison: Mapping[str, Any]) -> list[tuple[Sign, list[str]]]:
    """Each verdict with the metrics that got it."""
    rows = {name: row for name, row in (comparison.get("metrics") or {}).items() if row}
    return [
        (sign, [formats.words(name) for name, row in rows.items() if row.get("verdict", UNTOLD) == verdict])
        for verdict, sign in VERDICTS.items()
    ]


def gates(comparison: Mapping[str, Any]) -> list[tuple[str, Sign, str]]:
    """Each gate as it was asked, its outcome and the change that it saw."""
    found = []
    for gate in comparison.get("gates") or ():
        spec = str(gate.get("spec", ""))
        metric = METRICS.get(re.split("[<>]=", spec)[0].strip())
        is_rate = metric is None or metric.is_rate
        interval = formats.changes(gate.get("low"), gate.get("high"), is_rate=is_rate)
        seen = formats.change(gate.get("change"), is_rate=is_rate) + (" points" if is_rate else "")
        seen = f"{seen}{f' ({interval})' if interval else ''}" if gate.get("change") is not None else "no value"
        found.append((spec, GATES.get(str(gate.get("outcome")), GATES["inconclusive"]), seen))
    return found


def slices(comparison: Mapping[str, Any], metrics: Sequence[str] | None = None) -> Table:
    """B − A of each metric by type of question, an arrow says which way is better; by default the metrics of SLICES."""
    by_type = comparison.get("by_type") or {}
    wanted = SLICES if metrics is None else metrics
    names = [name for name in wanted if any(own.get(name) for own in by_type.values())]
    rows = tuple(
        (formats.words(kind), *(_slice(name, own.get(name)) for name in names)) for kind, own in by_type.items()
    )
    return Table(("type", *map(formats.words, names)), rows) if names else Table()


def _slice(name: str, row: Mapping[str, Any] | None) -> str:
    if not row or row.get("difference") is None:
        return formats.DASH
    metric = METRICS.get(name)
    is_rate = metric is None or metric.is_rate
    arrow = {"better": "▲ ", "worse": "▼ ", "same": ""}[way(name, row.get("a"), row.get("b"))]
    return f"{arrow}{formats.change(row['difference'], is_rate=is_rate)} ({row.get('n', formats.DASH)})"


def differing(comparison: Mapping[str, Any]) -> Table:
    """The settings that are not the same in both runs, and the systems."""
    a, b = comparison.get("a") or {}, comparison.get("b") or {}
    one, other = dict(settings(a)), dict(settings(b))
    rows = [("system", str(a.get("system", formats.DASH)), str(b.get("system", formats.DASH)))]
    for name in sorted({*one, *other}):
        values = one.get(name, formats.DASH), other.get(name, formats.DASH)
        if values[0] != values[1]:
            rows.append((name, *values))
    return Table(("setting", "A", "B"), tuple(rows))


def agreement(comparison: Mapping[str, Any]) -> str:
    """How much of both runs is the same, in a sentence; empty if nobody counted."""
    found = comparison.get("agreement") or {}
    parts = []
    if found.get("same_text") is not None:
        parts.append(
            f"{found['same_text']} of {comparison.get('questions', formats.DASH)} answers are word for word the same"
        )
    if found.get("shared_evidence") is not None:
        parts.append(f"on average {formats.figure(found['shared_evidence'])} of what either cites is cited by both")
    return "; ".join(parts) + "." if parts else ""
