"""A real page in Debian's chromium: served here, on a free port, with a generator that the test scripts.

A request to any other host is stopped and fails the test, as does an error in the page.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from contextlib import ExitStack, contextmanager

import pytest

from rag.pipeline import Footnote
from tests.conftest import ScriptedGenerator

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_MS = 60_000  # a busy machine is slow, not wrong
DESKTOP = {"viewport": {"width": 1280, "height": 860}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True, "is_mobile": True}
PERL = "How does PERL compare with conventional RLHF in speed and memory?"
DRAFT = (
    "PERL performs on par with the conventional RLHF setting, while training faster, and with less memory [1]. "
    "We compare PERL to conventional fine-tuning (full-tuning) across various configurations for 7 benchmarks [2]. "
    "PERL needs 900 GPUs [1]."
)


class PacedGenerator(ScriptedGenerator):
    """Writes its draft, and waits before every word while `go` is not set."""

    def __init__(self, draft=""):
        super().__init__(draft)
        self.go = threading.Event()
        self.go.set()
        self.closed = 0

    def stream(self, system, prompt, *, max_new_tokens):
        try:
            for number, piece in enumerate(super().stream(system, prompt, max_new_tokens=max_new_tokens)):
                if number > 4:
                    self.go.wait(60)
                yield piece
        finally:
            self.closed += 1


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextmanager
def served(folder, **models):
    """Serve a library with these models meanwhile; gives the address."""
    from ui.web.app import serve

    footnote = Footnote.create(folder, **models)
    with footnote.library, serve(footnote, port=free_port()) as (_, address):
        yield address


@pytest.fixture
def serving():
    """Serve a library, as `served` does, to the end of the test."""
    with ExitStack() as running:
        yield lambda folder, **models: running.enter_context(served(folder, **models))


@pytest.fixture(scope="session")
def generator():
    return PacedGenerator(DRAFT)


@pytest.fixture(scope="session")
def library(seed_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page") / "library"
    shutil.copytree(seed_folder, folder)
    return folder


@pytest.fixture(scope="module")
def address(library, embedder, generator):
    """The seed papers, served."""
    with served(library, embedder=embedder, generator=generator) as found:
        yield found


@pytest.fixture(scope="module")  # closed in between: its event loop would be in the way of other tests
def browser():
    if not CHROMIUM:
        pytest.skip("no chromium here: apt-get install chromium, or name it in CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright comes with the dev extra")
    with playwright.sync_playwright() as driver:
        playwright.expect.set_options(timeout=PATIENCE_MS)
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def _is_fault(said):
    """Gradio logs that its own stream broke off when the page is left: of no harm, and not ours."""
    return said.type == "error" and not any(text in said.text for text in ("AbortError", "Connection errored out"))


@pytest.fixture
def opened(browser, serving):
    """Open an address as a visitor; what it asked elsewhere and what went wrong in it fails the test.

    What is served for the test is served until the pages are closed.
    """
    contexts, faults = [], []

    def route(route):
        url = route.request.url
        if url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            faults.append(f"asked for {url}")
            route.abort()

    def open_page(address, **options):
        context = browser.new_context(**(options or DESKTOP))
        context.set_default_timeout(PATIENCE_MS)
        context.route("**/*", route)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
        page.on("console", lambda said: faults.append(said.text) if _is_fault(said) else None)
        contexts.append(context)
        page.goto(address)
        page.wait_for_selector(".welcome")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def ask(page, question=PERL):
    """Ask and wait for the end of it."""
    turns = page.locator(".turn").count()
    box = page.locator("#question textarea")
    box.fill(question)
    box.press("Enter")
    page.wait_for_function(
        "n => document.querySelectorAll('.turn').length > n && !document.querySelector('.turn.asking')", arg=turns
    )
