"""The Eval and Compare tabs in a browser: start, watch, close the tab, stop, resume, read, compare."""

import json
import shutil

import pytest
from playwright.sync_api import expect

from eval import harness
from eval.dataset import read_questions
from rag.pipeline import Footnote
from tests.browser.conftest import PERL, PHONE, PacedGenerator, ask


@pytest.fixture
def own(serving, seed_folder, embedder, tmp_path):
    """A library of the test's own, with a generator that can be paused."""
    shutil.copytree(seed_folder, tmp_path / "library")
    generator = PacedGenerator("PERL trains faster and with less memory than conventional RLHF [1].")
    yield serving(tmp_path / "library", embedder=embedder, generator=generator), generator, tmp_path / "library"
    generator.go.set()


def start(page, name, *, limit):
    page.get_by_role("tab", name="Eval").click()
    if not page.get_by_label("Name of the run").is_visible():
        page.locator("#plan > button").click()
    page.get_by_label("At most so many").fill(str(limit))
    page.get_by_label("Name of the run").fill(name)
    page.get_by_role("button", name="Start", exact=True).click()


def test_a_run_is_started_watched_stopped_resumed_and_read(opened, own):
    address, generator, folder = own
    page = opened(address)
    generator.go.clear()
    start(page, "../first", limit=4)
    expect(page.locator("#problem")).to_contain_text("letters, digits")
    start(page, "first", limit=4)
    expect(page.locator("#problem")).to_be_hidden()
    expect(page.locator("#standing")).to_contain_text("of 4 answered")
    other = opened(address)  # somebody else, who wants a run too
    other.get_by_role("tab", name="Eval").click()
    expect(other.locator("#standing")).to_contain_text("of 4 answered")
    other.locator("#plan > button").click()
    expect(other.locator("#startrun")).to_be_disabled()
    page.close()  # the run goes on without its tab
    other.get_by_role("button", name="Stop the run").click()
    expect(other.locator("#standing")).to_contain_text("Stops after the question in work")
    generator.go.set()
    expect(other.locator("#standing .stopped")).to_contain_text("first stopped at")
    answers = folder / "runs" / "first" / "answers.jsonl"
    before = answers.read_text(encoding="utf-8")
    assert 0 < before.count("\n") < 4
    other.get_by_role("button", name="Resume").click()
    expect(other.locator("#standing")).to_contain_text("first is done")
    after = answers.read_text(encoding="utf-8")
    assert after.startswith(before)
    assert after.count("\n") == 4
    expect(other.locator("#runs .tile")).not_to_have_count(0)
    expect(other.locator("#runs svg.plot")).not_to_have_count(0)
    with other.expect_download() as download:
        other.get_by_role("button", name="Download the whole report").click()
    assert download.value.suggested_filename == "report.html"
    card = other.locator("#runs .card", has_text="Answered").first
    question = card.locator("strong").inner_text()
    card.click()
    expect(other.locator("#answered .looked h2")).to_have_text(question)
    expect(other.locator("#answered .abstract mark")).not_to_have_count(0)
    expect(other.locator("#answered .looked")).to_be_in_viewport()


def test_two_runs_are_compared_and_people_are_not_starved(opened, own):
    address, _, _ = own
    page, asking = opened(address), opened(address)
    for name in ("a", "b"):
        start(page, name, limit=3)
        if name == "b":
            ask(asking, PERL)  # in the middle of a run
            expect(asking.locator("#live .answered")).to_be_visible()
        expect(page.locator("#standing")).to_contain_text(f"{name} is done")
        page.wait_for_timeout(1_500)
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("button", name="Compare", exact=True).click()
    compared = page.locator("#compared")
    expect(compared).to_contain_text("3 questions in both")
    expect(compared).to_contain_text("By kind of question")
    expect(compared.locator("svg.bar")).not_to_have_count(0)
    compared.locator(".card").first.click()
    expect(page.locator("#both .sides > section > h3")).to_have_text(["A: a", "B: b"])
    expect(page.locator("#both .looked")).to_be_in_viewport()


