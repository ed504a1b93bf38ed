"""The scores of a run → the figures on top of its report, as plain values.

Every part of the scores may be missing; then its value here is empty and the report says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from eval.report import formats, plots
from eval.scoring import METRICS
from rag.types import JSON

HEADLINE = ("faithfulness", "faithfulness_drafted", "key_facts", "a_paper_right", "false_answer", "false_refusal")
BY_TYPE = ("success@5", "key_facts", "coverage", "faithfulness", "false_refusal")
CHANCE = 0.5
VERIFIER = (
    "The judge is the model that verified these answers. What it did not believe was withdrawn before it was asked, "
    "so faithfulness after withdrawal is near 100% by construction: read it before withdrawal, and look at key facts."
)
CONTROLS = (
    "In each cell: the figure, its 95% interval unless all are alike, and after the dot how many questions it rests "
    "on. “The same questions” is this system on those that the controls are asked. BM25 only and copy top passage "
    "quote what they find first; gold abstract is this system given the papers with the answer, shuffled context "
    "given others; no context writes with nothing to read. A figure means something where it is far from theirs."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric with its interval, as it is written and drawn."""

    name: str
    says: str
    lower_is_better: bool
    value: str
    interval: str
    n: int
    items: int
    unscored: str
    bar: Markup


