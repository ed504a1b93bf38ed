"""A conversation: turns whose follow-ups are understood and whose papers keep their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rag.library import Filters
from rag.pipeline import Event, Footnote
from rag.types import Answer, Document, Turn


@dataclass
class Conversation:
    """The answers so far; `numbers` gives each cited paper its footnote number for good."""

    footnote: Footnote
    filters: Filters | None = None
    answers: list[Answer] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def history(self) -> list[Turn]:
        """The earlier turns, oldest first."""
        return [Turn(answer.standalone_question, answer.text) for answer in self.answers]

    def stream(self, question: str, **options: Any) -> Iterator[Event]:
        """As `Footnote.stream`; the answer is kept when it is there."""
        options = {"filters": self.filters, "history": self.history, "numbers": self.numbers, **options}
        for event in self.footnote.stream(question, **options):
            if isinstance(event, Answer):
                self.answers.append(event)
                self.numbers.update({c.doc_id: c.number for c in event.citations})
            yield event

    def ask(self, question: str) -> Answer:
        """Answer the next question."""
        *_, answer = self.stream(question)
        assert isinstance(answer, Answer)
        return answer

    def documents(self) -> dict[str, Document]:
        """The papers cited so far that are still in the library, in order of number."""
        found = {d.id: d for d in self.footnote.library.documents(list(self.numbers))}
        return {doc_id: found[doc_id] for doc_id in self.numbers if doc_id in found}

    def clear(self) -> None:
        """Forget everything."""
        self.answers.clear()
        self.numbers.clear()
