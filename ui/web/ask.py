"""The Ask tab: a question in, its answer as it is written and then checked, its evidence beside it.

A question is shown at once, without the queue; answering it waits its turn for the model. While a draft
streams only the last turn is sent; what is past is sent once.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from rag.cite import read_draft
from rag.conversation import Conversation
from rag.errors import BadInputError, FootnoteError
from rag.library import Filters
from rag.pipeline import MAX_QUESTION_CHARACTERS, Delta, Footnote, Progress
from rag.types import Answer, Document
from ui.web import downloads, feedback, questions
from ui.web.models import Loading
from ui.web.render import html
from ui.web.session import MAX_TURNS, Asked, Session
from ui.web.view import filter_text, shown

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
# Options of HTML that is rendered by us and runs nothing; `{{x}}` in a template would run text as code.
PLAIN: dict[str, Any] = {"html_template": "${value}", "js_on_load": None, "apply_default_css": False}
FLUSH_S = 0.06  # a draft is sent at most so often: faster than anyone reads
EXAMPLES_FROM = 300  # papers whose titles are looked at for example questions
_numbers = itertools.count()  # so that the same thing can be said twice
_STAGES = {
    "retrieving": "Searching the papers",
    "reading": "Reading abstracts",
    "writing": "Writing",
    "checking": "Checking each sentence against its source",
}


@dataclass
class Site:
    """What all visitors share."""

    footnote: Footnote
    loading: Loading
    scratch: Path  # for files to download, removed in the end

    def documents(self, answer: Answer) -> dict[str, Document]:
        """The papers that an answer cites, withdrew or found, by id."""
        claims = [*answer.claims, *answer.withdrawn]
        ids = [citation.doc_id for claim in claims for citation in claim.citations]
        ids += [hit.chunk.doc_id for hit in answer.hits]
        return {d.id: d for d in self.footnote.library.documents(list(dict.fromkeys(ids)))}

    def welcome(self) -> str:
        """What is shown before the first question."""
        papers, total = self.footnote.library.list(0, EXAMPLES_FROM)
        return html("welcome", papers=total, examples=questions.examples(papers))


class AskTab:
    """The components of the tab, and what happens between them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.session = gr.State(Session())
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=300):
                self.past = gr.HTML(elem_id="past", visible=False, **PLAIN)
                self.live = gr.HTML(elem_id="live", **PLAIN)
                with gr.Column(elem_id="composer"):
                    self.queue = gr.HTML(elem_id="queue", **PLAIN)
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
                self.past_evidence = gr.HTML(elem_id="evpast", visible=False, **PLAIN)
                self.evidence = gr.HTML(html("evnone"), elem_id="ev", **PLAIN)
        self.told = gr.HTML(elem_id="told", elem_classes="offscreen", **PLAIN)
        self.page = [self.past, self.live, self.past_evidence, self.evidence, self.box, self.told]

    def _filters(self) -> None:
        with gr.Row(), gr.Accordion("Filters", open=False, elem_id="filters") as self.drawer, gr.Row():
            self.first = gr.Number(label="From year", precision=0, min_width=100, placeholder="any")
            self.last = gr.Number(label="To year", precision=0, min_width=100, placeholder="any")
            self.venue = gr.Textbox(label="Venue", max_length=200, min_width=120, placeholder="part of its name")
            self.author = gr.Textbox(label="Author", max_length=200, min_width=120, placeholder="part of a name")
            self.source = gr.Textbox(label="Source", max_length=200, min_width=120, placeholder="file, or 002_*")
        self.filters = [self.first, self.last, self.venue, self.author, self.source]

    def _takeaway(self) -> None:
        with gr.Row(elem_id="takeaway"):
            self.exports = [gr.Button(label, size="sm", min_width=60) for label in downloads.FORMATS]
            self.anew = gr.Button("New conversation", size="sm", min_width=60)
            self.file = gr.DownloadButton("Download", visible="hidden", elem_id="file")

    def connect(self, bridge: Any, limit: int) -> None:
        """Wire the events; `bridge` passes on presses of buttons that are our own HTML."""
        answering: dict[str, Any] = {
            "fn": self._answer,
            "inputs": self.session,
            "outputs": self.page,
            "concurrency_id": "model",
            "concurrency_limit": limit,
            "api_visibility": "private",
            "show_progress": "minimal",
            "show_progress_on": self.queue,
        }
        runs = [
            self.box.submit(
                self._submit, [self.box, *self.filters, self.session], self.page, queue=False, **QUIET
            ).then(**answering),
            bridge.ask(self._press, [*self.filters, self.session], self.page, queue=False, **QUIET).then(**answering),
            bridge.retry(self._retry, self.session, self.page, queue=False, **QUIET).then(**answering),
        ]
        self.box.stop(self._stop, self.session, self.page, queue=False, cancels=runs, **QUIET)
        self.anew.click(self._forget, self.session, [self.session, *self.page], queue=False, cancels=runs, **QUIET)
        bridge.feedback(self._note, self.session, self.told, queue=False, **QUIET)
        bridge.clear_filters(lambda: [None, None, "", "", ""], None, self.filters, queue=False, **QUIET)
        for component in self.filters:
            component.change(_drawer_label, self.filters, self.drawer, queue=False, **QUIET)
        for button in self.exports:
            button.click(self._export, [button, self.session], [self.file, self.told], **QUIET).success(
                None, None, None, js="() => document.querySelector('#file a, a#file, button#file')?.click()"
            )

    # -- taking up a question -------------------------------------------------------------------

    def _submit(
        self,
        question: str,
        first: float | None,
        last: float | None,
        venue: str,
        author: str,
        source: str,
        state: Session,
    ) -> list[Any]:
        return self._take_up(question, (first, last, venue, author, source), state)

    def _press(
        self,
        first: float | None,
        last: float | None,
        venue: str,
        author: str,
        source: str,
        state: Session,
        event: gr.EventData,
    ) -> list[Any]:
        return self._take_up(pressed(event, "value"), (first, last, venue, author, source), state)

    def _take_up(self, question: str, given: tuple[Any, ...], state: Session) -> list[Any]:
        question = " ".join(str(question or "").split())[: MAX_QUESTION_CHARACTERS + 1]
        if state.asking:
            return self._update(told=told("Still answering; press Stop to ask something else", toast=True))
        if not question:
            return self._update()
        if state.turn >= MAX_TURNS:
            return self._update(told=told("Press New conversation to go on", toast=True))
        try:
            filters = filters_from(*given)
        except BadInputError as error:
            return self._update(told=told(str(error), toast=True))
        state.begin(Asked(question, filters))
        return self._begun(state, box=gr.update(value="", submit_btn=False, stop_btn="Stop"))

    def _retry(self, state: Session) -> list[Any]:
        if state.asking or not state.again():
            return self._update()
        return self._begun(state, box=gr.update(submit_btn=False, stop_btn="Stop"))

    def _begun(self, state: Session, box: Any) -> list[Any]:
        return self._update(
            past=gr.update(value="".join(state.past), visible=bool(state.past)),
            live=_asking(state, "Waiting for its turn"),
            past_evidence=gr.update(value="".join(state.past_evidence), visible=bool(state.past_evidence)),
            evidence=html("waiting", turn=state.turn),
            box=box,
        )

    # -- answering it ---------------------------------------------------------------------------

    def _answer(self, state: Session) -> Iterator[list[Any]]:
        if not state.waiting or state.asked is None:
            return
        state.waiting = False
        epoch = state.epoch
        try:
            for update in self._written(state, state.asked):
                if state.epoch != epoch:  # stopped, or another conversation
                    return
                yield update
        except FootnoteError as error:
            yield self._failed(state, str(error))
        except Exception:
            logging.getLogger(__name__).exception("a question could not be answered")
            yield self._failed(state, "Something went wrong inside Footnote; the terminal says what.")
        finally:
            if state.epoch == epoch:
                state.asking = False

    def _written(self, state: Session, asked: Asked) -> Iterator[list[Any]]:
        while not self.site.loading.wait(0.3):
            yield self._update(live=_asking(state, self.site.loading.text))
        conversation = Conversation(self.site.footnote, asked.filters, list(state.answers), dict(state.numbers))
        stage, flushed = "", 0.0
        with closing(conversation.stream(asked.question)) as events:  # type: ignore[type-var]
            for event in events:
                if isinstance(event, Answer):
                    yield self._finished(state, event, asked.filters)
                elif isinstance(event, Progress):
                    stage = event.stage
                    yield self._update(live=_asking(state, _STAGES.get(stage, stage), checking=stage == "checking"))
                elif isinstance(event, Delta):
                    state.draft += event.text
                    if time.monotonic() - flushed > FLUSH_S:
                        flushed = time.monotonic()
                        yield self._update(live=_asking(state, _STAGES["writing"]))

    def _finished(self, state: Session, answer: Answer, filters: Filters | None) -> list[Any]:
        state.keep(answer)
        laid_out = shown(state.turn, answer, self.site.documents(answer), filters)
        state.live, state.evidence = html("turn", shown=laid_out), html("evidence", shown=laid_out)
        ready = f"Answer ready: {laid_out.summary}" if not answer.abstained else "The papers don’t say"
        return self._ended(state, ready)

    def _failed(self, state: Session, error: str) -> list[Any]:
        assert state.asked
        filters = filter_text(state.asked.filters)
        state.live = html("halted", turn=state.turn, text=state.asked.question, filters=filters, draft=[], error=error)
        return self._ended(state, "That did not work")

    def _ended(self, state: Session, text: str) -> list[Any]:
        state.asking = False
        return self._update(
            live=state.live,
            evidence=state.evidence or html("evnone"),
            box=gr.update(submit_btn="Ask", stop_btn=False),
            told=told(text),
        )

    def _stop(self, state: Session) -> list[Any]:
        if not state.drop() or state.asked is None:
            return self._update(box=gr.update(submit_btn="Ask", stop_btn=False))
        state.live = html(
            "halted",
            turn=state.turn,
            text=state.asked.question,
            filters=filter_text(state.asked.filters),
            draft=_sentences(state.draft),
            error="",
        )
        return self._ended(state, "Stopped")

    def _forget(self, state: Session) -> list[Any]:
        state.drop()
        return [
            Session(),
            *self._update(
                past=gr.update(value="", visible=False),
                live=self.site.welcome(),
                past_evidence=gr.update(value="", visible=False),
                evidence=html("evnone"),
                box=gr.update(value="", submit_btn="Ask", stop_btn=False),
                told=told("New conversation"),
            ),
        ]

    def _update(self, **changed: Any) -> list[Any]:
        names = ("past", "live", "past_evidence", "evidence", "box", "told")
        return [changed.get(name, gr.skip()) for name in names]

    # -- around an answer -----------------------------------------------------------------------

    def _note(self, state: Session, event: gr.EventData) -> str:
        kind, comment = pressed(event, "value"), pressed(event, "comment")
        turn = getattr(event, "turn", None)
        answer = state.answer(turn) if isinstance(turn, int) else None
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


