"""What the page does with a question when the model is not there, or somebody stops, without a browser."""

import shutil
import threading
from types import SimpleNamespace

import pytest

from rag.errors import ServerError
from rag.pipeline import Footnote
from tests.browser.conftest import free_port
from ui.web import answering
from ui.web.apart import apart
from ui.web.app import _progress, masthead
from ui.web.session import Asked, Session
from ui.web.site import Site

PERL = "How does PERL compare with conventional RLHF in speed and memory?"
LOADED = SimpleNamespace(wait=lambda seconds: True, ready=True, error="", text="")


def waiting():
    session = Session()
    session.begin(Asked(PERL))
    return session


def test_a_server_that_is_gone_is_told_and_the_question_kept(seed_folder, embedder, tmp_path):
    shutil.copytree(seed_folder, tmp_path / "library")
    gone = f"http://127.0.0.1:{free_port()}/v1"
    footnote = Footnote.open(tmp_path / "library", embedder=embedder, llm="m", llm_url=gone)
    site, session = Site(footnote, LOADED, tmp_path), waiting()
    *_, last = answering.answer(site, session)
    footnote.library.close()
    assert 'role="alert"' in last["live"]
    assert gone in last["live"]
    assert PERL in last["live"]
    assert "Traceback" not in last["live"]
    assert not session.asking
    assert session.again(None)


def test_closing_in_mid_answer_frees_the_model_and_the_count_of_people(seeds, tmp_path):
    seeds.generator.draft = "It is so [1]. " * 50
    site, session = Site(seeds, LOADED, tmp_path), waiting()
    changes = answering.answer(site, session)
    for change in changes:
        if "It is so" in change.get("live", ""):
            break
    assert site.people.are_asking
    changes.close()
    assert site.people._asking == 0
    assert not session.asking
    assert "Stopped – not checked" in session.live  # for who comes back to it
    assert "It is so" in session.live


def test_what_goes_wrong_after_a_stop_leaves_the_next_question_alone(seeds, tmp_path):
    site, session = Site(seeds, LOADED, tmp_path), waiting()

    def breaks(prompt):
        answering.stop(session)
        session.begin(Asked("What is HELMET?"))
        raise ServerError("gone")

    seeds.generator.draft = breaks
    assert all('role="alert"' not in change.get("live", "") for change in answering.answer(site, session))
    assert session.asking
    assert session.live == ""


def test_an_answer_shows_that_the_models_are_there_after_all(seeds, tmp_path):
    loading = SimpleNamespace(wait=lambda seconds: True, ready=True, error="the server does not answer", text="")
    site = Site(seeds, loading, tmp_path)
    assert "does not answer" in masthead(site)
    assert _progress(site)[1].active  # the line at the top is looked at until it is mended
    [*_] = answering.answer(site, waiting())
    assert "does not answer" not in masthead(site)
    assert not _progress(site)[1].active


def test_why_a_sentence_was_written_comes_not_to_another_conversation(seeds, tmp_path, monkeypatch):
    import gradio as gr

    from ui.web import ask

    site, session = Site(seeds, LOADED, tmp_path), waiting()
    [*_] = answering.answer(site, session)
    with gr.Blocks():
        tab = ask.AskTab(site)
    event = SimpleNamespace(turn=1, value="0")
    monkeypatch.setattr(ask, "why", lambda *_: (SimpleNamespace(evidence_share=1.0, gain=1.0), []))
    assert "Why this sentence" in tab._why(session, event)["value"]

    def forgotten(*_):
        answering.forget(site, session)
        raise ServerError("no gradients")

    monkeypatch.setattr(ask, "why", forgotten)
    assert tab._why(session, event) == gr.skip()


def test_a_long_answer_is_laid_out_whole(seeds, tmp_path):
    seeds.generator.draft = " ".join(f"PERL trains faster in study {number} [1]." for number in range(300))
    session = waiting()
    *_, last = answering.answer(Site(seeds, LOADED, tmp_path), session)
    assert last["live"].count('class="claim"') >= 300


def test_what_is_long_never_shows_progress(seeds, tmp_path):
    from ui.web.app import build

    page = build(Site(seeds, LOADED, tmp_path))
    shown = {part.elem_id for event in page.fns.values() for part in event.show_progress_on or event.outputs or ()}
    assert shown == {"bridge", "queue", "busy"}  # the rest is not copied with every piece of a draft


def test_files_that_come_while_others_are_previewed_are_previewed_too(seeds, tmp_path):
    from ui.web.app import build

    page = build(Site(seeds, LOADED, tmp_path))
    modes = {event.targets[0][1]: event.trigger_mode for event in page.fns.values() if event.name == "_preview"}
    assert modes == {"upload": "always_last", "delete": "always_last"}


def test_who_reads_may_leave_while_nothing_comes():
    silent, closed = threading.Event(), threading.Event()

    def items():
        try:
            yield "first"
            silent.wait(60)
            yield "second"
        finally:
            closed.set()

    given = apart(items())
    assert next(given) == "first"
    assert next(given) is None
    given.close()
    assert not closed.is_set()
    silent.set()
    assert closed.wait(60)

    def breaks():
        yield "first"
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(apart(breaks()))
    assert [item for item in apart(iter_of(3)) if item is not None] == [0, 1, 2]


def iter_of(most):
    yield from range(most)
