"""The picture of the page in the README: `python -m ui.web.picture` asks a question about the seeds and takes it.

Needs chromium and playwright, which come with the development set-up.
"""

from __future__ import annotations

import argparse
import os
import shutil
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.pipeline import Footnote

QUESTION = "How does PERL compare with conventional RLHF in speed and memory?"
WIDTH, HEIGHT = 1200, 680
PATIENCE_MS = 300_000


def take(papers: Path, target: Path, chromium: str) -> None:
    """Serve `papers`, ask, press the first footnote, and write what is seen to `target`."""
    from playwright.sync_api import sync_playwright

    from ui.web.app import serve

    with TemporaryDirectory() as folder, sync_playwright() as driver, ExitStack() as running:
        footnote = Footnote.build([papers], Path(folder) / "library")
        running.callback(footnote.library.close)
        _, address = running.enter_context(serve(footnote))
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        view.set_default_timeout(PATIENCE_MS)
        view.goto(address)
        view.locator(".facts:not(:has(.loading))").wait_for()
        view.locator("#question textarea").fill(QUESTION)
        view.keyboard.press("Enter")
        view.locator("#live .answered").wait_for()
        view.locator("#live .cite").first.click()
        target.write_bytes(few_colours(view.screenshot()))
        browser.close()


def few_colours(png: bytes) -> bytes:
    """The same picture in 64 colours, a third of the size: text and flat areas lose nothing to see."""
    from PIL import Image

    made = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(64).save(made, "PNG", optimize=True)
    return made.getvalue()


def main() -> None:
    """Read the command line and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", type=Path, default=Path("seeds"))
    parser.add_argument("target", type=Path, nargs="?", default=Path(__file__).with_name("picture.png"))
    given = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        parser.error("no chromium here: apt-get install chromium, or name it in CHROMIUM")
    take(given.papers, given.target, chromium)


if __name__ == "__main__":
    main()
