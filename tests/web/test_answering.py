"""What the page does with a question when the model is not there, or somebody stops, without a browser."""

import shutil
from types import SimpleNamespace

from rag.pipeline import Footnote
from tests.browser.conftest import free_port
from ui.web import answering
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
    assert session.again()


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


def test_a_long_answer_is_laid_out_whole(seeds, tmp_path):
    seeds.generator.draft = " ".join(f"PERL trains faster in study {number} [1]." for number in range(300))
    session = waiting()
    *_, last = answering.answer(Site(seeds, LOADED, tmp_path), session)
    assert last["live"].count('class="claim"') >= 300
