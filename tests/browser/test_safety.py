"""Hostile papers, questions and drafts in a browser; nothing asked elsewhere; nobody shut out by the page's make."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PERL, PHONE, PacedGenerator, ask, served

BAD = [
    '<img src=x onerror="window.pwned=1">',
    '<svg><a href="javascript:window.pwned=1"><text>press</text></a></svg>',
    "{{window.pwned=1}} {{constructor.constructor('window.pwned=1')()}}",
    "${window.pwned=1} ${document.body.setAttribute(/data-pwned/.source,1)}",
    "![](https://elsewhere.example/x.png) [press](javascript:window.pwned=1)",
    "</textarea></script><script>window.pwned=1</script>",
]


@pytest.fixture(scope="module")
def hostile(embedder, tmp_path_factory):
    """A library whose every title, abstract and author is an attack, and a generator that repeats them."""
    folder = tmp_path_factory.mktemp("hostile")
    lines = [
        json.dumps(
            {
                "title": f"Tardigrade study {number} {bad}",
                "abstract": f"Tardigrades survive in space for {number + 1} days {bad}. They are small {bad}.",
                "authors": [bad],
                "venue": bad,
                "year": 2024,
            }
        )
        for number, bad in enumerate(BAD)
    ]
    file = folder / "bad.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    from rag.pipeline import Footnote

    with Footnote.build([file], folder / "library", embedder=embedder).library:
        pass
    draft = " ".join(f"Tardigrades survive {bad} [1]." for bad in BAD)
    with served(folder / "library", embedder=embedder, generator=PacedGenerator(draft)) as address:
        yield address


def assert_unharmed(page):
    assert page.evaluate("[window.pwned, document.body.dataset.pwned]") == [None, None]
    bodies = page.locator(
        "#live, #past, #ev, #evpast, #papers, #paper, #preview, #problem, #runs, #answered, #compared, #both"
    )
    assert bodies.locator("img, svg a, script, a[href]").count() == 0


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop-light", "phone-dark"])
def test_hostile_text_is_shown_and_never_run(opened, hostile, device):
    page = opened(hostile, **device)
    page.wait_for_timeout(300)
    assert_unharmed(page)
    ask(page, f"How long do tardigrades survive in space? {BAD[0]} {BAD[3]}")
    expect(page.locator("#live .question")).to_contain_text(BAD[0])
    expect(page.locator("#ev")).to_contain_text(BAD[0])
    page.locator("#live .cite").first.click()
    assert_unharmed(page)
    page.keyboard.press("Escape")
    page.locator(".withdrawn summary").click()
    assert_unharmed(page)
    ask(page, f"And what of their size? {BAD[2]}")
    assert_unharmed(page)
    page.goto(f"{hostile}?tab=corpus")
    page.locator("#papers .card").nth(3).click()
    expect(page.locator("#paper")).to_contain_text("${window.pwned=1}")
    assert_unharmed(page)


def test_a_hostile_file_name_and_its_rejections_are_text(opened, hostile, tmp_path):
    page = opened(hostile)
    page.get_by_role("tab", name="Corpus").click()
    page.locator("#add > button").click()
    bad = tmp_path / "a<img src=x onerror=window.pwned=1>{{window.pwned=1}}.jsonl"
    bad.write_text('{"title": "<img src=x onerror=window.pwned=1>"}\n{"abstract": 1}\n', encoding="utf-8")
    page.locator("#add input[type=file]").set_input_files(bad)
    expect(page.locator("#preview")).to_contain_text("2 rejected")
    assert_unharmed(page)


def test_forged_events_do_nothing(opened, address):
    page = opened(address)
    forged = [
        {"act": "tab", "value": "<b>"},
        {"act": "tab", "value": 7},
        {"act": "paper", "value": "../../etc/passwd"},
        {"act": "remove", "value": "no such paper"},
        {"act": "turn_page", "value": "-1; drop"},
        {"act": "retry"},
        {"act": "ask", "value": {"a": 1}},
        {"act": "feedback", "turn": "x", "value": "helpful"},
        {"act": "nothing"},
    ]
    for data in forged:
        page.evaluate("data => footnoteAct(data)", data)
    page.wait_for_timeout(700)
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)
    ask(page)
    expect(page.locator("#live .answered")).to_be_visible()


@pytest.mark.parametrize(
    "device", [DESKTOP, PHONE, {**DESKTOP, "color_scheme": "dark"}], ids=["desktop", "phone", "dark"]
)
def test_nobody_is_shut_out(opened, address, device):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(address, **device)
    scheme = page.evaluate("getComputedStyle(document.documentElement).colorScheme")  # of the scrollbars, too
    assert (scheme == "dark") == (device["color_scheme"] == "dark")
    faults = _faults(Axe().run(page), "welcome")
    ask(page)
    page.locator("#live .cite").first.click()
    page.wait_for_timeout(400)
    faults += _faults(Axe().run(page), "answer")
    page.keyboard.press("Escape")
    ask(page, "What is the capital of France?")
    faults += _faults(Axe().run(page), "abstention")
    for name in ("corpus", "eval", "compare", "about"):
        page.goto(f"{address}?tab={name}")
        expect(page.get_by_role("tab", name=name.title(), selected=True)).to_be_attached()
        page.wait_for_timeout(500)
        faults += _faults(Axe().run(page), name)
    assert faults == []


def _faults(results, where):
    return [
        f"{where}: {found['id']} {[node['html'][:120] for node in found['nodes'][:3]]}"
        for found in results.response["violations"]
        if found["impact"] in {"serious", "critical"}
    ]


def test_the_page_says_who_it_trusts(address):
    import httpx

    for path in ("/", "/config", "/gradio_api/info"):
        headers = httpx.get(address.rstrip("/") + path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
    named = httpx.get(f"{address}gradio_api/info").json()
    assert sorted(named["named_endpoints"]) == ["/ask", "/check", "/get_paper", "/search"]
    assert named["unnamed_endpoints"] == {}
    too_much = httpx.post(f"{address}gradio_api/upload", files={"files": b"x" * 27_000_000})
    assert too_much.status_code == 413
    assert httpx.get(f"{address}gradio_api/file=/etc/passwd").status_code == 403


def test_a_tab_can_be_linked_to(opened, address):
    page = opened(address)
    page.goto(f"{address}?tab=about")
    expect(page.get_by_text("How an answer is made")).to_be_visible()
    page.goto(f"{address}?tab=%3Cscript%3E")
    expect(page.locator(".welcome")).to_be_visible()
    ask(page, PERL)


def test_hostile_questions_are_asked_read_and_compared_as_text(opened, browser, hostile, tmp_path):
    rows = [
        {
            "id": f"{number} {bad}\u001b[2J",
            "type": bad,
            "question": f"How long do tardigrades survive {bad}?",
            "history": [],
            "gold_answer": f"{number + 1} days {bad}",
            "key_facts": [bad],
            "gold_sources": [f"bad.jsonl#{number + 1}"],
            "gold_sentences": [{"source": f"bad.jsonl#{number + 1}", "text": f"They are small {bad}."}],
            "answerable": True,
        }
        for number, bad in enumerate(BAD)
    ]
    file, broken = tmp_path / "mine.jsonl", tmp_path / "<img src=x onerror=window.pwned=1>.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    broken.write_text(json.dumps(rows[0] | {"gold_sources": [BAD[0]]}), encoding="utf-8")
    page = opened(hostile)
    page.get_by_role("tab", name="Eval").click()
    for name, given in (("none", broken), ("a", file), ("b", file)):
        page.locator("#plan > button").click()
        page.get_by_label("A file of questions").check()
        if page.get_by_label("Clear").is_visible():
            page.get_by_label("Clear").click()
        page.locator("#plan input[type=file]").set_input_files(given)
        expect(page.locator("#plan .file-preview")).to_contain_text(given.stem[:4])
        page.get_by_label("Name of the run").fill(name)
        page.get_by_role("button", name="Start", exact=True).click()
        if given is broken:
            expect(page.locator("#problem")).to_contain_text(BAD[0])
            page.locator("#plan > button").click()
            continue
        expect(page.locator("#standing")).to_contain_text(f"{name} is done")
        expect(page.locator("#runs .card")).to_have_count(len(BAD))
    assert_unharmed(page)
    page.locator("#runs .card").first.click()
    expect(page.locator("#answered .looked h2")).to_contain_text("tardigrades")
    assert_unharmed(page)
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#compared .card")).to_have_count(len(BAD))
    page.locator("#compared .card").first.click()
    expect(page.locator("#both .sides > section > h3")).to_have_text(["A: a", "B: b"])
    assert_unharmed(page)
