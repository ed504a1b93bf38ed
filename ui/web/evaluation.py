"""The Eval tab: start a run and watch it, stop it and go on with it, and read what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from rag.errors import FootnoteError
from ui.web import downloads, plans, runs
from ui.web.compare import CompareTab, sides
from ui.web.job import DONE
from ui.web.render import html
from ui.web.site import PLAIN, QUIET, Site, number_from, pressed

WATCH_S = 1.5
PLACE = 9000  # of the answer that is looked at; turns of a conversation never get so far


class EvalTab:
    """The components of the tab, and what happens between them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._library = site.footnote.library.folder
        self.clock = gr.Timer(WATCH_S, active=False)
        self.watched = gr.State(False)  # whether the page's own run was under way when last looked at
        self.standing = gr.HTML(elem_id="standing", visible=False, **PLAIN)
        self.stop = gr.Button("Stop the run", visible=False, size="sm", elem_id="stoprun")
        self._plan()
        self.chosen = gr.Dropdown([], label="Run", interactive=True, visible=False, elem_id="run")
        with gr.Row(elem_id="runfile"):
            self.take = gr.Button("Download the whole report", visible=False, size="sm", elem_id="takereport")
            self.file = gr.DownloadButton("Download", visible="hidden", elem_id="report")
        self.figures = gr.HTML(elem_id="runs", **PLAIN)
        self.answer = gr.HTML(elem_id="answered", **PLAIN)

    def _plan(self) -> None:
        with gr.Accordion("New run", open=False, elem_id="plan") as self.form:
            choices = [(label, value) for value, label in plans.CHOICES.items()]
            self.choice = gr.Radio(choices, value=plans.SPLITS[0], label="Questions")
            self.upload = gr.File(label="JSON Lines of questions", file_types=[".jsonl"], visible=False, height=150)
            with gr.Row():
                self.limit = gr.Textbox(label="At most so many", max_length=6, min_width=120, placeholder="all")
                self.name = gr.Textbox(label="Name of the run", max_length=60, min_width=160, placeholder="automatic")
            self.full = gr.Checkbox(label="Also ask the controls and test the judge: takes several times as long")
            self.start = gr.Button("Start", variant="primary", size="sm", elem_id="startrun")
        self.problem = gr.HTML(elem_id="problem", visible=False, **PLAIN)
        self.elsewhere = gr.HTML(elem_id="elsewhere", visible=False, **PLAIN)
        with gr.Row(visible=False, elem_id="resume") as self.rest:
            self.begun = gr.Dropdown([], label="Not finished", interactive=True, min_width=160)
            self.resume = gr.Button("Resume", size="sm", elem_id="goon")

    def connect(self, bridge: Any, tabs: Sequence[gr.Tab], compare: CompareTab) -> None:
        """Wire the events; what a run changes is also told to the Compare tab."""
        looks = [self.elsewhere, self.standing, self.clock, self.watched, self.stop, self.start, self.form]
        looks += [self.rest, self.begun, self.problem]
        report = [self.chosen, self.take, self.answer, self.figures]
        fresh = [*looks, *report, *compare.choosing]
        kept = [self.chosen, *compare.chosen]  # only what never shrinks: gradio refuses a choice that went meanwhile
        quiet: dict[str, Any] = {"queue": False, **QUIET}

        def all_anew(chosen: str | None, one: str | None, other: str | None, come: str | None = None) -> list[Any]:
            return [*self._looks(), *self._report(chosen, come), *compare.choices(one, other)]

        def tick(watched: bool, chosen: str | None, one: str | None, other: str | None) -> list[Any]:
            now = self.site.job.standing
            is_under_way = bool(now and now.is_under_way)
            others = self._elsewhere()
            if watched == is_under_way and (is_under_way or others):
                standing = html("standing", now=now) if is_under_way else gr.skip()
                return [_told_elsewhere(others), standing, *[gr.skip()] * (len(fresh) - 2)]
            return all_anew(chosen, one, other, now.name if watched and now and now.state == DONE else None)

        for tab in tabs:
            tab.select(all_anew, kept, fresh, **quiet)
        self.clock.tick(tick, [self.watched, *kept], fresh, **quiet)
        planned = [self.choice, self.upload, self.limit, self.name, self.full]
        self.start.click(self._start, planned, looks, **quiet)
        self.resume.click(self._resume, self.begun, looks, **quiet)
        self.stop.click(self._stop, None, looks, **quiet)
        self.choice.change(lambda choice: gr.update(visible=choice == plans.FILE), self.choice, self.upload, **quiet)
        self.chosen.input(self._report, self.chosen, report, **quiet).then(lambda: "", None, self.answer, **quiet)
        self.take.click(self._file, self.chosen, self.file, **quiet).success(
            None, None, None, js="() => document.querySelector('#report a, a#report, button#report')?.click()"
        )
        bridge.answered(self._answered, self.chosen, self.answer, **quiet)

    # -- the run under way ----------------------------------------------------------------------

    def _start(self, choice: str, file: str | None, limit: str, name: str, full: bool) -> list[Any]:
        try:
            self.site.job.assert_free()
            plan = plans.draw_up(
                self.site.footnote,
                choice,
                file=Path(file) if file else None,
                limit=number_from(limit, "a number of questions"),
                name=str(name or ""),
                is_full=bool(full),
            )
            self.site.job.start(plan)
        except FootnoteError as error:
            return self._looks(str(error))
        return self._looks()

    def _resume(self, name: str | None) -> list[Any]:
        if name not in plans.unfinished(self._library):
            return self._looks("choose a run that is not finished")
        if writer := plans.elsewhere(self._library).get(name):
            return self._looks(f"{name} is running elsewhere: {writer} writes to it; wait until that has ended")
        try:
            with runs.readable(name):
                self.site.job.start(plans.take_up(self.site.footnote, name))
        except FootnoteError as error:
            return self._looks(str(error), name)
        return self._looks()

    def _stop(self) -> list[Any]:
        self.site.job.stop()
        return self._looks()

    def _looks(self, error: str = "", begun: str | None = None) -> list[Any]:
        """New values of what starts, shows and ends a run; `begun` stays chosen among what is not finished."""
        now = self.site.job.standing
        is_under_way = bool(now and now.is_under_way)
        others = self._elsewhere()
        rest = [] if is_under_way else [name for name in plans.unfinished(self._library) if name not in others]
        wanted = [begun, now.name if now else None, *rest]
        value = next((name for name in wanted if name in rest), None)
        return [
            _told_elsewhere(others),
            gr.update(value=html("standing", now=now), visible=now is not None),
            gr.Timer(active=is_under_way or bool(others)),
            is_under_way,
            gr.update(visible=is_under_way, interactive=bool(now and now.state == "running")),
            gr.update(interactive=not is_under_way),
            gr.update(open=False) if is_under_way else gr.skip(),
            gr.update(visible=bool(rest)),
            gr.update(choices=[(plans.progress(self._library, name), name) for name in rest], value=value),
            gr.update(value=html("problem", error=error), visible=bool(error)),
        ]

    def _elsewhere(self) -> dict[str, tuple[str, str]]:
        """The runs that are made by others, and how far they are: not the page's own."""
        now = self.site.job.standing
        own = now.name if now and now.is_under_way else None
        return {
            name: (plans.progress(self._library, name), writer)
            for name, writer in plans.elsewhere(self._library).items()
            if name != own
        }

    # -- what runs found ------------------------------------------------------------------------

    def _report(self, chosen: str | None, come: str | None = None) -> list[Any]:
        """New values of the choice of runs, the report's button, the answer that is looked at, and the report.

        The report is that of the run that has `come`, else of the `chosen` one, else of the first.
        """
        there = plans.finished(self._library)
        name = next((name for name in (come, chosen, *there) if name in there), None)
        choice = gr.update(choices=there, value=name, visible=bool(there))
        answer = gr.skip() if name == chosen else ""
        if not name:
            return [choice, gr.update(visible=False), "", html("runs", run=None, error="")]
        try:
            with runs.readable(name):
                run = runs.read(self.site.footnote, name)
                return [choice, gr.update(visible=bool(run.report)), answer, html("runs", run=run, error="")]
        except FootnoteError as broken:
            return [choice, gr.update(visible=False), answer, html("runs", run=None, error=str(broken))]

    def _file(self, name: str | None) -> Any:
        report = runs.report(self._library, name) if name in plans.finished(self._library) else None
        return gr.skip() if report is None else str(downloads.copied(report, self.site.scratch))

    def _answered(self, name: str | None, event: gr.EventData) -> str:
        names = [name] if name in plans.finished(self._library) else []
        return sides(self.site, names, pressed(event, "value"), PLACE)


def _told_elsewhere(runs: Mapping[str, tuple[str, str]]) -> Any:
    return gr.update(value=html("elsewhere", runs=runs.values()), visible=bool(runs))
