"""The Corpus tab in a browser: find, read, add after a preview, remove."""

import json
import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, PacedGenerator


@pytest.fixture
def own(serving, seed_folder, embedder, tmp_path):
    """A library that the test may write to."""
    shutil.copytree(seed_folder, tmp_path / "library")
    return serving(tmp_path / "library", embedder=embedder, generator=PacedGenerator("")), tmp_path


def corpus(page):
    page.get_by_role("tab", name="Corpus").click()
    expect(page.locator("#papers .card")).not_to_have_count(0)
    return page


def test_papers_are_listed_page_by_page_found_and_read(opened, address):
    page = corpus(opened(address))
    expect(page.locator(".pager")).to_contain_text("1–25 of 41")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.locator(".pager")).to_contain_text("26–41 of 41")
    expect(page.get_by_role("button", name="Next", exact=True)).to_be_disabled()
    page.get_by_label("Title, author or source").fill("perl")
    expect(page.locator(".pager")).to_contain_text("1–1 of 1 that pass")
    page.locator("#papers .card").click()
    expect(page.locator("#paper h2")).to_contain_text("PERL: Parameter Efficient")
    expect(page.locator("#paper .known")).to_contain_text("2403.10704")
    page.get_by_label("Title, author or source").fill("no such paper at all")
    expect(page.locator("#papers")).to_contain_text("No paper passes")


def test_files_are_previewed_before_anything_is_written_and_papers_removed(opened, own):
    address, folder = own
    lines = [
        {"title": "On the sleep of otters", "abstract": "Otters sleep on their backs and hold hands.", "year": 2021},
        {"title": "PERL again", "abstract": "The same paper.", "arxiv_id": "2403.10704"},
        {"title": "Nothing in it"},
    ]
    file = folder / "new.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    page = corpus(opened(address))
    page.locator("#add > button").click()
    page.locator("#add input[type=file]").set_input_files(file)
    preview = page.locator("#preview")
    expect(preview).to_contain_text("1 new · 1 duplicate · 1 rejected")
    expect(preview).to_contain_text("no abstract")
    assert not (folder / "library" / "uploads").exists()
    page.get_by_role("button", name="Leave it").click()
    expect(preview).not_to_contain_text("1 new")
    page.locator("#add input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Add them").click()
    expect(preview).to_contain_text("42 papers in the library")
    expect(page.locator(".facts")).to_contain_text("42 papers")
    expect(page.locator(".pager")).to_contain_text("of 42")
    assert [path.name for path in (folder / "library" / "uploads").iterdir()] == ["new.jsonl"]
    page.get_by_label("Title, author or source").fill("otters")
    page.locator("#papers .card", has_text="otters").click()
    page.get_by_role("button", name="Remove from the library").click()
    sure = page.locator("[data-act=remove]")
    expect(sure).to_have_text("Press again to remove it")
    # Both in one go where a slow machine let the seconds pass after which it has to be pressed twice again.
    sure.evaluate("button => { if (!button.classList.contains('asked')) button.click(); button.click(); }")
    expect(page.locator("#said")).to_have_text("Removed: On the sleep of otters")
    expect(page.locator(".facts")).to_contain_text("41 papers")
    expect(page.locator("#said")).to_have_text("Removed: On the sleep of otters")  # the new masthead leaves it


def test_a_double_click_removes_nothing(opened, own):
    page = corpus(opened(own[0]))
    page.locator("#papers .card").first.click()
    sure = page.locator("[data-act=remove]")
    sure.dblclick()
    expect(sure).to_have_text("Press again to remove it")
    expect(sure).to_have_text("Remove from the library")  # some seconds later
    expect(page.locator(".facts")).to_contain_text("41 papers")


def test_a_page_that_is_come_back_to_tells_the_papers_of_now(opened, serving, embedder, tmp_path):
    line = {"title": "On the sleep of otters", "abstract": "Otters sleep by day.", "year": 2021}
    file = tmp_path / "otters.jsonl"
    file.write_text(json.dumps(line), encoding="utf-8")
    address = serving(tmp_path / "empty", embedder=embedder, generator=PacedGenerator(""))
    other, page = opened(address), opened(address)
    other.get_by_role("tab", name="Corpus").click()
    expect(other.locator("#papers")).to_contain_text("No papers yet")
    page.get_by_role("button", name="Go to Corpus").click()
    page.locator("#add > button").click()
    page.locator("#add input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Add them").click()
    expect(page.locator(".facts")).to_contain_text("1 paper")
    other.evaluate("dispatchEvent(new Event('focus'))")
    expect(other.locator(".facts")).to_contain_text("1 paper")
    expect(other.locator("#papers .card")).to_have_count(1)
    other.get_by_role("tab", name="Ask").click()
    expect(other.locator(".welcome")).to_contain_text("Ask your 1 paper")


