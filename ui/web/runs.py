"""A finished run, or two beside each other, → what the Eval and Compare tabs show of them.

A run is a folder under `runs/` in the library's. What a figure means, how it is written and drawn, and
whether two differ by more than chance, is told by `eval`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval import compare as comparing
from eval.dataset import Question
from eval.report import compared as comparison
from eval.report import figures
from eval.report.cards import Card, card
from eval.report.failures import shares_of
from eval.run import Record, read_records
from rag.errors import EvalError
from rag.pipeline import Footnote
from ui.web.plans import FOLDER, questions_of

REPORT = "report.html"
_DAMAGED = (AttributeError, LookupError, TypeError, ValueError, OSError)  # of a folder edited by hand


@contextmanager
def readable(*names: str | None) -> Iterator[None]:
    """Around what reads or shows runs: whatever is wrong with their folders becomes an EvalError."""
    try:
        yield
    except _DAMAGED as error:
        told = " or ".join(str(name) for name in names)
        raise EvalError(
            f"{told} is damaged ({type(error).__name__}: {error}); start a new run, and remove this one's folder from "
            f"{FOLDER}/ in the library's"
        ) from error


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run; `cards` are its questions, what failed first, and are missing where they are not known."""

    name: str
    scores: Mapping[str, Any]
    headline: Sequence[figures.Figure]
    groups: Sequence[figures.Group]
    judge: figures.JudgeFigures
    controls: figures.Table
    about_controls: str
    plots: Sequence[tuple[str, str, Any]]
    costs: Sequence[tuple[str, str]]
    made: Sequence[tuple[str, str]]
    cards: Sequence[Card]
    report: Path | None


@dataclass(frozen=True, slots=True)
class Compared:
    """Two runs beside each other; `rows` are the questions, what got worse first."""

    questions: int
    agreement: str
    differing: figures.Table
    told: Sequence[tuple[Any, Sequence[str]]]
    changes: Sequence[tuple[str, Sequence[comparison.Change]]]
    slices: figures.Table
    rows: Sequence[Mapping[str, Any]]


def read(footnote: Footnote, name: str) -> Run:
    """A finished run. Raises EvalError where its scores cannot be read."""
    folder = footnote.library.folder / FOLDER / name
    scores = {**comparing.read_scores(folder), "costs": _costs(folder)}
    return Run(
        name,
        scores,
        figures.headline(scores),
        figures.groups(scores),
        figures.judge(scores),
        figures.controls(scores),
        figures.CONTROLS,
        figures.type_plots(scores),
        figures.costs(scores),
        figures.manifest(scores.get("run")),
        _cards(footnote, folder, scores),
        report(footnote.library.folder, name),
    )


def report(library: Path, name: str) -> Path | None:
    """The page that holds all there is to say of a run, to take away; None where there is none."""
    path = library / FOLDER / name / REPORT
    return path if path.is_file() else None


def _costs(folder: Path) -> Mapping[str, Any]:
    try:
        costs = json.loads((folder / "costs.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return costs if isinstance(costs, dict) else {}


def _cards(footnote: Footnote, folder: Path, scores: Mapping[str, Any]) -> list[Card]:
    try:
        questions = questions_of(folder, footnote)
    except EvalError:
        return []
    records = {record.id: record for record in read_records(folder)}
    rows = {row["id"]: row for row in scores.get("rows") or ()}
    made = [
        card(number, question, records[question.id], shares_of(rows[question.id]))
        for number, question in enumerate(questions or (), start=1)
        if question.id in records and question.id in rows
    ]
    return sorted(made, key=lambda own: -sum(kind.fails for kind in own.side.kinds))


def compared(footnote: Footnote, one: str, other: str) -> Compared:
    """The comparison as `footnote eval compare` makes it. Raises EvalError where the runs do not fit each other."""
    a, b = (footnote.library.folder / FOLDER / name for name in (one, other))
    asked = questions_of(a, footnote) or questions_of(b, footnote)
    if asked is None:
        raise EvalError(f"the questions of {one} are not here; compare with: footnote eval compare --questions FILE")
    found = comparing.compare(a, b, asked, read_records(a), read_records(b))
    return Compared(
        found["questions"],
        comparison.agreement(found),
        comparison.differing(found),
        comparison.told(found),
        comparison.changes(found),
        comparison.slices(found),
        found["rows"],
    )


def answered(footnote: Footnote, name: str, question_id: str) -> tuple[Question | None, Record | None]:
    """A question of a run and what became of it; None for what is not known."""
    folder = footnote.library.folder / FOLDER / name
    try:
        questions, records = questions_of(folder, footnote) or (), read_records(folder)
    except EvalError:
        return None, None
    question = next((question for question in questions if question.id == question_id), None)
    return question, next((record for record in records if record.id == question_id), None)
