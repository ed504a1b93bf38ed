"""The Eval and Compare tabs in a browser: start, watch, close the tab, stop, resume, read, compare."""

import shutil

import pytest
from playwright.sync_api import expect

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
    expect(page.locator("#both .sides > section > h3")).to_have_text(["a", "b"])
    expect(page.locator("#both .looked")).to_be_in_viewport()


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