DRAFTS = {
    "a": "PERL performs on par with the conventional RLHF setting, while training faster, and with less memory [1].",
    "b": "PERL performs on par with the conventional RLHF setting, while it trains faster, with less memory [1].",
}
ALSO = (
    "We compare PERL to conventional fine-tuning (full-tuning) across various configurations for 7 benchmarks, "
    "including 2 novel datasets, of reward modeling and reinforcement learning."
)


@pytest.fixture
def two_runs(serving, seed_folder, embedder, tmp_path):
    """A library with two runs of a question, whose answers differ in some words."""
    folder, generator = tmp_path / "library", PacedGenerator()
    shutil.copytree(seed_folder, folder)
    footnote = Footnote.open(folder, embedder=embedder, generator=generator)
    row = {"id": "perl", "type": "fact", "question": PERL, "history": [], "gold_answer": "", "key_facts": []}
    row |= {"gold_sources": [], "gold_sentences": [], "answerable": False}
    for name, draft in DRAFTS.items():
        generator.draft = f"{draft} {ALSO}"
        run = folder / "runs" / name
        run.mkdir(parents=True)
        (run / "questions.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
        harness.evaluate(footnote, read_questions(run / "questions.jsonl"), run, with_controls=False)
    footnote.library.close()
    return serving(folder, embedder=embedder, generator=generator)


def look_at_both(page):
    page.goto(f"{page.url.split('?')[0]}?tab=compare")  # on a phone its tab is in a menu
    page.get_by_role("button", name="Compare", exact=True).click()
    page.locator("#compared .card").first.click()
    expect(page.locator("#both .sides > section > h3")).to_have_text(["A: a", "B: b"])


def test_both_answers_have_their_footnotes_and_are_set_word_against_word(opened, two_runs):
    page = opened(two_runs)
    look_at_both(page)
    sides = page.locator("#both .sides > section")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for place in (1, 0):
        side = sides.nth(place)
        side.locator(".claims .cite").first.click()
        expect(side.locator(".beside .active")).to_be_in_viewport()
        expect(side.locator(".beside .active")).to_contain_text("training faster, and with less memory")
        expect(side.locator(".beside .pick:visible")).to_contain_text("on par with the conventional")
        expect(page.locator("#both .active")).to_have_count(1)
        expect(page.locator("#both .cite[aria-pressed=true]")).to_have_count(1)
    page.keyboard.press("j")
    expect(sides.first.locator(".beside .active")).to_contain_text("We compare PERL")
    words = page.get_by_role("button", name="Word diff")
    expect(sides.first.locator("del")).to_be_hidden()
    words.click()
    expect(words).to_have_attribute("aria-pressed", "true")
    expect(sides.first.locator("del:visible")).to_have_text("[only in A: training faster, and]")
    expect(sides.nth(1).locator("ins:visible")).to_have_text("[only in B: it trains faster,]")
    words.click()
    expect(sides.first.locator(".said").first).to_have_text(DRAFTS["a"].replace(" [1]", ""), use_inner_text=True)
    assert not [url for url in asked if "queue/join" in url]  # all of it without the server


def test_on_a_phone_the_evidence_of_a_run_is_a_sheet(opened, two_runs):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(two_runs, **PHONE | {"viewport": {"width": 360, "height": 740}})
    look_at_both(page)
    mark = page.locator("#both .claims .cite").first
    mark.click()
    expect(page.locator("#both .beside:visible .active")).to_be_in_viewport()
    page.get_by_role("button", name="Word diff").click(force=True)
    page.wait_for_timeout(400)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
    page.keyboard.press("Escape")
    expect(page.locator("#both .beside:visible")).to_have_count(0)
    expect(mark).to_be_focused()
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360]  # a wide page widens both


def test_on_a_phone_the_report_fits(opened, own):
    from axe_playwright_python.sync_playwright import Axe

    address, _, _ = own
    page = opened(address, **PHONE)
    start(page, "small", limit=2)
    expect(page.locator("#standing")).to_contain_text("small is done")
    expect(page.locator("#runs .tile")).not_to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.wait_for_timeout(400)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
