"""A generator on a server that dies or hangs in mid-answer: said, nothing unchecked kept as an answer, then on."""

import json
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PERL, ask

SENTENCES = [
    "PERL performs on par with the conventional RLHF setting, while training faster, and with less memory [1]. ",
    "PERL also needs <b>900</b> GPUs [1]. ",
]


class Handler(BaseHTTPRequestHandler):
    """Streams what it has to say; then dies, hangs, ends without saying so, or ends well, as `mood` has it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for sentence in SENTENCES:
            self._chunk("data: " + json.dumps({"choices": [{"delta": {"content": sentence}}]}) + "\n\n")
        if self.server.mood == "hang":
            self.server.go.wait(60)
        if self.server.mood == "well":
            self._chunk("data: [DONE]\n\n")
        if self.server.mood in {"well", "end"}:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _chunk(self, text):
        self.wfile.write(f"{len(text.encode()):x}\r\n{text}\r\n".encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def llm():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        running.mood, running.go = "well", threading.Event()
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.go.set()
        running.shutdown()
        thread.join()


def test_a_server_that_dies_or_hangs_is_told_of_and_the_next_question_works(
    opened, serving, seed_folder, embedder, llm, tmp_path
):
    shutil.copytree(seed_folder, tmp_path / "library")
    page = opened(serving(tmp_path / "library", embedder=embedder, llm="far", llm_url=llm.url))
    failure = page.locator("#live .failure")
    llm.mood = "die"
    ask(page)
    expect(failure).to_contain_text("broke off")
    expect(page.locator("#live .question")).to_have_text(PERL)
    expect(page.locator("#live")).to_contain_text("900")  # what was written stays, and is called unchecked
    expect(page.locator("#live .said:not(.unchecked)")).to_have_count(0)
    llm.mood = "well"
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#live .answered")).to_be_visible()
    expect(page.locator("#live .withdrawn summary")).to_contain_text("withdrawn")
    llm.mood = "end"  # no word of an end: what is there is checked as ever
    ask(page)
    expect(page.locator("#live .cite").first).to_be_visible()
    llm.mood = "hang"
    for _ in range(5):  # more than may ask at once
        box = page.locator("#question textarea")
        box.fill(PERL)
        box.press("Enter")
        expect(page.locator("#live")).to_contain_text("900")
        page.locator("#composer .stop-button").click()
        expect(page.locator("#live .stopped")).to_contain_text("not checked")
        page.wait_for_timeout(1_500)  # gradio may lose a question that comes while it still cancels the last one
    llm.mood = "well"
    ask(page)
    expect(page.locator("#live .answered")).to_be_visible()
    assert not llm.go.is_set()  # while five answers still hang


def test_the_command_says_that_the_server_died(seed_folder, llm, tmp_path):
    shutil.copytree(seed_folder, tmp_path / "library")
    llm.mood = "die"
    command = [sys.executable, "-m", "ui.cli", "--library", tmp_path / "library", "ask", PERL]
    done = subprocess.run([*command, "--llm", "far", "--llm-url", llm.url], capture_output=True, text=True)
    assert done.returncode == 1
    assert "broke off" in done.stderr
    assert "Traceback" not in done.stderr
    assert "900" not in done.stdout
