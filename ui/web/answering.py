"""A visitor's question, from the press of Ask to the checked answer: what of the page changes on the way.

Changes are given by the name of the component (`past`, `live`, `past_evidence`, `evidence`, `why`, `box`, `told`).
While a draft streams only the last turn is sent; what is past is sent once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import gradio as gr

from rag.cite import read_draft
from rag.conversation import Conversation
from rag.errors import BadInputError, FootnoteError
from rag.library import Filters
from rag.pipeline import MAX_QUESTION_CHARACTERS, Delta, Progress
from rag.types import Answer
from ui.web.apart import apart
from ui.web.render import html
from ui.web.session import MAX_TURNS, Asked, Session
from ui.web.site import Site, filters_from, text_from, told
from ui.web.view import filter_text, shown

Changes = dict[str, Any]
# What answering changes, and nothing of the past: with every piece of a draft the browser compares
# all that each of these holds, changed or not.
WRITTEN = ("live", "evidence", "box", "told")
SILENT_S = 3.0  # a server that is silent for so long is told of
FLUSH_S = 0.06  # a draft is sent at most so often: faster than anyone reads
_FIRST = " as soon as the evaluation is through with the question it is at"
_STAGES = {
    "retrieving": "Searching the papers",
    "reading": "Reading abstracts",
    "writing": "Writing",
    "checking": "Checking each sentence against its source",
}


def is_forgotten(state: Session, live: str) -> bool:
    """Whether the page shows a conversation of which nothing is known: Footnote was started anew, or it was left.

    gradio keeps what belongs to a page for an hour after the page was last heard of.
    """
    return not state.turn and 'class="turn ' in text_from(live)


def forgotten() -> Changes:
    """What is said then; the page is left as it is, to be read and copied."""
    text = "Footnote has been started anew, or this page was left for long: press New conversation to go on"
    return {"told": told(text, toast=True)}


def take_up(question: str, given: Sequence[Any], state: Session) -> Changes:
    """Show a question at once, under the filters of the form; it waits to be answered."""
    question = " ".join(text_from(question).split())[: MAX_QUESTION_CHARACTERS + 1]
    if state.asking:
        return {"told": told("Still answering; press Stop to ask something else", toast=True)}
    if not question:
        return {}
    if state.turn >= MAX_TURNS:
        return {"told": told("Press New conversation to go on", toast=True)}
    try:
        filters = filters_from(*given)
    except BadInputError as error:
        return {"told": told(str(error), toast=True)}
    state.begin(Asked(question, filters))
    return _begun(state, gr.update(value="", submit_btn=False, stop_btn="Stop"))


def take_up_again(given: Sequence[Any], state: Session) -> Changes:
    """Show the last question as waiting once more, under the filters that the form has now."""
    if state.asking:
        return {}
    try:
        filters = filters_from(*given)
    except BadInputError as error:
        return {"told": told(str(error), toast=True)}
    if not state.again(filters):
        return {}
    return _begun(state, gr.update(submit_btn=False, stop_btn="Stop"))


def _begun(state: Session, box: Any) -> Changes:
    return {
        "past": gr.update(value="".join(state.past), visible=bool(state.past)),
        "live": _asking(state, "Waiting for its turn"),
        "past_evidence": gr.update(value="".join(state.past_evidence), visible=bool(state.past_evidence)),
        "evidence": html("waiting", turn=state.turn),
        "why": _NOTHING,
        "box": box,
    }


def answer(site: Site, state: Session) -> Iterator[Changes]:
    """Answer the question that waits. Closing the iterator, or stopping the session, stops the model."""
    if not state.waiting or state.asked is None:
        yield {}  # without a yield, gradio would blank the outputs
        return
    state.waiting = False
    epoch = state.epoch
    try:
        with site.people.asking(), closing(_written(site, state, state.asked)) as changes:  # type: ignore[type-var]
            for change in changes:
                if state.epoch != epoch:  # stopped, or another conversation
                    return
                yield change
    except FootnoteError as error:
        if state.epoch == epoch:
            yield _failed(state, str(error))
    except Exception:
        logging.getLogger(__name__).exception("a question could not be answered")
        if state.epoch == epoch:
            yield _failed(state, "Something went wrong inside Footnote; the terminal says what.")
    finally:
        if state.epoch == epoch and state.asking:  # closed in its midst
            state.live, state.asking = _halted(state), False


def _written(site: Site, state: Session, asked: Asked) -> Iterator[Changes]:
    epoch = state.epoch
    while not site.loading.wait(0.3):
        yield {"live": _asking(state, site.loading.text)}
    conversation = Conversation(site.footnote, asked.filters, list(state.answers), dict(state.numbers))
    flushed = 0.0
    stage, heard = "", time.monotonic()
    stream = conversation.stream(asked.question)
    with closing(apart(stream) if site.footnote.settings.llm_url else stream) as events:  # type: ignore[type-var]
        for event in events:
            if state.epoch != epoch:
                return
            if event is None:
                silent_s = time.monotonic() - heard
                if stage == _STAGES["writing"] and silent_s > SILENT_S and time.monotonic() - flushed > 1:
                    flushed = time.monotonic()
                    yield {"live": _asking(state, f"{stage}: the server has been silent for {silent_s:.0f} s")}
                continue
            heard = time.monotonic()
            if isinstance(event, Answer):
                yield _finished(site, state, event, asked.filters)
            elif isinstance(event, Progress):
                stage = _STAGES[event.stage] + (_FIRST if site.job.asks_now and event.stage == "writing" else "")
                yield {"live": _asking(state, stage, checking=event.stage == "checking")}
            elif isinstance(event, Delta):
                state.draft += event.text
                stage = _STAGES["writing"]
                if time.monotonic() - flushed > FLUSH_S:
                    flushed = time.monotonic()
                    yield {"live": _asking(state, stage)}


def _finished(site: Site, state: Session, answer: Answer, filters: Filters | None) -> Changes:
    state.keep(answer)
    if not answer.abstained:
        site.loading.error = ""  # all that could not be loaded has been since
    laid_out = shown(state.turn, answer, site.documents(answer), filters)
    state.live, state.evidence = html("turn", shown=laid_out), html("evidence", shown=laid_out)
    return _ended(state, f"Answer ready: {laid_out.summary}" if not answer.abstained else "The papers don’t say")


def _failed(state: Session, error: str) -> Changes:
    state.live = _halted(state, error=error)
    return _ended(state, "That did not work")


def stop(state: Session) -> Changes:
    """Leave the question in work as it is; what is there of its draft stays, called unchecked."""
    if not state.drop():
        return {"box": _READY}
    state.live = _halted(state)
    return _ended(state, "Stopped")


def _ended(state: Session, text: str) -> Changes:
    state.asking = False
    evidence = state.evidence or html("evnone", turn=state.turn)
    return {"live": state.live, "evidence": evidence, "box": _READY, "told": told(text)}


def forget(site: Site, state: Session) -> Changes:
    """Begin anew."""
    state.drop()
    return {
        "past": _NOTHING,
        "live": site.welcome(),
        "past_evidence": _NOTHING,
        "why": _NOTHING,
        "evidence": html("evnone", turn=0),
        "box": gr.update(value="", submit_btn="Ask", stop_btn=False),
        "told": told("New conversation"),
    }


_READY = gr.update(submit_btn="Ask", stop_btn=False)
_NOTHING = gr.update(value="", visible=False)


def _asking(state: Session, stage: str, *, checking: bool = False) -> str:
    draft = _sentences(state.draft)
    return html("asking", **_question(state), stage=stage, draft=draft, checking=checking, waits=state.waiting)


def _halted(state: Session, *, error: str = "") -> str:
    return html("halted", **_question(state), draft=_sentences(state.draft), error=error)


def _question(state: Session) -> Changes:
    assert state.asked
    return {"turn": state.turn, "text": state.asked.question, "filters": filter_text(state.asked.filters)}


def _sentences(draft: str) -> Sequence[str]:
    """The draft's sentences without their markers, which count evidence and not papers."""
    return [sentence.text for sentence in read_draft(draft, shown=0) if any(map(str.isalpha, sentence.text))]
