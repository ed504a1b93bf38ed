"""The Compare tab: two runs of the same questions beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from eval.report.marking import Pieces
from eval.report.pairings import told_apart
from rag.errors import FootnoteError
from ui.web import plans, runs
from ui.web.render import html
from ui.web.site import PLAIN, QUIET, Site, pressed
from ui.web.view import Shown, shown

MOST_ROWS = 200
PLACE = 9100  # see `evaluation.PLACE`


class CompareTab:
    """The components of the tab, and what happens between them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._library = site.footnote.library.folder
        with gr.Row(visible=False, elem_id="choosing") as self.row:
            self.one = gr.Dropdown([], label="A", interactive=True, min_width=140)
            self.other = gr.Dropdown([], label="B", interactive=True, min_width=140)
            self.button = gr.Button("Compare", variant="primary", size="sm", elem_id="comparing")
        self.busy = gr.HTML(elem_id="busy", elem_classes="waits", **PLAIN)
        self.table = gr.HTML(elem_id="compared", **PLAIN)
        self.both = gr.HTML(elem_id="both", **PLAIN)
        self.chosen = [self.one, self.other]
        self.choosing = [self.row, *self.chosen, self.table, self.both]

    def connect(self, bridge: Any) -> None:
        """Wire the events."""
        waits: dict[str, Any] = {"concurrency_id": "eval", "concurrency_limit": 1, "api_visibility": "private"}
        waits |= {"show_progress": "minimal", "show_progress_on": self.busy}  # see `app._keep_small`
        self.button.click(self._compared, self.chosen, [self.table, self.both], **waits)
        for box in self.chosen:  # what was compared is no longer what is chosen
            box.input(self._nothing, None, [self.table, self.both], queue=False, **QUIET)
        bridge.both(self._both, self.chosen, self.both, queue=False, **QUIET)

    def choices(self, one: str | None, other: str | None) -> list[Any]:
        """New values of `choosing`; what was chosen stays while it is there."""
        there = plans.finished(self._library)
        first = one if one in there else next(iter(there), None)
        second = other if other in there else next((name for name in there if name != first), None)
        is_kept = bool(one) and (first, second) == (one, other)
        shown = [gr.skip(), gr.skip()] if is_kept else self._nothing()
        choices = [gr.update(choices=there, value=value) for value in (first, second)]
        return [gr.update(visible=len(there) > 1), *choices, *shown]

    def _nothing(self) -> list[str]:
        there = plans.finished(self._library)
        return [html("compared", names=(), found=None, runs=len(there), error="", most=0), ""]

    def _compared(self, one: str | None, other: str | None) -> tuple[str, str]:
        there = plans.finished(self._library)
        folder = f"{self._library / plans.FOLDER}/"  # a name tells enough
        told = {"names": (one, other), "runs": len(there), "most": MOST_ROWS}
        if one not in there or other not in there:
            return html("compared", **told, found=None, error=""), ""
        try:
            with runs.readable(one, other):
                return html("compared", **told, found=runs.compared(self.site.footnote, one, other), error=""), ""
        except FootnoteError as broken:
            return html("compared", **told, found=None, error=str(broken).replace(folder, "")), ""

    def _both(self, one: str | None, other: str | None, event: gr.EventData) -> str:
        names = [name for name in (one, other) if name in plans.finished(self._library)]
        return sides(self.site, names, pressed(event, "value"), PLACE)


def sides(site: Site, names: Sequence[str], question_id: str, place: int) -> str:
    """What each run made of a question, beside what it should have; `place` keeps their keys apart."""
    try:
        with runs.readable(*names):
            return _sides(site, names, question_id, place)
    except FootnoteError as broken:
        return html("problem", error=str(broken))


def _sides(site: Site, names: Sequence[str], question_id: str, place: int) -> str:
    views: list[tuple[str, Shown | None, str]] = []
    asked = None
    for number, name in enumerate(names):
        question, record = runs.answered(site.footnote, name, question_id)
        asked = asked or question
        answer = record.answer if record else None
        view = shown(place + number, answer, site.documents(answer)) if answer else None
        views.append((name, view, record.error if record else "It is not in this run."))
    key = "/".join((*names, question_id))
    return html("both", sides=views, question=asked, diff=_worded([view for _, view, _ in views]), key=key)


@dataclass(frozen=True, slots=True)
class _Worded:
    """The sentences of both answers in pieces, or in a note why words are not set against words."""

    marked: tuple[tuple[Pieces, ...], ...] = ()
    note: str = ""


def _worded(views: Sequence[Shown | None]) -> _Worded:
    texts = [[sentence.text for sentence in view.sentences] for view in views if view and view.sentences]
    if len(texts) < 2:
        return _Worded()
    one, other = texts
    if one == other:
        return _Worded(note="Both answers are the same, word for word.")
    marked = told_apart(one, other)
    return (
        _Worded(marked)
        if marked
        else _Worded(note="The answers differ in nearly every word: a word diff tells nothing.")
    )
