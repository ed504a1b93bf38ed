"""Runs of the evaluation that lie in the library's folder → figures to show, one run's or two beside each other.

A run is a folder under `runs/` that `footnote eval run` made. What a figure means, and whether two differ by
more than chance, is told by `eval`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval import compare as comparing
from eval import harness
from eval.dataset import Question, read_questions
from eval.run import Record, read_records
from rag.errors import FootnoteError
from rag.types import Answer

FOLDER = "runs"


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric with what it says and its 95 % interval; `unscored` questions could not be judged."""

    group: str
    name: str
    says: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unscored: int
    slices: tuple[tuple[str, float | None, int], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run."""

    name: str
    questions: int
    abstained: int
    errors: int
    judge: str
    figures: tuple[Figure, ...]
    report: Path | None


def names(library: Path) -> list[str]:
    """The runs that have scores, by name."""
    return sorted(path.parent.name for path in (library / FOLDER).glob("*/scores.json"))


def read(library: Path, name: str) -> Run:
    """A run's figures. Raises EvalError where its scores cannot be read."""
    folder = library / FOLDER / name
    scores = comparing.read_scores(folder)
    figures = tuple(_figure(metric, row) for metric, row in scores.get("metrics", {}).items())
    report = folder / "report.html"
    return Run(
        name,
        scores.get("questions", 0),
        scores.get("abstained", 0),
        scores.get("errors", 0),
        str(scores.get("judge", "")),
        figures,
        report if report.is_file() else None,
    )


def _figure(name: str, row: Mapping[str, Any]) -> Figure:
    slices = tuple((kind, own["value"], own["n"]) for kind, own in (row.get("by_type") or {}).items())
    keys = ("value", "low", "high")
    value, low, high = (row.get(key) for key in keys)
    said = row["group"], name, row["says"]
    return Figure(*said, value, low, high, row.get("n", 0), row.get("unscored", 0), slices)


def compared(library: Path, one: str, other: str) -> Mapping[str, Any]:
    """The comparison as `footnote eval compare` makes it. Raises EvalError where the runs do not fit each other."""
    a, b = (library / FOLDER / name for name in (one, other))
    asked = _asked({row["id"] for row in comparing.read_scores(a)["rows"]})
    return comparing.compare(a, b, asked, read_records(a), read_records(b))


def _asked(ids: set[str]) -> Sequence[Question]:
    files = sorted(harness.DATA.glob("questions-*.jsonl"))
    return [question for file in files for question in read_questions(file) if question.id in ids]


def answers(library: Path, name: str, question_id: str) -> Answer | None:
    """What a run answered to a question; None for an error or an unknown question."""
    try:
        records: Sequence[Record] = read_records(library / FOLDER / name)
    except FootnoteError:
        return None
    return next((record.answer for record in records if record.id == question_id), None)
