"""What programs and agents may do: ask, search, check and get_paper, over HTTP and, when asked for, MCP.

The docstrings here are read by people and models who have never seen the code. Nothing else of the page is
offered: its events are private.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from rag.errors import FootnoteError
from rag.pipeline import Footnote
from rag.types import JSON
from ui.web.ask import MODEL
from ui.web.people import People
from ui.web.site import filters_from

MAX_HITS = 50


def offer(footnote: Footnote, people: People, *, together: int) -> None:
    """Add the four tools to the page that is being built; answers wait their turn for the model."""

    def ask(question: str, year_from: int = 0, year_to: int = 0, venue: str = "", author: str = "") -> JSON:
        """Answer a question from the abstracts in the library; every sentence carries a checked footnote.

        Args:
            question: The question, in English.
            year_from: Only papers from this year on; 0 for any.
            year_to: Only papers up to this year; 0 for any.
            venue: Only papers whose venue has this in its name.
            author: Only papers with an author who has this in their name.

        Returns:
            The answer with its claims, each with verdict and quotes; "abstained" is true where the papers don't say.
        """
        with people.asking():
            return _told(
                lambda: footnote.ask(question, filters=filters_from(year_from, year_to, venue, author)).to_dict()
            )

    def search(question: str, k: int = 10) -> JSON:
        """Find the papers that fit a question best, each with its best passage.

        Args:
            question: What the papers should be about.
            k: How many papers, at most 50.

        Returns:
            "hits", best first, with title, source, score and passage.
        """
        count = max(1, min(int(k), MAX_HITS))
        return _told(lambda: {"hits": [hit.to_dict() for hit in footnote.search(question, k=count)]})

    def check(claim: str, source: str = "", evidence: str = "") -> JSON:
        """Judge whether a claim is supported, by default by the whole library.

        Args:
            claim: One statement.
            source: Judge it by this paper only: its source, id, arXiv id, DOI or title.
            evidence: Judge it by this text only.

        Returns:
            The verdict (supported, contradicted or not_enough_info), its support from 0 to 1, the reason, and the
            sentences it was judged by.
        """
        return _told(lambda: footnote.check(claim, source=source or None, evidence=evidence or None).to_dict())

    def get_paper(reference: str) -> JSON:
        """The abstract of a paper with everything known about it.

        Args:
            reference: Its source, id, arXiv id, DOI or title, or the beginning of its title.

        Returns:
            Title, text, source, id and metadata.
        """

        def found() -> JSON:
            paper = footnote.library.resolve(reference)
            known = {name: value for name, value in paper.metadata.items() if name != "file"}
            return {
                "doc_id": paper.id,
                "title": paper.title,
                "text": paper.text,
                "source": paper.source,
                "metadata": known,
            }

        return _told(found)

    gr.api(ask, api_name="ask", concurrency_id=MODEL, concurrency_limit=together)
    for tool in (search, check, get_paper):
        gr.api(tool, api_name=tool.__name__, concurrency_limit=4)


def _told(work: Any) -> JSON:
    """The result of `work`; an error of ours becomes one that gradio passes on, with its words."""
    try:
        result: JSON = work()
    except FootnoteError as error:
        raise gr.Error(str(error), print_exception=False) from error
    return result
