"""Put questions to a system and keep every answer: the folder of a run.

`answers.jsonl` has a line for each question, written as soon as it is answered, so that a killed run
goes on where it stopped and asks nothing twice but what ended in an error: its last line counts.
`run.json` says what was asked of what; a folder whose `run.json` says something else is refused rather
than mixed, as is one that another process writes to.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import rag
from eval.dataset import Question
from eval.systems import System
from rag.errors import EvalError, FootnoteError, LibraryBusyError
from rag.library.locks import FileLock
from rag.text import json_lines, whole
from rag.types import JSON, Answer

ANSWERS = "answers.jsonl"
MANIFEST = "run.json"
_CODE = {".py", ".json", ".safetensors"}
LOCK = ".writing"  # holds the number of the process that writes, or the last that did
GRACE_S = 0.5  # who only looks whether somebody writes holds the lock for a moment

_own: ContextVar[frozenset[Path]] = ContextVar("_own", default=frozenset())


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one question: an answer (an abstention is one) or the error that came between."""

    id: str
    answer: Answer | None
    error: str = ""

    def to_dict(self) -> JSON:
        """Return the line of `answers.jsonl`."""
        return {"id": self.id, "answer": self.answer.to_dict() if self.answer else None, "error": self.error}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Record:
        """Inverse of `to_dict`."""
        return cls(row["id"], Answer.from_dict(row["answer"]) if row["answer"] else None, row["error"])


def ask_all(
    questions: Sequence[Question],
    system: System,
    folder: Path,
    *,
    manifest: Mapping[str, Any],
    on_answer: Callable[[int, int], None] = lambda done, total: None,
) -> list[Record]:
    """Answer what is not yet answered in `folder`, and return all records in the order of the questions.

    `on_answer(done, total)` is called after each. Raises EvalError if the folder holds another run, or
    another process writes to it.
    """
    with writing(folder):
        return _asked(questions, system, folder, manifest, on_answer)


def _asked(
    questions: Sequence[Question],
    system: System,
    folder: Path,
    manifest: Mapping[str, Any],
    on_answer: Callable[[int, int], None],
) -> list[Record]:
    agree(folder, manifest)
    done = {record.id: record for record in read_records(folder)}
    with (folder / ANSWERS).open("a", encoding="utf-8") as out:
        out.truncate(len(_whole_lines(folder / ANSWERS)))
        for number, question in enumerate(questions, start=1):
            if question.id not in done or done[question.id].error:
                record = _answered(question, system)
                out.write(json.dumps(record.to_dict(), ensure_ascii=False) + "\n")
                out.flush()
                done[question.id] = record
            on_answer(number, len(questions))
    return [done[question.id] for question in questions]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Have the folder of a run alone; within itself it can be entered again. The lock ends with the process.

    Raises EvalError while somebody else has it.
    """
    place = folder.resolve()
    if place in _own.get():
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(FileLock(folder / LOCK).exclusive(timeout_s=GRACE_S))
        except LibraryBusyError as error:
            raise EvalError(
                f"the run {folder} is being written by {_writer(folder)}; wait until that has ended, or end it and "
                "give the same command again: no question is asked twice"
            ) from error
        (folder / LOCK).write_text(f"{os.getpid()}\n", encoding="utf-8")
        before = _own.set(_own.get() | {place})
        held.callback(_own.reset, before)
        yield


def written_by(folder: Path) -> str:
    """Who writes to the folder of a run at this moment, in words; empty where nobody does."""
    if not (folder / LOCK).exists():
        return ""
    try:
        with FileLock(folder / LOCK).shared(timeout_s=0):
            return ""
    except LibraryBusyError:
        return _writer(folder)


def _writer(folder: Path) -> str:
    try:
        pid = int((folder / LOCK).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it has only just begun
        return "another process"
    return "this process" if pid == os.getpid() else f"another process (pid {pid})"


def read_records(folder: Path) -> list[Record]:
    """The answers that a run has so far; a line that a kill cut off, or that is being written, is none."""
    path = folder / ANSWERS
    try:
        lines = json_lines(_whole_lines(path).decode("utf-8"))[:-1]
        return [Record.from_dict(json.loads(line)) for line in lines]
    except (ValueError, KeyError, TypeError) as error:
        raise EvalError(f"{path} is damaged ({error}); remove the folder and run again") from error


def _whole_lines(path: Path) -> bytes:
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1]


def read_manifest(folder: Path) -> JSON:
    """What a run was made with. Raises EvalError if the folder holds none."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvalError(f"{folder} holds no run: {error}; make one with: footnote eval run --out {folder}") from error
    if not isinstance(found, dict):
        raise EvalError(f"{folder} holds no run: {MANIFEST} is no JSON object; remove the folder and run again")
    return found


def manifest_of(questions: Sequence[Question], system: System, settings: Mapping[str, Any]) -> JSON:
    """What identifies a run: the questions by hash, the system, and the settings that can change an answer."""
    return {
        "system": system.name,
        "code": code_of(),
        "questions": len(questions),
        "questions_sha256": hash_of(questions),
        "settings": dict(settings),
    }


def hash_of(questions: Sequence[Question]) -> str:
    """16 hex digits that change with the questions and their order."""
    rows = json.dumps([question.to_dict() for question in questions], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(rows.encode()).hexdigest()[:16]


@cache
def code_of() -> str:
    """16 hex digits that change with the code, weights and constants that make answers, those of the controls too."""
    found = hashlib.sha256()
    for path in [*sorted(Path(rag.__file__).parent.rglob("*")), Path(__file__).with_name("systems.py")]:
        if path.suffix in _CODE and path.is_file():
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def sample(questions: Sequence[Question], most: int, *, seed: int = 0) -> list[Question]:
    """At most so many, in proportion to the types, in their order; the same seed draws the same."""
    if len(questions) <= most:
        return list(questions)
    types: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        types[question.type].append(question)
    chance = random.Random(seed)
    ranked = sorted(
        ((place + chance.random()) / len(own), question.id)
        for own in types.values()
        for place, question in enumerate(chance.sample(own, len(own)))
    )
    chosen = {question_id for _, question_id in ranked[:most]}
    return [question for question in questions if question.id in chosen]


def peak_memory_mb() -> float:
    """The most memory that this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def _answered(question: Question, system: System) -> Record:
    start = time.perf_counter()
    try:
        answer = system.answer(question)
    except FootnoteError as error:
        return Record(question.id, None, whole(f"{type(error).__name__}: {error}"))  # a server's words may be no text
    timings = answer.timings or {"total": round(time.perf_counter() - start, 4)}
    return Record(question.id, replace(answer, id=question.id, timings=timings))


def agree(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Note in a folder what it holds. Raises EvalError where it holds something else."""
    path = folder / MANIFEST
    if not path.exists() and (folder / ANSWERS).exists():
        raise EvalError(
            f"{folder} holds answers, but no {MANIFEST} to say to what; give --out another folder, or remove this one"
        )
    if not path.exists():
        new = path.with_name(f"{path.name}.new")  # a kill leaves no half of it
        new.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        new.replace(path)
        return
    there = read_manifest(folder)
    differ = [key for key in sorted({*there, *manifest}) if there.get(key) != manifest.get(key)]
    if differ:
        raise EvalError(
            f"{folder} holds a run with other {_listed(differ)}; give --out another folder, or remove this one"
        )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)