def test_a_long_abstract_leaves_the_form_its_room_and_goes_in_its_own_direction(opened, serving, embedder, tmp_path):
    lines = [
        {"title": "On the sleep of otters", "abstract": "Otters sleep by day. " * 400, "year": 2021},
        {"title": "نوم القضاعات", "abstract": "تنام القضاعات نهارا.", "year": 2022},
    ]
    file = tmp_path / "papers.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    page = opened(serving(tmp_path / "empty", embedder=embedder, generator=PacedGenerator("")))
    page.get_by_role("button", name="Go to Corpus").click()
    page.locator("#add > button").click()
    page.locator("#add input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Add them").click()
    page.locator("#papers .card", has_text="otters").click()
    expect(page.locator("#paper h2")).to_have_text("On the sleep of otters")
    form = page.locator("#add")
    assert form.evaluate("form => form.clientHeight >= form.scrollHeight")
    page.locator("#papers .card", has_text="نوم").click()
    expect(page.locator("#paper h2")).to_have_text("نوم القضاعات")
    stop = """() => { const text = document.querySelector("#paper .abstract").firstChild, range = new Range();
      range.setStart(text, text.length - 1); range.setEnd(text, text.length);
      const first = new Range(); first.setStart(text, 0); first.setEnd(text, 1);
      return range.getBoundingClientRect().left < first.getBoundingClientRect().left; }"""
    assert page.evaluate(stop)  # its full stop is at the left of its first letter


def test_a_file_taken_off_the_list_is_left_out_and_asking_begins_with_what_was_added(
    opened, serving, embedder, tmp_path
):
    folder = tmp_path / "empty"
    for name in ("otters", "owls"):
        line = {"title": f"On the sleep of {name}", "abstract": f"All {name} sleep by day.", "year": 2021}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(line), encoding="utf-8")
    page = opened(serving(folder, embedder=embedder, generator=PacedGenerator("")))
    expect(page.locator(".welcome")).to_contain_text("No papers yet")
    page.get_by_role("button", name="Go to Corpus").click()
    page.locator("#add > button").click()
    page.locator("#add input[type=file]").set_input_files([tmp_path / "otters.jsonl", tmp_path / "owls.jsonl"])
    expect(page.locator("#preview")).to_contain_text("2 new")
    page.get_by_role("button", name="Remove this file").last.click()
    expect(page.locator("#preview")).to_contain_text("1 new")
    page.get_by_role("button", name="Add them").click()
    expect(page.locator("#said")).to_have_text("1 paper added")
    assert [path.name for path in (folder / "uploads").iterdir()] == ["otters.jsonl"]
    page.get_by_role("tab", name="Ask").click()
    expect(page.locator(".welcome")).to_contain_text("Ask your 1 paper")


def test_on_a_phone_a_pressed_paper_comes_into_view_and_the_list_is_a_press_away(opened, address):
    page = corpus(opened(address, **PHONE))
    for number in (12, 13, 13):
        card = page.locator("#papers .card").nth(number)
        title = card.locator("strong").inner_text()
        card.tap()
        expect(page.locator("#paper h2")).to_have_text(title)
        expect(page.locator("#paper h2")).to_be_focused()
        expect(page.locator("#paper h2")).to_be_in_viewport()
        page.get_by_role("button", name="Back to the list").tap()
        expect(card).to_be_focused()
        expect(card).to_be_in_viewport()
    page.get_by_role("button", name="Next", exact=True).tap()
    expect(page.locator(".pager")).to_contain_text("26–41 of 41")
    expect(page.locator("#papers .card").first).to_be_in_viewport()


def test_the_focus_stays_in_the_list_when_what_was_pressed_goes_away(opened, own):
    page = corpus(opened(own[0]))
    for name in ("Next", "Previous"):
        page.get_by_role("button", name=name, exact=True).press("Enter")  # the first of its kind, or the last
        expect(page.locator("#papers .card").first).to_be_focused()
    page.locator("#papers .card").first.press("Enter")
    page.locator("[data-act=remove]").evaluate("button => { button.focus(); button.click(); button.click(); }")
    expect(page.locator(".pager")).to_contain_text("of 40")
    expect(page.locator("#papers .card").first).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#question textarea")).to_be_focused()


def test_a_file_of_another_kind_is_refused(opened, own):
    address, folder = own
    file = folder / "page.html"
    file.write_text("<!doctype html><html><body>no</body></html>", encoding="utf-8")
    page = corpus(opened(address))
    page.locator("#add > button").click()
    page.locator("#add input[type=file]").set_input_files(file)
    expect(page.get_by_role("button", name="Add them")).to_be_hidden()


def test_an_empty_library_leads_to_the_corpus(opened, serving, embedder, tmp_path):
    page = opened(serving(tmp_path / "empty", embedder=embedder, generator=PacedGenerator("")))
    expect(page.locator(".welcome")).to_contain_text("No papers yet")
    page.get_by_role("button", name="Go to Corpus").click()
    expect(page.locator("#papers")).to_contain_text("No papers yet")
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator("#compared")).to_contain_text("footnote eval run")