def told(text: str, *, toast: bool = False) -> str:
    """Something to say, aloud to who listens; with `toast` also for all to see."""
    return html("said", text=text, toast=toast, number=next(_numbers))


def pressed(event: gr.EventData, name: str) -> str:
    """A text that a button sent, which may be forged: only its type is certain afterwards."""
    value = getattr(event, name, "")
    return value if isinstance(value, str) else ""


def filters_from(
    first: float | None = None, last: float | None = None, venue: str = "", author: str = "", source: str = ""
) -> Filters | None:
    """Filters as the form has them; None where it is blank. Raises BadInputError."""
    start, end = (int(year) if year else None for year in (first, last))
    if start and end and start > end:
        raise BadInputError(f"the years {start} to {end} end before they begin")
    return Filters(start, end, _part(venue), _part(author), _part(source)) or None


def _part(text: str) -> str | None:
    return text.strip()[:200] or None if isinstance(text, str) else None


def _drawer_label(*given: Any) -> Any:
    try:
        text = filter_text(filters_from(*given))
    except BadInputError as error:
        text = str(error)
    return gr.update(label=f"Filters ({text})" if text else "Filters")


def _asking(state: Session, stage: str, *, checking: bool = False) -> str:
    assert state.asked
    return html(
        "asking",
        turn=state.turn,
        text=state.asked.question,
        filters=filter_text(state.asked.filters),
        stage=stage,
        draft=_sentences(state.draft),
        checking=checking,
    )


def _sentences(draft: str) -> Sequence[str]:
    """The draft's sentences without their markers, which count evidence and not papers."""
    return [sentence.text for sentence in read_draft(draft, shown=0) if sentence.text]
