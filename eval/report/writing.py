"""A finished run, or two of them, → the files of its report.

The same scores, questions and records give the same bytes. What the scores lack, the report says is lacking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.dataset import Question
from eval.report import markdown, pages, tables
from eval.report.cards import card
from eval.report.failures import shares_of
from eval.report.pairings import pairings
from eval.run import Record

MARKDOWN, HTML, CSV, JUNIT, COMPARISON_CSV = "report.md", "report.html", "scores.csv", "junit.xml", "comparison.csv"


def write_report(
    folder: Path, scores: Mapping[str, Any], questions: Sequence[Question], records: Sequence[Record]
) -> None:
    """Write `report.md`, `report.html`, `scores.csv` and `junit.xml` of one run.

    `scores` is what `score_run` returns, with `run`, `judge_quality`, `detectors`, `controls` and `costs`
    where they are known. `records` are in the order of `questions`.
    """
    rows = {row["id"]: row for row in scores.get("rows") or ()}
    cards = [
        card(number, question, record, shares_of(rows.get(question.id, {})))
        for number, (question, record) in enumerate(zip(questions, records, strict=True), 1)
    ]
    _write(folder / MARKDOWN, markdown.run_markdown(scores, questions, records))
    _write(folder / HTML, pages.run_page(scores, cards, markdown.summary(scores, records)))
    _write(folder / CSV, tables.scores_csv(scores, questions, records))
    _write(folder / JUNIT, tables.junit(scores, questions, records))


def write_comparison(
    folder: Path,
    comparison: Mapping[str, Any],
    questions: Sequence[Question],
    records_a: Sequence[Record],
    records_b: Sequence[Record],
) -> None:
    """Write `report.md`, `report.html` and `comparison.csv` of two runs of the same questions, B against A."""
    paired = pairings(comparison, questions, records_a, records_b)
    _write(folder / MARKDOWN, markdown.comparison_markdown(comparison, paired))
    _write(folder / HTML, pages.comparison_page(comparison, paired))
    _write(folder / COMPARISON_CSV, tables.comparison_csv(comparison))


def _write(path: Path, text: str) -> None:
    """A lone half of a surrogate pair, which UTF-8 cannot hold, becomes a question mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", errors="replace"))
