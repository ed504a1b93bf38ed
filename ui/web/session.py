"""One visitor's conversation: what was asked and answered, and what of it is on the page.

Plain values only, so that every visitor gets a copy of their own. What a browser sends is never taken
for history: answers come from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rag.library import Filters
from rag.types import Answer

MAX_TURNS = 100  # a page of so many answers is long enough; begin anew


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the filters it is to be answered under."""

    question: str
    filters: Filters | None = None


@dataclass
class Session:
    """The turns so far. `asked` is the question in work or last in work; `epoch` changes when it is dropped."""

    answers: list[Answer] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    past: list[str] = field(default_factory=list)
    past_evidence: list[str] = field(default_factory=list)
    answer_of: dict[int, int] = field(default_factory=dict)  # turn → place in `answers`
    turn: int = 0
    epoch: int = 0
    asked: Asked | None = None
    waiting: bool = False  # asked, and nobody has begun to answer
    asking: bool = False
    draft: str = ""
    live: str = ""
    evidence: str = ""

    def begin(self, asked: Asked) -> None:
        """Take up the next question; what was on the page moves to the past."""
        if self.turn:
            self.past.append(self.live)
            self.past_evidence.append(self.evidence)
        self.turn += 1
        self._take(asked)

    def again(self, filters: Filters | None) -> bool:
        """Take up the last question once more, in its place and under `filters`; False where there is none."""
        if self.asked is None:
            return False
        place = self.answer_of.pop(self.turn, None)
        if place is not None:
            del self.answers[place:]
            self.numbers = {c.doc_id: c.number for answer in self.answers for c in answer.citations}
        self._take(Asked(self.asked.question, filters))
        return True

    def _take(self, asked: Asked) -> None:
        self.asked, self.waiting, self.asking = asked, True, True
        self.draft = self.live = self.evidence = ""
        self.epoch += 1

    def keep(self, answer: Answer) -> None:
        """The question in work is answered; its papers keep their numbers."""
        self.answers.append(answer)
        self.answer_of[self.turn] = len(self.answers) - 1
        self.numbers.update({citation.doc_id: citation.number for citation in answer.citations})

    def drop(self) -> bool:
        """Stop waiting for an answer; False where none was awaited."""
        was_asking = self.asking
        self.waiting = self.asking = False
        self.epoch += 1
        return was_asking

    def answer(self, turn: int) -> Answer | None:
        """The answer of a turn."""
        place = self.answer_of.get(turn)
        return None if place is None else self.answers[place]
