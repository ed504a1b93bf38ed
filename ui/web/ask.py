"""The Ask tab: its components, and what happens between them.

A question is shown at once, without the queue; answering it waits its turn for the model.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import gradio as gr

from rag.conversation import Conversation
from rag.errors import BadInputError, FootnoteError
from rag.pipeline import MAX_QUESTION_CHARACTERS
from ui.web import answering, downloads, feedback
from ui.web.render import html
from ui.web.session import Session
from ui.web.site import PLAIN, QUIET, Site, filters_from, pressed, told
from ui.web.view import filter_text
from ui.web.why import why

SETTLE_S = 0.3
MODEL = "model"  # the queue of all that needs the generator


class AskTab:
    """The components of the tab."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.session = gr.State(Session())
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=300):
                self.past = gr.HTML(elem_id="past", visible=False, **PLAIN)
                self.live = gr.HTML(site.welcome(), elem_id="live", **PLAIN)
                with gr.Column(elem_id="composer"):
                    self.queue = gr.HTML(elem_id="queue", elem_classes="waits", **PLAIN)
                    self.box = gr.Textbox(
                        label="Question",
                        elem_id="question",
                        show_label=False,
                        container=False,
                        placeholder="Ask the papers a question",
                        submit_btn="Ask",
                        lines=1,
                        max_lines=5,
                        max_length=MAX_QUESTION_CHARACTERS,
                        autofocus=True,
                    )
                    self._filters()
                self._takeaway()
            with gr.Column(scale=2, min_width=300, elem_id="evcol"):
                gr.HTML(html("evhead"), elem_id="evhead", **PLAIN)
                self.why = gr.HTML(elem_id="why", visible=False, **PLAIN)
                self.past_evidence = gr.HTML(elem_id="evpast", visible=False, **PLAIN)
                self.evidence = gr.HTML(html("evnone", turn=0), elem_id="ev", **PLAIN)
        self.told = gr.HTML(elem_id="told", elem_classes="offscreen", **PLAIN)
        self.page = {
            "past": self.past,
            "live": self.live,
            "past_evidence": self.past_evidence,
            "evidence": self.evidence,
            "why": self.why,
            "box": self.box,
            "told": self.told,
        }

    def _filters(self) -> None:
        with gr.Accordion("Filters", open=False, elem_id="filters") as self.drawer, gr.Row():
            self.first = gr.Textbox(label="From year", max_length=6, min_width=100, placeholder="any")
            self.last = gr.Textbox(label="To year", max_length=6, min_width=100, placeholder="any")
            self.venue = gr.Textbox(label="Venue", max_length=200, min_width=120, placeholder="any part")
            self.author = gr.Textbox(label="Author", max_length=200, min_width=120, placeholder="any part")
            self.source = gr.Textbox(label="Source", max_length=200, min_width=120, placeholder="file, or 002_*")
        self.filters = [self.first, self.last, self.venue, self.author, self.source]

    def _takeaway(self) -> None:
        with gr.Row(elem_id="takeaway"):
            self.exports = [gr.Button(label, size="sm", min_width=60) for label in downloads.FORMATS]
            self.anew = gr.Button("New conversation", size="sm", min_width=60, elem_id="anew")
            self.file = gr.DownloadButton("Download", visible="hidden", elem_id="file")

    def connect(self, bridge: Any, limit: int) -> None:
        """Wire the events; `bridge` passes on presses of buttons that are our own HTML."""
        outputs = list(self.page.values())
        written = [self.page[name] for name in answering.WRITTEN]
        model: dict[str, Any] = {"concurrency_id": MODEL, "concurrency_limit": limit, "api_visibility": "private"}
        place: dict[str, Any] = {"show_progress": "minimal", "show_progress_on": self.queue}  # in the queue
        answer: dict[str, Any] = {"fn": self._answer, "inputs": self.session, "outputs": written, **model, **place}
        given = [*self.filters, self.session, self.live]  # as the handlers take it apart again
        runs = [
            self.box.submit(self._submit, [self.box, *given], outputs, queue=False, **QUIET).then(**answer),
            bridge.ask(self._press, given, outputs, queue=False, **QUIET).then(**answer),
            bridge.retry(self._again, given, outputs, queue=False, **QUIET).then(**answer),
            # Stop and New conversation cancel by kind, and at times what is asked right after them as well.
            bridge.remind(**answer),
        ]
        settle: dict[str, Any] = {"fn": self._settled, "inputs": self.session, "outputs": self.live, "queue": False}
        self.box.stop(self._stop, self.session, outputs, queue=False, cancels=runs, **QUIET).then(**settle, **QUIET)
        self.anew.click(self._forget, self.session, [self.session, *outputs], queue=False, cancels=runs, **QUIET).then(
            **settle, **QUIET
        )
        bridge.why(self._why, self.session, self.why, **model, **place)
        bridge.close_why(lambda: gr.update(value="", visible=False), None, self.why, queue=False, **QUIET)
        bridge.feedback(self._note, self.session, self.told, queue=False, **QUIET)
        bridge.clear_filters(lambda: [""] * 5, None, self.filters, queue=False, **QUIET)
        for component in self.filters:
            component.change(_drawer_label, self.filters, self.drawer, queue=False, **QUIET)
        for button in self.exports:
            button.click(self._export, [button, self.session], [self.file, self.told], **QUIET).success(
                None, None, None, js="() => document.querySelector('#file a, a#file, button#file')?.click()"
            )

    def _listed(self, changes: answering.Changes, names: Iterable[str] = ()) -> list[Any]:
        return [changes.get(name, gr.skip()) for name in names or self.page]

    def _submit(self, question: str, *given: Any) -> list[Any]:
        *filters, state, live = given
        if answering.is_forgotten(state, live):
            return self._listed(answering.forgotten())
        return self._listed(answering.take_up(question, filters, state))

    def _press(self, event: gr.EventData, *given: Any) -> list[Any]:
        return self._submit(pressed(event, "value"), *given)

    def _again(self, *given: Any) -> list[Any]:
        *filters, state, live = given
        if answering.is_forgotten(state, live):
            return self._listed(answering.forgotten())
        return self._listed(answering.take_up_again(filters, state))

    def _answer(self, state: Session) -> Iterator[list[Any]]:
        with closing(answering.answer(self.site, state)) as changes:  # type: ignore[type-var]
            for change in changes:
                yield self._listed(change, answering.WRITTEN)

    def _stop(self, state: Session) -> list[Any]:
        return self._listed(answering.stop(state))

    def _settled(self, state: Session) -> Any:
        """What stands after a stop, told once more: a piece of the draft may have been on its way."""
        time.sleep(SETTLE_S)
        return gr.skip() if state.asking else state.live or self.site.welcome()

    def _forget(self, state: Session) -> list[Any]:
        return [Session(), *self._listed(answering.forget(self.site, state))]

    def _why(self, state: Session, event: gr.EventData) -> Any:
        answer = state.answer(_number(event, "turn"))
        claim, epoch = _number(event, "value"), state.epoch
        if answer is None or not 0 <= claim < len(answer.claims):
            return gr.skip()
        try:
            with self.site.people.asking():
                found, drivers = why(self.site.footnote, answer, claim)
            told_of = html("why", claim=answer.claims[claim].text, found=found, drivers=drivers, error="")
        except FootnoteError as error:
            told_of = html("why", claim="", found=None, drivers=[], error=str(error))
        return gr.update(value=told_of, visible=True) if state.epoch == epoch else gr.skip()

    def _note(self, state: Session, event: gr.EventData) -> str:
        kind, comment = pressed(event, "value"), pressed(event, "comment")
        answer = state.answer(_number(event, "turn"))
        if kind not in feedback.KINDS or answer is None:
            return told("That could not be noted", toast=True)
        try:
            path = feedback.record(self.site.footnote.library.folder, answer, kind, comment)
        except FootnoteError as error:
            return told(str(error), toast=True)
        return told(f"Noted in {path.name}", toast=True)

    def _export(self, label: str, state: Session) -> list[Any]:
        if label not in downloads.FORMATS or not state.answers:
            raise gr.Error("There is no answer to take away yet.", duration=4, print_exception=False)
        conversation = Conversation(self.site.footnote, None, state.answers, state.numbers)
        path = downloads.write(state.answers, conversation.documents(), label, self.site.scratch)
        return [str(path), told(f"{label} made")]


def _number(event: gr.EventData, name: str) -> int:
    """A number that a button sent; -1 for anything else."""
    value = getattr(event, name, None)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        return int(value)
    return value if isinstance(value, int) else -1


def _drawer_label(*given: Any) -> Any:
    try:
        text = filter_text(filters_from(*given))
    except BadInputError as error:
        text = str(error)
    return gr.update(label=f"Filters ({text})" if text else "Filters")
