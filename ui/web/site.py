"""What every part of the page shares: the library with its models, and how the page talks to a browser.

What a browser sends may be forged: it is read through `pressed` and `filters_from`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import BadInputError
from rag.library import Filters
from rag.pipeline import Footnote
from rag.text import whole
from rag.types import Answer, Document
from ui.web import questions
from ui.web.job import Job
from ui.web.models import Loading
from ui.web.people import People
from ui.web.render import html

# Options of HTML that is rendered by us and runs nothing; `{{x}}` in a template would run text as code.
PLAIN: dict[str, Any] = {"html_template": "${value}", "js_on_load": None, "apply_default_css": False}
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
EXAMPLES_FROM = 300  # papers whose titles are looked at for example questions


@dataclass
class Site:
    """What all visitors share."""

    footnote: Footnote
    loading: Loading
    scratch: Path  # for files to download, removed in the end
    people: People = field(default_factory=People)
    job: Job = field(init=False)

    def __post_init__(self) -> None:
        self.job = Job(self.footnote, self.loading, self.people)

    @property
    def is_offline(self) -> bool:
        """Whether models and papers are all on this machine: no server is configured."""
        settings = self.footnote.settings
        return not (settings.llm_url or settings.embed_url or self.footnote.library.store_url)

    def documents(self, answer: Answer) -> dict[str, Document]:
        """The papers that an answer cites, withdrew or found, by id."""
        claims = [*answer.claims, *answer.withdrawn]
        ids = [citation.doc_id for claim in claims for citation in claim.citations]
        ids += [hit.chunk.doc_id for hit in answer.hits]
        return {d.id: d for d in self.footnote.library.documents(list(dict.fromkeys(ids)))}

    def welcome(self) -> str:
        """What is shown before the first question."""
        papers, total = self.footnote.library.list(0, EXAMPLES_FROM)
        return html("welcome", papers=total, examples=questions.examples(papers))


def told(text: str, *, toast: bool = False) -> str:
    """Something to say, aloud to who listens; with `toast` also for all to see."""
    number = secrets.token_hex(4)  # so that the same thing can be said twice, also by a server that is started anew
    return html("said", text=text, toast=toast, number=number)


def pressed(event: Any, name: str) -> str:
    """A text that a button sent, which may be forged: only that it is text is certain afterwards."""
    return text_from(getattr(event, name, ""))


def text_from(given: Any) -> str:
    """What a field sent as text that can be kept and sent back, all of it characters; empty for another type."""
    return whole(given) if isinstance(given, str) else ""


def filters_from(
    first: str | int | None = None, last: str | int | None = None, venue: str = "", author: str = "", source: str = ""
) -> Filters | None:
    """Filters as the form has them; None where it is blank. Raises BadInputError."""
    start, end = (number_from(year, "a year") or None for year in (first, last))
    if start and end and start > end:
        raise BadInputError(f"the years {start} to {end} end before they begin")
    return Filters(start, end, _part(venue), _part(author), _part(source)) or None


def number_from(given: str | int | None, what: str) -> int | None:
    """A number as somebody types it; None for blank. Raises BadInputError."""
    text = str(given or "").strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 7):
        raise BadInputError(f"{text[:20]!r} is not {what}: write digits, or leave it blank")
    return int(text) if text else None


def _part(text: str) -> str | None:
    return text_from(text).strip()[:200] or None
