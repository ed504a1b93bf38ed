"""What readers say of an answer, kept as JSON Lines in the library's folder; nothing leaves the machine.

A line holds the whole answer, so that a question can become one that is evaluated: `questions_of` does that
with what needs no person to say what would have been right.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

from eval.dataset import GoldSentence, Question
from rag.errors import EvalError, LibraryError
from rag.text import json_lines
from rag.types import JSON, Answer

FILE_NAME = "feedback.jsonl"
KINDS = frozenset(
    {"helpful", "wrong_evidence", "wrong_answer", "should_have_abstained", "should_have_answered", "other"}
)
MAX_COMMENT = 1_000
_lock = threading.Lock()


def record(folder: Path, answer: Answer, kind: str, comment: str = "") -> Path:
    """Append what a reader says of an answer; returns the file. Raises LibraryError where it cannot be written.

    `kind` is one of `KINDS`.
    """
    row = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": kind,
        "comment": comment[:MAX_COMMENT],
        "question": answer.question,
        "answer": answer.to_dict(),
    }
    path = folder / FILE_NAME
    try:
        with _lock, path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except OSError as error:
        raise LibraryError(f"feedback cannot be kept in {path}: {error.strerror}") from error
    return path


def questions_of(path: Path) -> tuple[list[Question], list[str]]:
    """Questions to evaluate, and those that still need a person to write what is right; the last word counts.

    What was helpful is right as it stands: its quotes become the evidence. What should have been left
    unanswered becomes a question that the papers do not answer. Raises EvalError for a file that cannot be read.
    """
    try:
        lines = json_lines(path.read_text(encoding="utf-8"))
        rows = [json.loads(line) for line in lines if line.strip()]
        said = {answer.standalone_question: (row["kind"], answer) for row in rows for answer in [_answer(row)]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvalError(f"{path} holds no feedback that can be read: {error}") from error
    made, by_hand = [], []
    for number, (question, (kind, answer)) in enumerate(said.items(), start=1):
        if kind in {"helpful", "should_have_abstained"}:
            made.append(_question(f"feedback-{number:03}", question, answer if kind == "helpful" else None))
        else:
            by_hand.append(question)
    return made, by_hand


def _answer(row: JSON) -> Answer:
    return Answer.from_dict(row["answer"])


def _question(name: str, question: str, right: Answer | None) -> Question:
    if right is None or right.abstained:
        return Question(name, "feedback", question, (), "", (), (), (), answerable=False)
    facts = tuple(claim.text for claim in right.claims)
    places = dict.fromkeys((citation.source, citation.quote) for citation in right.citations)
    sources = tuple(dict.fromkeys(source for source, _ in places))
    evidence = tuple(GoldSentence(source, quote) for source, quote in places)
    return Question(name, "feedback", question, (), right.text, facts, sources, evidence, answerable=True)
