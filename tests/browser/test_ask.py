"""Asking and checking, in a browser: footnotes, keys, the sheet on phones, every state."""

import json
import time
import zipfile

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, DRAFT, PERL, PHONE, ask

QUOTE = (
    "We find that PERL performs on par with the conventional RLHF setting, while training faster, and with less memory."
)

# Presses footnotes and gives the milliseconds until their sentence is marked and laid out, the least of some.
PRESS = """selector => {
  const buttons = [...document.querySelectorAll(selector)].reverse();
  let least = Infinity;
  for (const button of buttons) {
    const start = performance.now();
    button.click();
    document.querySelector('.abstract .active').getBoundingClientRect();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}"""


def active(page):
    return "".join(page.locator("#evcol .abstract .active").all_inner_texts())


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop-light", "phone-dark"])
def test_a_footnote_shows_its_exact_sentence_without_the_server(opened, address, device):
    page = opened(address, **device)
    ask(page)
    expect(page.locator("#live .strip")).to_contain_text("sentences supported")
    page.wait_for_timeout(2_000)  # for the look at what is being loaded
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    least_ms = page.evaluate(PRESS, "#live .claims .cite")
    assert active(page) == QUOTE
    assert asked == []
    assert least_ms < 50
    sentence = page.locator("#evcol .abstract .active").first
    expect(sentence).to_be_in_viewport()
    expect(page.locator("#live .claims .cite").first).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# Loses the next event that goes into gradio's queue, as cancelling what was asked before may do.
LOSE = """() => {
  const real = window.fetch;
  window.fetch = (url, ...rest) => {
    if (!String(url).includes("queue/join")) return real(url, ...rest);
    window.fetch = real;
    window.lost = true;
    return new Promise(() => {});
  };
}"""


def test_a_question_that_is_lost_on_its_way_is_sent_once_more(opened, address):
    page = opened(address)
    page.evaluate(LOSE)
    ask(page)
    expect(page.locator("#live .strip")).to_contain_text("sentences supported")
    assert page.evaluate("window.lost")


