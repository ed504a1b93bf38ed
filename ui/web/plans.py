"""What a run of the evaluation is to ask: chosen on the page, kept in the run's folder, read again to go on.

A run that was made on the command line keeps no plan; its questions are known again by their hash.
"""

from __future__ import annotations

import itertools
import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval import harness
from eval.dataset import ClaimRow, Fault, Question, faults, read_claims, read_questions
from eval.make import make_questions
from eval.run import ANSWERS, MANIFEST, manifest_of, read_manifest, sample, written_by
from eval.systems import Pipeline
from rag.errors import BadInputError, EvalError
from rag.pipeline import Footnote

FOLDER = "runs"  # in the library's
QUESTIONS, PLAN = "questions.jsonl", "plan.json"
SPLITS = ("test", "dev")  # of the seed papers
MADE, FILE = "made", "file"
CHOICES = {
    "test": "Test questions of the seed papers",
    "dev": "Dev questions of the seed papers, which constants were fitted on",
    MADE: "Made from the papers of this library",
    FILE: "A file of questions",
}
MOST_QUESTIONS = 2_000
MOST_FAULTS, MOST_CHARACTERS = 8, 300  # told of at once, and of each
_FORM = "a row has the form that this prints: footnote eval questions make"
_MADE_BY_DEFAULT = 30
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


@dataclass(frozen=True, slots=True)
class Plan:
    """A run to make; `claims` test the judge, and with `is_full` the controls are asked too."""

    folder: Path
    questions: Sequence[Question]
    claims: Sequence[ClaimRow] = ()
    is_full: bool = False

    @property
    def name(self) -> str:
        """The run's name is that of its folder."""
        return self.folder.name

    @property
    def has_begun(self) -> bool:
        """Whether something was asked already."""
        return (self.folder / MANIFEST).exists()


def draw_up(footnote: Footnote, choice: str, *, file: Path | None, limit: int | None, name: str, is_full: bool) -> Plan:
    """A new run, written to its folder. Raises BadInputError or EvalError that says what does not fit."""
    if choice not in CHOICES:
        raise BadInputError("choose which questions to ask")
    if limit is not None and not 1 <= limit <= MOST_QUESTIONS:
        raise BadInputError(f"ask from 1 to {MOST_QUESTIONS:,} questions, or leave it blank for all")
    runs = footnote.library.folder / FOLDER
    folder = runs / (name.strip() or _free_name(runs, choice))
    if not _NAME.fullmatch(folder.name) or folder.parent != runs:
        raise BadInputError("a run's name is made of letters, digits, dots, dashes and underscores, at most 60")
    if folder.exists():
        raise BadInputError(f"there is a run called {folder.name}; choose another name, or resume it")
    questions = _chosen(footnote, choice, file, limit)
    if not questions:
        empty = (
            f"{file.name} holds no question: {_FORM}" if choice == FILE and file else "no paper has a figure or name"
        )
        raise BadInputError(f"there is nothing to ask: {empty}")
    if len(questions) > MOST_QUESTIONS:
        raise BadInputError(f"{len(questions):,} questions; at most {MOST_QUESTIONS:,} are asked here: set a limit")
    split = choice if choice in SPLITS else ""
    rows = [json.dumps(question.to_dict(), ensure_ascii=False) for question in questions]
    try:
        folder.mkdir(parents=True)
        (folder / QUESTIONS).write_text("\n".join(rows) + "\n", encoding="utf-8")
        (folder / PLAN).write_text(json.dumps({"split": split, "is_full": is_full}) + "\n", encoding="utf-8")
    except OSError as error:  # two that start at once take one name, too
        raise EvalError(f"the run cannot be kept in {folder}: {error.strerror}") from error
    return Plan(folder, questions, _claims(split) if is_full else (), is_full)


