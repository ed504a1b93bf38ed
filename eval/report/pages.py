"""Values → one HTML page that needs nothing else. The one place where text of others becomes part of a page.

Every template is autoescaped, so that text stays text whatever it holds; style and script are part of the
page, and its content policy forbids it to fetch anything. Nothing here reads a score or computes one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import jinja2

from eval.dataset import Question
from eval.report import compared, figures, formats, plots
from eval.report.cards import Card
from eval.report.failures import KINDS, Kind
from eval.report.pairings import WAYS, Pairing, failures


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("eval.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["words"] = formats.words
    return environment


def run_page(scores: Mapping[str, Any], cards: Sequence[Card], summary: str) -> str:
    """The page of one run."""
    run = scores.get("run") or {}
    detectors = scores.get("detectors") or {}
    hallucination = detectors.get("hallucination") or {}
    return _page(
        "report",
        title=f"Evaluation of {run.get('system', 'a run')}",
        summary=summary,
        manifest=figures.manifest(run),
        judge=figures.judge(scores),
        headline=figures.headline(scores),
        groups=figures.groups(scores),
        controls=figures.controls(scores),
        about_controls=figures.CONTROLS,
        risk=plots.risk_coverage(scores.get("risk_coverage") or (), aurc=scores.get("aurc")),
        aurc=scores.get("aurc"),
        detected=plots.auc_by_type(hallucination),
        detector_legend=plots.legend(list(hallucination)),
        detector_table=figures.auc_table(hallucination),
        coverage_table=figures.coverage_table(detectors.get("coverage") or {}),
        type_plots=figures.type_plots(scores),
        type_table=figures.type_table(scores),
        costs=figures.costs(scores),
        cards=cards,
        kinds=_counted(card.side.kinds for card in cards),
        good=sum(not any(kind.fails for kind in card.side.kinds) for card in cards),
        types=_types(card.question for card in cards),
    )


def comparison_page(comparison: Mapping[str, Any], paired: Sequence[Pairing]) -> str:
    """The page of two runs, B against A."""
    ways = Counter(pairing.way for pairing in paired)
    return _page(
        "comparison",
        title="B against A",
        agreement=compared.agreement(comparison),
        questions=comparison.get("questions", len(paired)),
        differing=compared.differing(comparison),
        told=compared.told(comparison),
        reading=compared.READING,
        gates=compared.gates(comparison),
        changes=compared.changes(comparison),
        slices=compared.slices(comparison),
        every_slice=compared.slices(comparison, list(comparison.get("metrics") or ())),
        failures=failures(paired),
        pairings=paired,
        ways=[(way, sign, ways[way]) for way, sign in reversed(WAYS.items())],
        signs=WAYS,
        kinds=_counted(pairing.kinds for pairing in paired),
        types=_types(pairing.question for pairing in paired),
    )


def _page(template: str, **values: Any) -> str:
    return _environment().get_template(f"{template}.html").render(values)


def _counted(found: Iterable[Sequence[Kind]]) -> list[tuple[Kind, int]]:
    counts = Counter(kind for kinds in found for kind in kinds)
    return [(kind, counts[kind]) for kind in KINDS if counts[kind]]


def _types(questions: Iterable[Question]) -> list[tuple[str, int]]:
    return list(Counter(question.type for question in questions).items())