def test_on_a_phone_the_evidence_is_a_sheet_that_gives_the_focus_back(opened, address):
    page = opened(address, **PHONE)
    ask(page)
    sheet, mark = page.locator("#evcol"), page.locator("#live .claims .cite").nth(1)
    expect(sheet).to_be_hidden()
    mark.tap()
    expect(sheet).to_be_visible()
    expect(page.locator(".closer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(mark).to_be_focused()


def test_keys_go_from_footnote_to_footnote(opened, address):
    page = opened(address)
    ask(page)
    page.keyboard.press("Escape")
    marks = page.locator("#live .claims .cite")
    page.keyboard.press("j")
    expect(marks.first).to_be_focused()
    assert active(page) == QUOTE
    page.keyboard.press("j")
    expect(marks.nth(1)).to_be_focused()
    assert active(page) != QUOTE
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    assert active(page) == QUOTE
    page.keyboard.press("Escape")
    expect(page.locator("#evcol .abstract .active")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#question textarea")).to_be_focused()
    page.keyboard.type("j?/")
    expect(page.locator("#question textarea")).to_have_value("j?/")


def test_asked_again_nothing_stays_marked_that_nobody_pressed(opened, address):
    page = opened(address)
    ask(page)
    page.locator("#live .claims .cite").first.click()
    expect(page.locator("#evcol .abstract .active")).not_to_have_count(0)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("#live .asking, #ev .skeleton")).to_have_count(0)
    expect(page.locator("#live .answered")).to_be_visible()
    expect(page.locator("#ev [data-hint]")).to_be_visible()
    expect(page.locator("#evcol .active, .claim.current, .cite[aria-pressed=true]")).to_have_count(0)


def test_what_was_withdrawn_is_one_press_away_with_its_reason(opened, address):
    page = opened(address)
    ask(page)
    withdrawn = page.locator("#live .withdrawn")
    expect(withdrawn.get_by_text("900 GPUs")).to_be_hidden()
    withdrawn.locator("summary").click()
    expect(withdrawn.get_by_text("900 GPUs")).to_be_visible()
    expect(withdrawn.locator(".why")).to_contain_text("Judge:")
    expect(withdrawn.locator(".sign.supported")).to_have_count(0)


def test_numbers_stay_in_a_conversation_and_the_question_as_understood_is_shown(opened, address):
    page = opened(address)
    ask(page)
    first = page.locator("#live .claims .cite").first
    title, number = first.get_attribute("title"), first.inner_text()
    ask(page, "And how does it save memory?")
    expect(page.locator("#live .note q")).to_contain_text("PERL")
    same = page.locator(f'#live .claims .cite[title="{title}"]')
    assert set(same.all_inner_texts()) == {number}
    page.locator("#past .claims .cite").first.click()  # the evidence of an earlier turn
    expect(page.locator("#evpast .abstract .active")).to_be_visible()
    page.locator("#live [data-compose]").first.click()
    expect(page.locator("#question textarea")).to_have_value(page.locator("#live .note q").inner_text())


def test_an_abstention_says_why_and_shows_the_nearest_papers(opened, address):
    page = opened(address)
    ask(page, "What is the capital of France?")
    expect(page.locator("#live .abstention")).to_contain_text("answers begin at")
    expect(page.locator("#live .cite")).to_have_count(0)
    expect(page.locator("#ev .others[open] .paper")).to_have_count(8)


def test_on_a_phone_the_nearest_papers_give_the_focus_back(opened, address):
    page = opened(address, **PHONE)
    ask(page, "What is the capital of France?")
    closest = page.locator("#live [data-closest]")
    closest.tap()
    expect(page.locator(".closer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(closest).to_be_focused()


def test_a_draft_streams_unchecked_and_can_be_stopped(opened, address, generator):
    page = opened(address)
    generator.go.clear()
    closed = generator.closed
    try:
        page.locator("#question textarea").fill(PERL)
        page.locator("#question textarea").press("Enter")
        expect(page.locator("#live .claim").first).to_contain_text("PERL")
        expect(page.locator("#live .sign").first).to_contain_text("Writing")
        expect(page.locator("#live .turn")).to_have_attribute("aria-busy", "true")
        page.get_by_role("button", name="Stop", exact=True).press("Enter")
        expect(page.locator("#question textarea")).to_be_focused()
        expect(page.locator("#live .strip")).to_have_text("Stopped – not checked")
        expect(page.locator("#live .sign").first).to_contain_text("Not checked")
    finally:
        generator.go.set()
    deadline = time.monotonic() + 60
    while generator.closed == closed and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert generator.closed > closed
    expect(page.locator("#live .strip")).to_have_text("Stopped – not checked")  # nothing comes late
    page.get_by_role("button", name="Ask again").press("Enter")
    expect(page.locator("#question textarea")).to_be_focused()
    expect(page.locator("#live .answered")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(1)
    page.get_by_role("button", name="New conversation").press("Enter")
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator("#question textarea")).to_be_focused()


def test_an_error_is_told_and_the_question_kept(opened, address, generator):
    from rag.errors import ServerError

    def fails(prompt):
        raise ServerError("no <b>server</b> at http://nowhere: start it")

    page = opened(address)
    generator.draft = fails
    try:
        ask(page)
        expect(page.get_by_role("alert")).to_contain_text("no <b>server</b> at http://nowhere: start it")
        expect(page.locator("#live .question")).to_have_text(PERL)
        generator.draft = lambda prompt: 1 / 0
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("alert")).to_contain_text("the terminal says what")
    finally:
        generator.draft = DRAFT
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#live .answered")).to_be_visible()


def test_filters_are_said_and_can_be_cleared(opened, address):
    page = opened(address)
    page.locator("#filters > button").click()
    page.get_by_label("From year").fill("2031")
    expect(page.locator("#filters > button")).to_contain_text("from 2031")
    ask(page)
    expect(page.locator("#live .abstention")).to_contain_text("No paper to search")
    expect(page.locator("#live .chip")).to_have_text("Only from 2031")
    page.locator("#live").get_by_role("button", name="Clear filters").first.click()
    expect(page.locator("#filters > button")).not_to_contain_text("2031")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("#live .answered")).to_be_visible()
    expect(page.locator("#live .chip")).to_have_count(0)


def test_an_example_is_asked_by_a_press(opened, address):
    page = opened(address)
    example = page.locator(".examples button").first
    question = example.inner_text()
    example.click()
    expect(page.locator("#live .question")).to_have_text(question)
    expect(page.locator("#live .answered")).to_be_visible()


def test_feedback_is_kept_in_the_library(opened, address, library):
    page = opened(address)
    ask(page)
    page.get_by_text("Not right").click()
    page.locator("[data-comment]").fill("the other paper")
    page.get_by_role("button", name="Wrong evidence").click()
    expect(page.locator("#said")).to_have_text("Noted in feedback.jsonl")
    row = json.loads((library / "feedback.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (row["kind"], row["comment"], row["question"]) == ("wrong_evidence", "the other paper", PERL)
    page.evaluate("footnoteAct({act: 'feedback', turn: 7, value: 'helpful'})")  # forged
    expect(page.locator("#said")).to_have_text("That could not be noted")


def test_an_answer_is_copied_and_taken_away(opened, address, tmp_path):
    page = opened(address)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page)
    page.get_by_role("button", name="Copy with citations").click()
    expect(page.locator("#said")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[1] PERL" in copied
    assert QUOTE in copied
    with page.expect_download() as download:
        page.get_by_role("button", name="LaTeX + BibTeX").click()
    download.value.save_as(tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert b"\\cite{" in archive.read("footnote.tex")
    with page.expect_download() as download:
        page.get_by_role("button", name="Markdown").click()
    download.value.save_as(tmp_path / "export.md")
    assert PERL in (tmp_path / "export.md").read_text(encoding="utf-8")


def test_what_is_copied_twice_leaves_the_button_as_it_was(opened, address):
    page = opened(address)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # as on a page without https
    ask(page)
    button = page.locator("#live [data-copy]")
    button.focus()
    button.evaluate("button => { button.click(); setTimeout(() => button.click(), 300); }")
    expect(button).to_have_text("Copied")
    expect(button).to_be_focused()
    page.wait_for_timeout(2_500)
    expect(button).to_have_text("Copy with citations")


def test_visitors_do_not_see_each_other(opened, address):
    one, other = opened(address), opened(address)
    ask(one)
    ask(other, "And how does it save memory?")
    expect(other.locator("#live .note q")).to_have_count(0)
    expect(other.locator(".turn")).to_have_count(1)
    one.get_by_role("button", name="New conversation").click()
    expect(one.locator(".welcome")).to_be_visible()
    expect(other.locator(".turn")).to_have_count(1)
