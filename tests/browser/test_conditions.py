"""Real conditions: somebody else asks, the tab is closed in mid-answer, the library is written to, many turns."""

import json
import shutil
import threading
import time

import pytest
from playwright.sync_api import expect

from rag.pipeline import Footnote
from tests.browser.conftest import DRAFT, PERL, PHONE, PacedGenerator, ask

TURNS = 30
PACE_S = 0.02  # between words while the cost is measured
ECHO = """() => {
  let start = 0;
  window.echo = 0;
  document.addEventListener("keydown", (event) => { if (event.key === "Enter") start = performance.now(); }, true);
  const look = () => {
    const shown = document.querySelector(".turn.asking .question");
    if (start && shown && !window.echo) window.echo = performance.now() - start;
    requestAnimationFrame(look);
  };
  look();
}"""


class TimedGenerator(PacedGenerator):
    """Waits between words."""

    pause_s = 0.0

    def stream(self, system, prompt, *, max_new_tokens):
        for piece in super().stream(system, prompt, max_new_tokens=max_new_tokens):
            time.sleep(self.pause_s)
            yield piece


@pytest.fixture
def own(serving, seed_folder, embedder, tmp_path):
    """A library and a generator of the test's own."""
    shutil.copytree(seed_folder, tmp_path / "library")
    generator = TimedGenerator(DRAFT)
    yield serving(tmp_path / "library", embedder=embedder, generator=generator), generator, tmp_path / "library"
    generator.go.set()


def begin(page, question=PERL):
    box = page.locator("#question textarea")
    box.fill(question)
    box.press("Enter")


def test_who_comes_second_sees_the_queue_and_a_closed_tab_frees_the_model(opened, own):
    address, generator, _ = own
    first, second = opened(address), opened(address)
    generator.go.clear()
    begin(first)
    expect(first.locator("#live .claim").first).to_contain_text("PERL")
    begin(second, "What is HELMET?")
    expect(second.locator("#live .question")).to_have_text("What is HELMET?")
    expect(second.locator("#queue")).to_contain_text("queue")
    closed = generator.closed
    first.close()
    first.context.close()
    generator.go.set()
    expect(second.locator(".turn:not(.asking)")).to_have_count(1)
    assert generator.closed > closed
    assert "PERL" not in second.locator("#live .question").inner_text()


def test_a_question_is_shown_at_once(opened, own):
    page = opened(own[0])
    page.wait_for_timeout(2_000)  # until the page has settled
    shown_ms = []
    for number in range(4):
        page.evaluate(ECHO)
        ask(page, f"What is the capital of France {number}?")
        shown_ms.append(page.evaluate("window.echo"))
        page.wait_for_timeout(300)
    print(f"question shown after {[round(each) for each in shown_ms]} ms")  # noqa: T201
    assert min(shown_ms) < 150


def test_streaming_costs_as_much_after_thirty_turns(opened, own):
    address, generator, _ = own
    page = opened(address)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})  # not the waits for a processor

    def busy_s():
        found = devtools.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in found if one["name"] == "TaskDuration")

    def cost_s():
        return min(cost_once_s() for _ in range(2))  # something else may have come between

    def cost_once_s():
        generator.pause_s = PACE_S
        said = "PERL performs on par with the conventional RLHF setting in run {} [1]."  # a repetition would end it
        generator.draft = " ".join(map(said.format, range(18)))
        page.wait_for_timeout(500)
        begin(page)
        expect(page.locator("#live .turn.asking .claim").first).to_be_visible()
        before = busy_s()
        page.wait_for_timeout(1_500)  # in the midst of the stream
        spent = busy_s() - before
        expect(page.locator("#live .turn.asking")).to_have_count(0)
        generator.pause_s, generator.draft = 0.0, DRAFT
        return spent

    ask(page)  # what is done once is not counted
    few = cost_s()
    while page.locator(".turn").count() < TURNS:
        ask(page, "What is the capital of France?" if page.locator(".turn").count() % 3 else PERL)
    many = cost_s()
    print(f"main thread busy for {few:.3f} of 1.5 s after 3 turns, {many:.3f} s after {TURNS}")  # noqa: T201
    assert many < 1.5 * few + 0.05


def test_the_next_question_comes_to_the_top(opened, own):
    page = opened(own[0], **PHONE)
    ask(page)
    ask(page, "What is the capital of France?")
    page.wait_for_function("Math.abs(document.querySelector('#live .question').getBoundingClientRect().top) < 40")


def test_who_leaves_just_after_an_answer_leaves_no_error(opened, own):
    address = own[0]
    page = opened(address)
    for _ in range(3):
        ask(page)
        page.goto(f"{address}?tab=about")
        page.goto(address)
        page.wait_for_selector(".welcome")


def test_who_leaves_in_mid_answer_finds_the_page_ready(browser, own):
    address, generator, _ = own
    context = browser.new_context()  # gradio logs that its stream was cut, which it was: only errors thrown count
    page = context.new_page()
    thrown = []
    page.on("pageerror", lambda error: thrown.append(str(error)))
    page.goto(address)
    generator.go.clear()
    begin(page)
    expect(page.locator("#live .claim").first).to_be_visible()
    page.goto(address)
    expect(page.locator(".welcome")).to_be_visible()
    generator.go.set()
    ask(page)
    expect(page.locator("#live .answered")).to_be_visible()
    context.close()
    assert thrown == []


def test_opening_asks_once(browser, serving, seed_folder, embedder, tmp_path):
    shutil.copytree(seed_folder, tmp_path / "library")
    began = time.monotonic()
    address = serving(tmp_path / "library", embedder=embedder, generator=PacedGenerator(DRAFT))
    usable_s, asked = [], []
    for _ in range(3):  # each time a visitor who has nothing of the page yet
        context = browser.new_context()
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url) if "/run/" in request.url else None)
        page.goto(address, wait_until="commit")
        page.locator("#question textarea").fill("What is HELMET?")
        expect(page.locator(".welcome")).to_be_visible()
        usable_s.append(time.monotonic() - began)
        page.wait_for_timeout(500)
        context.close()
        began = time.monotonic()
    print(f"usable {usable_s[0]:.2f} s after launch, then in {[round(each, 2) for each in usable_s[1:]]} s")  # noqa: T201
    assert len(asked) <= 2 * len(usable_s)  # what is new, and once whether the models are loaded


def test_questions_are_answered_while_the_library_is_written_to(opened, own, embedder, tmp_path):
    address, _, folder = own
    rows = [
        {"title": f"On the sleep of otters {n}", "abstract": f"Otters sleep {n} hours, holding hands.", "year": 2021}
        for n in range(300)
    ]
    file = tmp_path / "new.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    page = opened(address)
    other = Footnote.open(folder, embedder=embedder, generator=PacedGenerator(""))  # as `footnote ingest` would
    writer = threading.Thread(target=other.ingest, args=([file],))
    writer.start()
    try:
        ask(page)
        expect(page.locator("#live .answered")).to_be_visible()
        expect(page.locator("#live .cite").first).to_be_visible()
    finally:
        writer.join(240)
        other.library.close()
    page.goto(f"{address}?tab=corpus")
    page.get_by_label("Title, author or source").fill("sleep of otters 299")
    expect(page.locator("#papers .card", has_text="otters 299")).to_have_count(1)
