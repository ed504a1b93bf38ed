"""JSON Lines of questions and claims → rows that can be trusted, or every fault with its line.

A question is trusted when its evidence stands verbatim in the abstracts it names; a claim likewise.
Types are free: users add their own. What is asked of the rows is left to the runner.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from rag.errors import EvalError
from rag.text import fold, json_lines, whole
from rag.types import JSON, Turn, Verdict

LABELS = (Verdict.SUPPORTED.value, Verdict.CONTRADICTED.value, Verdict.NOT_ENOUGH_INFO.value)

Row = TypeVar("Row", "Question", "ClaimRow")


@dataclass(frozen=True, slots=True)
class GoldSentence:
    """A sentence marked as evidence, verbatim in the document of this source."""

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what a right answer says and rests on; one that is not answerable has no evidence.

    The `gold_answer` of an unanswerable question is empty or says what is missing.
    """

    id: str
    type: str
    question: str
    history: tuple[Turn, ...]
    gold_answer: str
    key_facts: tuple[str, ...]
    gold_sources: tuple[str, ...]
    gold_sentences: tuple[GoldSentence, ...]
    answerable: bool
    without: tuple[str, ...] = ()  # sources that are hidden while it is asked: "paper removed, must abstain"

    def to_dict(self) -> JSON:
        """Return the row as it stands in a file; `from_dict` reads it back unchanged."""
        row = {
            **{name: getattr(self, name) for name in _QUESTION if name not in _OPTIONAL},
            "history": [{"question": turn.question, "answer": turn.answer} for turn in self.history],
            "key_facts": list(self.key_facts),
            "gold_sources": list(self.gold_sources),
            "gold_sentences": [asdict(sentence) for sentence in self.gold_sentences],
        }
        return {**row, "without": list(self.without)} if self.without else row

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Question:
        """Inverse of `to_dict`; the row must be one without a fault of form."""
        return cls(
            row["id"],
            row["type"],
            row["question"],
            tuple(Turn(turn["question"], turn["answer"]) for turn in row["history"]),
            row["gold_answer"],
            tuple(row["key_facts"]),
            tuple(row["gold_sources"]),
            tuple(GoldSentence(sentence["source"], sentence["text"]) for sentence in row["gold_sentences"]),
            row["answerable"],
            tuple(row.get("without", ())),
        )


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim about one document with its verdict and the sentences, verbatim, that it rests on.

    `type` names how it was made from the text; `label` is never "unchecked".
    """

    id: str
    type: str
    claim: str
    source: str
    label: Verdict
    gold_sentences: tuple[str, ...]
    note: str

    def to_dict(self) -> JSON:
        """Return the row as it stands in a file; `from_dict` reads it back unchanged."""
        return {**asdict(self), "label": self.label.value, "gold_sentences": list(self.gold_sentences)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> ClaimRow:
        """Inverse of `to_dict`; the row must be one without a fault of form."""
        values = {**row, "label": Verdict(row["label"]), "gold_sentences": tuple(row["gold_sentences"])}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row; lines count from 1, `id` is empty where the row has none."""

    line: int
    id: str
    what: str

    def __str__(self) -> str:
        """As it stands in a message."""
        return f"line {self.line}{f' ({self.id})' if self.id else ''}: {self.what}"


def read_questions(path: Path) -> list[Question]:
    """The questions of a file in its order; raises EvalError that names every fault of form.

    Whether the evidence is verbatim needs the documents: that is `faults`.
    """
    return _read(path, _QUESTION, Question.from_dict)


def read_claims(path: Path) -> list[ClaimRow]:
    """The claims of a file in its order; raises EvalError that names every fault of form."""
    return _read(path, _CLAIM, ClaimRow.from_dict)


def faults(questions: Path | Iterable[str], documents: Mapping[str, str]) -> list[Fault]:
    """Everything that is wrong with questions, given as a file or as lines of JSON, by line.

    `documents` maps each source to the text of its document. Blank lines count as lines, and are no
    rows. Raises EvalError only if the file cannot be read.
    """
    return _faults(_lines(questions), _QUESTION, lambda row: _question_evidence(row, documents))


def claim_faults(claims: Path | Iterable[str], documents: Mapping[str, str]) -> list[Fault]:
    """As `faults`, of claims."""
    return _faults(_lines(claims), _CLAIM, lambda row: _claim_evidence(row, documents))


# Each key with what its value must be.
Keys = Mapping[str, tuple[Callable[[object], bool], str]]


def _read(path: Path, keys: Keys, make: Callable[[JSON], Row]) -> list[Row]:
    lines = list(_lines(path))
    found = _faults(lines, keys, lambda _: iter(()))
    if found:
        raise EvalError(f"{path} has {len(found)} faults:\n" + "\n".join(f"  {fault}" for fault in found))
    return [make(json.loads(line)) for line in lines if line.strip()]


def _lines(questions: Path | Iterable[str]) -> Iterable[str]:
    if not isinstance(questions, Path):
        return questions
    try:
        text = questions.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError(f"{questions} cannot be read as UTF-8 text: {error}") from error
    return json_lines(text)


