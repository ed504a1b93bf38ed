"""The Eval and Compare tabs: runs of the evaluation that lie in the library's folder.

A run is a folder under `runs/` with a `scores.json`. Where there is none, the tabs say so and how one is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ui.web.ask import PLAIN, QUIET
from ui.web.render import html

COMMAND = "footnote eval run"
MAX_BYTES = 5_000_000  # of a scores file; more is none of ours


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its name, its figures by dotted name, and whether it has a report to open."""

    name: str
    scores: Mapping[str, Any]
    report: Path | None


def runs(folder: Path) -> list[Run]:
    """The runs of a library, the latest name first; a folder whose scores cannot be read is left out."""
    found = []
    for path in sorted((folder / "runs").glob("*/scores.json"), reverse=True):
        try:
            if path.stat().st_size > MAX_BYTES:
                continue
            scores = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        report = path.with_name("report.html")
        if isinstance(scores, dict):
            found.append(Run(path.parent.name, dict(_flat(scores)), report if report.is_file() else None))
    return found


def _flat(scores: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Figures under the names of what they are in: `{"a": {"b": 1}}` gives `a.b`."""
    for name, value in scores.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, int | float | str | None):
            yield f"{prefix}{name}", value


def compared(one: Run, other: Run) -> list[tuple[str, Any, Any, float | None]]:
    """Name, both figures, and the second less the first where both are numbers."""
    names = dict.fromkeys([*one.scores, *other.scores])
    rows = []
    for name in names:
        a, b = one.scores.get(name), other.scores.get(name)
        difference = b - a if isinstance(a, int | float) and isinstance(b, int | float) else None
        rows.append((name, a, b, difference))
    return rows


class EvaluationTabs:
    """Two tabs: the figures of a run, and two runs beside each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def eval(self, page: gr.Blocks) -> None:
        """Put the Eval tab here."""
        shown = gr.HTML(elem_id="runs", **PLAIN)
        page.load(lambda: html("runs", runs=runs(self._folder), command=COMMAND), None, shown, queue=False, **QUIET)

    def compare(self, page: gr.Blocks) -> None:
        """Put the Compare tab here."""
        with gr.Row() as row:
            one = gr.Dropdown([], label="Run", interactive=True)
            other = gr.Dropdown([], label="Beside", interactive=True)
        shown = gr.HTML(elem_id="compared", **PLAIN)

        def begin() -> list[Any]:
            names = [run.name for run in runs(self._folder)]
            first, second = (*names[1:2], *names, None)[0], (*names, None)[0]
            update = [gr.update(choices=names, value=first), gr.update(choices=names, value=second)]
            return [gr.update(visible=len(names) > 1), *update, both(first, second)]

        def both(first: str | None, second: str | None) -> str:
            there = {run.name: run for run in runs(self._folder)}
            if len(there) < 2 or first not in there or second not in there:
                return html("compared", names=(), rows=(), runs=len(there), command=COMMAND)
            rows = compared(there[first], there[second])
            return html("compared", names=(first, second), rows=rows, runs=len(there), command=COMMAND)

        page.load(begin, None, [row, one, other, shown], queue=False, **QUIET)
        for chosen in (one, other):
            chosen.input(both, [one, other], shown, queue=False, **QUIET)