@dataclass(frozen=True, slots=True)
class Group:
    """The metrics of a group; `empty` names those that apply to none of the questions."""

    name: str
    figures: tuple[Figure, ...]
    empty: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows of text, the first cell of a row its name."""

    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class JudgeFigures:
    """Who judged, and how well it tells faithful sentences from ones with an error put in."""

    name: str
    warning: str = ""
    tested: str = ""
    plot: Markup = field(default_factory=Markup)
    table: Table = field(default_factory=Table)


def groups(scores: Mapping[str, Any]) -> list[Group]:
    """All metrics, in the order of METRICS, by group."""
    metrics = scores.get("metrics") or {}
    names = list(dict.fromkeys(metric.group for metric in METRICS.values()))
    found = []
    for group in names:
        own = [name for name, metric in METRICS.items() if metric.group == group and name in metrics]
        shown = tuple(figure(name, metrics[name]) for name in own if metrics[name])
        found.append(Group(group, shown, tuple(formats.words(name) for name in own if not metrics[name])))
    return [group for group in found if group.figures or group.empty]


def headline(scores: Mapping[str, Any]) -> list[Figure]:
    """The few figures to look at first, of those that there are."""
    metrics = scores.get("metrics") or {}
    return [figure(name, metrics[name]) for name in HEADLINE if metrics.get(name)]


def figure(name: str, row: Mapping[str, Any]) -> Figure:
    """One metric of `score_run`."""
    is_rate = bool(row.get("is_rate", True))
    top = 1.0 if is_rate else 1.15 * max(row.get("high") or 0, row.get("value") or 0, 1)
    bounds = ""
    if row.get("unscored"):
        span = formats.between(row.get("lowest"), row.get("highest"), is_rate=is_rate)
        bounds = f"{row['unscored']} unscored: {span}{'%' if is_rate else ''}"
    return Figure(
        formats.words(name),
        str(row.get("says") or ""),
        bool(row.get("lower_is_better")),
        formats.figure(row.get("value"), is_rate=is_rate),
        _interval(row, is_rate),
        int(row.get("n") or 0),
        int(row.get("items") or 0),
        bounds,
        plots.interval_bar(row, top=top),
    )


def _interval(row: Mapping[str, Any], is_rate: bool) -> str:
    """An interval without width would look like certainty: it is put in words."""
    if row.get("low") is not None and row["low"] == row.get("high"):
        return "all alike"
    return formats.between(row.get("low"), row.get("high"), is_rate=is_rate)


def judge(scores: Mapping[str, Any]) -> JudgeFigures:
    """The judge with its self-test; without one, `tested` is empty."""
    found = scores.get("judge_quality") or {}
    name = str(found.get("judge") or scores.get("judge") or "")
    warning = VERIFIER if found.get("is_verifier") else ""
    by_type = found.get("by_type") or {}
    if not by_type:
        return JudgeFigures(name, warning)
    return JudgeFigures(
        name, warning, _tested(found, by_type), plots.auc_by_type({name: by_type}), auc_table({name: by_type})
    )


def _tested(found: Mapping[str, Any], by_type: Mapping[str, Mapping[str, Any]]) -> str:
    told = {kind: row for kind, row in by_type.items() if row.get("auc") is not None}
    if not told:
        return ""
    worst, best = (pick(told, key=lambda kind: told[kind]["auc"]) for pick in (min, max))
    blind = [formats.words(kind) for kind, row in told.items() if row.get("low") is not None and row["low"] <= CHANCE]
    said = (
        f"Put to {formats.count(found.get('n_faithful') or 0, 'faithful sentence')} and the same with one known error, "
        f"it tells them apart with a ROC AUC from {formats.auc(told[worst])} for {formats.words(worst)} "
        f"to {formats.auc(told[best])} for {formats.words(best)}."
    )
    return said + (f" No better than chance, as far as can be told: {', '.join(blind)}." if blind else "")


def auc_table(detectors: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Table:
    """Types of error down, detectors across."""
    types = list(dict.fromkeys(kind for found in detectors.values() for kind in found))
    rows = tuple((formats.words(kind), *(_auc(found.get(kind)) for found in detectors.values())) for kind in types)
    return Table(("error (ROC AUC · claims)", *detectors), rows)


def _auc(found: Mapping[str, Any] | None) -> str:
    said = formats.auc(found)
    return f"{said} · {found['n']}" if found and said != formats.DASH else said


def coverage_table(detectors: Mapping[str, Mapping[str, Any]]) -> Table:
    """A detector of coverage errors a row."""
    rows = tuple((name, formats.auc(row), str(row.get("n", formats.DASH))) for name, row in detectors.items())
    return Table(("detector", "ROC AUC", "n"), rows)


def controls(scores: Mapping[str, Any]) -> Table:
    """The system and its controls side by side, a metric a row."""
    systems = {"this system": scores, **(scores.get("controls") or {})}
    if len(systems) == 1:
        return Table()
    found = {name: system.get("metrics") or {} for name, system in systems.items()}
    names = [name for name in METRICS if any(metrics.get(name) for metrics in found.values())]
    rows = tuple(
        (formats.words(name), *(_cell(name, metrics.get(name)) for metrics in found.values())) for name in names
    )
    asked = ("questions", *(str(system.get("questions", formats.DASH)) for system in systems.values()))
    failed = ("errors", *(str(system.get("errors", formats.DASH)) for system in systems.values()))
    return Table(("metric", *systems), (asked, failed, *rows))


def _cell(name: str, row: Mapping[str, Any] | None) -> str:
    if not row:
        return formats.DASH
    is_rate = METRICS[name].is_rate
    interval = formats.between(row.get("low"), row.get("high"), is_rate=is_rate, decimals=0)
    shown = f" ({interval})" if interval and row["low"] != row["high"] else ""
    return f"{formats.figure(row.get('value'), is_rate=is_rate)}{shown} · {row.get('n', formats.DASH)}"


def type_table(scores: Mapping[str, Any]) -> Table:
    """Every metric for every type of question."""
    metrics = {name: row for name, row in (scores.get("metrics") or {}).items() if row}
    types = list(dict.fromkeys(kind for row in metrics.values() for kind in row.get("by_type") or {}))
    rows = tuple((formats.words(name), *(_of_type(row, kind) for kind in types)) for name, row in metrics.items())
    return Table(("metric (value · questions)", *map(formats.words, types)), rows) if types else Table()


def _of_type(row: Mapping[str, Any], kind: str) -> str:
    own = (row.get("by_type") or {}).get(kind) or {}
    return (
        f"{formats.figure(own['value'], is_rate=bool(row.get('is_rate', True)))} · {own['n']}" if own else formats.DASH
    )


def type_plots(scores: Mapping[str, Any]) -> list[tuple[str, str, Markup]]:
    """Name, meaning and bars of the metrics that show best where a system is weak."""
    metrics = scores.get("metrics") or {}
    shown = [(name, metrics[name]) for name in BY_TYPE if metrics.get(name) and metrics[name].get("by_type")]
    return [(formats.words(name), str(row.get("says") or ""), plots.type_bars(row["by_type"])) for name, row in shown]


def costs(scores: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a question cost, in the words of the scores."""
    return [(_unit(name), _spread(value)) for name, value in (scores.get("costs") or {}).items() if value is not None]


def _unit(name: str) -> str:
    for ending, unit in (("_s", ", s"), ("_mb", ", MB")):
        if name.endswith(ending):
            return formats.words(name.removesuffix(ending)) + unit
    return formats.words(name)


def _spread(value: Any) -> str:
    if not isinstance(value, Mapping):
        return formats.quantity(value)
    return " · ".join(f"{formats.words(str(key))} {formats.quantity(own)}" for key, own in value.items())


def manifest(run: Mapping[str, JSON] | None) -> list[tuple[str, str]]:
    """What a run was made with: its questions by hash, then its settings."""
    if not run:
        return []
    known = [(formats.words(key), formats.quantity(value)) for key, value in run.items() if key != "settings"]
    return known + settings(run)


def settings(run: Mapping[str, JSON]) -> list[tuple[str, str]]:
    """The settings of a run, by name; one that is not set is a dash."""
    own: Sequence[tuple[str, Any]] = sorted((run.get("settings") or {}).items())
    return [(formats.words(key), formats.quantity(value) or formats.DASH) for key, value in own]