def _faults(lines: Iterable[str], keys: Keys, evidence: Callable[[JSON], Iterator[str]]) -> list[Fault]:
    found: list[Fault] = []
    first: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row, wrong = _parsed(line)
        name = row["id"] if isinstance(row.get("id"), str) else ""
        if not wrong:
            wrong = list(_form(row, keys))
            usable = all(key in _OPTIONAL or (key in row and fits(row[key])) for key, (fits, _) in keys.items())
            wrong.extend(evidence(row) if usable else ())
        if name and first.setdefault(name, number) != number:
            wrong.insert(0, f"the id is that of line {first[name]}")
        found.extend(Fault(number, name, what) for what in wrong)
    return found


def _parsed(line: str) -> tuple[JSON, list[str]]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return {}, [f"not JSON: {error}"]
    return (row, []) if isinstance(row, dict) else ({}, ["not a JSON object"])


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value == whole(value)  # JSON can spell half of a surrogate pair


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(_is_text(item) for item in value)


def _is_rows(*keys: str) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        return isinstance(value, list) and all(
            isinstance(item, dict) and set(item) == set(keys) and all(map(_is_text, item.values())) for item in value
        )

    return check


_TEXT = (_is_text, "text")
_FILLED = ("id", "type", "question", "claim", "source")
_TEXTS = (_is_texts, "a list of texts")
_QUESTION: Keys = {
    "id": _TEXT,
    "type": _TEXT,
    "question": _TEXT,
    "history": (_is_rows("question", "answer"), 'a list of {"question": text, "answer": text}'),
    "gold_answer": _TEXT,
    "key_facts": _TEXTS,
    "gold_sources": _TEXTS,
    "gold_sentences": (_is_rows("source", "text"), 'a list of {"source": text, "text": text}'),
    "answerable": (lambda value: isinstance(value, bool), "true or false"),
    "without": _TEXTS,
}
_OPTIONAL = ("without",)
_CLAIM: Keys = {
    "id": _TEXT,
    "type": _TEXT,
    "claim": _TEXT,
    "source": _TEXT,
    "label": (lambda value: value in LABELS, f"one of {', '.join(LABELS)}"),
    "gold_sentences": _TEXTS,
    "note": _TEXT,
}


def _form(row: JSON, keys: Keys) -> Iterator[str]:
    yield from (f"no key {key!r}" for key in keys if key not in row and key not in _OPTIONAL)
    yield from (f"unknown key {key!r}" for key in row if key not in keys)
    for key, (fits, kind) in keys.items():
        if key in row and not fits(row[key]):
            yield f"{key!r} must be {kind}"
        elif key in row and key in _FILLED and not row[key].strip():
            yield f"{key!r} is empty"


def _question_evidence(row: JSON, documents: Mapping[str, str]) -> Iterator[str]:
    question = Question.from_dict(row)
    marked = {"key_facts": question.key_facts, "gold_sources": question.gold_sources}
    marked["gold_sentences"] = tuple(sentence.text for sentence in question.gold_sentences)
    if question.answerable:
        if not question.gold_answer.strip():
            yield "answerable, but 'gold_answer' is empty"
        yield from (f"answerable, but {key!r} is empty" for key, values in marked.items() if not values)
        hidden = (source for source in question.gold_sources if source in question.without)
        yield from (f"answerable, but 'without' hides {source!r}" for source in hidden)
    else:
        yield from (f"not answerable, but {key!r} is not empty" for key, values in marked.items() if values)
    yield from ("a key fact is empty" for fact in question.key_facts if not fact.strip())
    named = dict.fromkeys((*question.gold_sources, *question.without))
    yield from (f"unknown source {source!r}" for source in named if source not in documents)
    with_sentence = {sentence.source for sentence in question.gold_sentences}
    for source in question.gold_sources:
        if question.gold_sentences and source not in with_sentence:
            yield f"no gold sentence from {source!r}"
    for sentence in question.gold_sentences:
        if sentence.source not in question.gold_sources:
            yield f"a gold sentence from {sentence.source!r}, which is not in 'gold_sources'"
        yield from _not_verbatim(sentence.text, sentence.source, documents)


def _claim_evidence(row: JSON, documents: Mapping[str, str]) -> Iterator[str]:
    if row["source"] not in documents:
        yield f"unknown source {row['source']!r}"
    if row["label"] != Verdict.NOT_ENOUGH_INFO and not row["gold_sentences"]:
        yield f"{row['label']}, but 'gold_sentences' is empty"
    for sentence in row["gold_sentences"]:
        yield from _not_verbatim(sentence, row["source"], documents)


def _not_verbatim(sentence: str, source: str, documents: Mapping[str, str]) -> Iterator[str]:
    if not sentence.strip():
        yield "a gold sentence is empty"
    elif source in documents and sentence not in documents[source]:
        yield f"gold sentence not verbatim in {source!r}: {fold(sentence)[:80]!r}"