def take_up(footnote: Footnote, name: str) -> Plan:
    """A run to go on with. Raises EvalError where it is not known what it asked."""
    folder = footnote.library.folder / FOLDER / name
    try:
        plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        split, is_full = str(plan["split"]), bool(plan["is_full"])
    except (OSError, ValueError, KeyError, TypeError):
        split, is_full = "", False
    questions = questions_of(folder, footnote)
    if questions is None:
        raise EvalError(f"{name} was begun with questions that are not here; go on with it where it was begun")
    return Plan(folder, questions, _claims(split) if is_full else (), is_full)


def questions_of(folder: Path, footnote: Footnote) -> Sequence[Question] | None:
    """What a run asks, in its order; None where that is not known."""
    if (folder / QUESTIONS).exists():
        return read_questions(folder / QUESTIONS)
    run = read_manifest(folder)
    for split in SPLITS:
        asked = sample(read_questions(_path(split)), int(run.get("questions") or 0))
        made = manifest_of(asked, Pipeline(footnote), {})
        if made["questions_sha256"] == run.get("questions_sha256"):
            return asked
    return None


def finished(library: Path) -> list[str]:
    """The runs that have scores, by name."""
    return sorted(path.parent.name for path in (library / FOLDER).glob("*/scores.json"))


def unfinished(library: Path) -> list[str]:
    """The runs that were begun and have no scores yet, by name."""
    begun = {path.parent for kind in (MANIFEST, QUESTIONS) for path in (library / FOLDER).glob(f"*/{kind}")}
    return sorted(folder.name for folder in begun if not (folder / "scores.json").exists())


def elsewhere(library: Path) -> dict[str, str]:
    """The unfinished runs that somebody writes to at this moment, by name, and who does."""
    writers = {name: written_by(library / FOLDER / name) for name in unfinished(library)}
    return {name: writer for name, writer in writers.items() if writer}


def progress(library: Path, name: str) -> str:
    """A run's name and how many of its questions are answered, as far as its folder tells."""
    folder = library / FOLDER / name
    answered, asked = (_lines(folder / file) for file in (ANSWERS, QUESTIONS))
    return f"{name}: {answered} of {asked} answered" if asked else f"{name}: {answered} answered"


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except OSError:
        return 0


def _chosen(footnote: Footnote, choice: str, file: Path | None, limit: int | None) -> Sequence[Question]:
    if choice == MADE:
        return make_questions(list(footnote.library.every()), most=limit or _MADE_BY_DEFAULT)
    if choice == FILE and file is None:
        raise BadInputError("give a file of questions")
    path = file if choice == FILE and file else _path(choice)
    texts = {document.source: document.text for document in footnote.library.every()}
    try:
        found = faults(path, texts)
    except EvalError as error:  # its words begin with where the upload lies
        raise BadInputError(str(error).replace(str(path), path.name)) from error
    if found:
        remedy = f"mend the file and give it again; {_FORM}" if choice == FILE else f"choose “{CHOICES[MADE]}”"
        raise BadInputError(_told(path.name, found, remedy))
    questions = read_questions(path)
    return sample(questions, limit) if limit else questions


def _told(name: str, found: Sequence[Fault], remedy: str) -> str:
    """The first faults of a file of questions, a line each, and what to do."""
    count = f"{len(found)} fault{'' if len(found) == 1 else 's'}"
    lines = [f"{name} cannot be asked of this library, {count}:"]
    lines += [textwrap.shorten(str(fault), MOST_CHARACTERS, placeholder=" …") for fault in found[:MOST_FAULTS]]
    if len(found) > MOST_FAULTS:
        lines.append(f"and {len(found) - MOST_FAULTS} more; all are named by: footnote eval questions check {name}")
    return "\n".join([*lines, remedy[0].upper() + remedy[1:]])


def _path(split: str) -> Path:
    return harness.DATA / f"questions-{split}.jsonl"


def _claims(split: str) -> Sequence[ClaimRow]:
    return read_claims(harness.DATA / f"claims-{split}.jsonl") if split in SPLITS else ()


def _free_name(runs: Path, choice: str) -> str:
    names = (choice if number == 1 else f"{choice}-{number}" for number in itertools.count(1))
    return next(name for name in names if not (runs / name).exists())
