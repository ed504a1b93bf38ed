"""The Corpus tab: what the library holds, and how papers get in and out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from rag.errors import BadInputError, DocumentNotFoundError, FootnoteError
from rag.ingesting import IngestReport
from ui.web import uploads
from ui.web.render import html
from ui.web.site import PLAIN, QUIET, Site, filters_from, pressed, text_from, told
from ui.web.view import whole

PAGE = 25
SHOWN = 50  # rows of each kind in a preview


@dataclass
class Shelf:
    """Where a visitor is in the list, and the files that wait to be taken in."""

    offset: int = 0
    files: list[str] = field(default_factory=list)


class CorpusTab:
    """The components of the tab, and what happens between them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.shelf = gr.State(Shelf())
        with gr.Row(elem_id="corpus"):
            with gr.Column(scale=3, min_width=300):
                with gr.Row(elem_id="sift"):
                    self.text = gr.Textbox(label="Title, author or source", max_length=200, scale=3, min_width=160)
                    self.venue = gr.Textbox(label="Venue", max_length=200, min_width=100)
                    self.first = gr.Textbox(label="From year", max_length=6, min_width=90, placeholder="any")
                    self.last = gr.Textbox(label="To year", max_length=6, min_width=90, placeholder="any")
                self.list = gr.HTML(elem_id="papers", **PLAIN)
            with gr.Column(scale=2, min_width=300, elem_id="one"):
                with gr.Accordion("Add papers", open=False, elem_id="add"):
                    self.files = gr.File(
                        label="Text, BibTeX, RIS, JSON, CSV, XML, .gz",
                        file_count="multiple",
                        file_types=uploads.SUFFIXES,
                        height=160,
                    )
                    with gr.Row(visible=False, elem_id="decide") as self.decide:  # above the preview, which may be long
                        self.confirm = gr.Button("Add them", variant="primary", size="sm", min_width=80)
                        self.discard = gr.Button("Leave it", size="sm", min_width=80)
                    self.preview = gr.HTML(elem_id="preview", **PLAIN)
                self.paper = gr.HTML(html("nopaper"), elem_id="paper", **PLAIN)

    def connect(self, bridge: Any, tab: gr.Tab, said: Any, changed: Mapping[str, Any]) -> None:
        """Wire the events; `changed` is the event that tells the rest of the page when papers came or went."""
        sifting = [self.text, self.venue, self.first, self.last]
        for box in sifting:
            box.change(self._sift, [*sifting, self.shelf], self.list, trigger_mode="always_last", queue=False, **QUIET)
        bridge.turn_page(self._turn, [*sifting, self.shelf], self.list, queue=False, **QUIET)
        bridge.paper(self._open, None, self.paper, queue=False, **QUIET)

        writing: dict[str, Any] = {"concurrency_id": "writing", "concurrency_limit": 1, **QUIET}
        anew = {"fn": self._sift_same, "inputs": [*sifting, self.shelf], "outputs": self.list, "queue": False, **QUIET}
        bridge.remove(self._remove, None, [self.paper, said], **writing).then(**anew).then(**changed, **QUIET)
        tab.select(**anew)
        bridge.look(**anew)
        given, about_files = [self.files, self.shelf], [self.preview, self.decide]
        for listed in (self.files.upload, self.files.delete):
            listed(self._preview, given, about_files, trigger_mode="always_last", **QUIET)
        self.files.clear(self._discard, self.shelf, [self.files, *about_files], queue=False, **QUIET)
        self.discard.click(self._discard, self.shelf, [self.files, *about_files], queue=False, **QUIET)
        self.confirm.click(self._take_in, given, [self.files, *about_files, said], **writing).then(**anew).then(
            **changed, **QUIET
        )

    # -- the list -------------------------------------------------------------------------------

    def _sift(self, text: str, venue: str, first: str, last: str, shelf: Shelf) -> str:
        shelf.offset = 0
        return self._rows(text, venue, first, last, shelf)

    def _sift_same(self, text: str, venue: str, first: str, last: str, shelf: Shelf) -> str:
        return self._rows(text, venue, first, last, shelf)

    def _turn(self, text: str, venue: str, first: str, last: str, shelf: Shelf, event: gr.EventData) -> str:
        offset = pressed(event, "value")
        shelf.offset = int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 9 else 0
        return self._rows(text, venue, first, last, shelf)

    def _rows(self, text: str, venue: str, first: str, last: str, shelf: Shelf) -> str:
        try:
            filters = filters_from(first, last, venue)
        except BadInputError as error:
            return html("papers", papers=[], total=0, offset=0, page=PAGE, sifted=True, error=str(error))
        text = text_from(text)[:200]
        library = self.site.footnote.library
        papers, total = library.list(shelf.offset, PAGE, filters, text)
        if not papers and total:
            shelf.offset = (total - 1) // PAGE * PAGE
            papers, total = library.list(shelf.offset, PAGE, filters, text)
        rows = [whole(f"r{number}", paper) for number, paper in enumerate(papers)]
        sifted = bool(filters or text.strip())
        return html("papers", papers=rows, total=total, offset=shelf.offset, page=PAGE, sifted=sifted, error="")

    def _open(self, event: gr.EventData) -> str:
        try:
            document = self.site.footnote.library.document(pressed(event, "value"))
        except DocumentNotFoundError:
            return html("problem", error="This paper is no longer in the library.")
        return html("paper", paper=whole("paper", document), known=dict(document.metadata))

    def _remove(self, event: gr.EventData) -> tuple[str, str]:
        try:
            document = self.site.footnote.library.document(pressed(event, "value"))
            self.site.footnote.remove([document.id])
        except FootnoteError as error:
            return html("nopaper"), told(str(error), toast=True)
        return html("nopaper"), told(f"Removed: {document.title or document.source}", toast=True)

    # -- papers in ------------------------------------------------------------------------------

    def _preview(self, files: list[str] | None, shelf: Shelf) -> tuple[str, Any]:
        shelf.files = []
        if not files:
            return "", gr.update(visible=False)
        rows = {"shown": SHOWN, "keys": uploads.KEYS}
        try:
            found = uploads.preview(self.site.footnote.library, [Path(file) for file in files])
        except FootnoteError as error:
            return html("preview", found=None, error=str(error), **rows), gr.update(visible=False)
        shelf.files = list(files)
        return html("preview", found=found, error="", **rows), gr.update(visible=bool(found.new or found.duplicates))

    def _discard(self, shelf: Shelf) -> tuple[None, str, Any]:
        shelf.files = []
        return None, "", gr.update(visible=False)

    def _take_in(self, listed: list[str] | None, shelf: Shelf) -> Iterator[tuple[Any, Any, Any, Any]]:
        """Take in what was previewed and is still listed."""
        files, shelf.files = [Path(file) for file in shelf.files if file in (listed or [])], []
        if not files:
            yield gr.skip(), gr.skip(), gr.skip(), gr.skip()  # without a yield, gradio would blank the outputs
            return
        hidden = gr.update(visible=False)
        yield gr.skip(), html("adding", done=0, total=0, summary="", error=""), hidden, gr.skip()

        def change(files: Any, said: Any, **line: Any) -> tuple[Any, Any, Any, Any]:
            if shelf.files:  # others were given meanwhile, and are being looked at
                return gr.skip(), gr.skip(), gr.skip(), said
            return files, html("adding", **{"done": 0, "total": 0, "summary": "", "error": "", **line}), hidden, said

        try:
            for step in uploads.take_in(self.site.footnote, files):
                if isinstance(step, IngestReport):
                    yield change(None, told(uploads.outcome(step), toast=True), summary=step.summary())
                else:
                    done, total = step
                    yield change(gr.skip(), gr.skip(), done=done, total=total)
        except FootnoteError as error:
            yield change(None, told(f"That did not work: {error}", toast=bool(shelf.files)), error=str(error))
