"""`ask`, `search` and `check`: one question or a batch, for people and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

import click

from rag.conversation import Conversation
from rag.errors import BadInputError, FootnoteError
from rag.models import check_generator
from rag.pipeline import Delta, Footnote, Progress
from rag.text import whole
from rag.types import Answer, Document, Turn
from ui.cli import terminal
from ui.cli.options import filter_options, filters_from, json_option, model_options, open_library

BATCH_HELP = "A JSON Lines file, one object a line, - for stdin; one JSON object a line comes out."


@click.command(epilog='Example: footnote ask "How many refusal categories are there?"')
@click.argument("question", required=False)
@click.option("--batch", type=click.File("r", encoding="utf-8", errors="replace"), help=BATCH_HELP)
@json_option
@filter_options
@model_options
@click.pass_context
def ask(ctx: click.Context, /, question: str | None, batch: TextIO | None, as_json: bool, **options: Any) -> int:
    """Answer QUESTION from the papers; every sentence carries a checked footnote.

    Batch lines: {"id", "question", "history": [{"question", "answer"}]}. On a checkout without a
    library, the seed papers are read first.
    """
    question = _given(question, batch, "QUESTION")
    filters = filters_from(options)
    footnote = open_library(ctx, options, build_from_seeds=True)
    check_generator(footnote.settings)
    if batch is not None:
        return _batch(batch, lambda row: _asked(footnote, row, filters))
    if as_json:
        click.echo(json.dumps(footnote.ask(question, filters=filters).to_dict(), ensure_ascii=False))
        return 0
    answer = stream_to_terminal(footnote, question, filters=filters)
    click.echo(terminal.answer_text(answer, documents_of(footnote, answer)))
    return 0


@click.command(epilog='Example: footnote search "long context benchmarks" -k 3 --year 2024')
@click.argument("question", required=False)
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many papers.")
@click.option("--batch", type=click.File("r", encoding="utf-8", errors="replace"), help=BATCH_HELP)
@json_option
@filter_options
@model_options
@click.pass_context
def search(
    ctx: click.Context, /, question: str | None, k: int, batch: TextIO | None, as_json: bool, **options: Any
) -> int:
    """Find the papers that fit QUESTION best, each with its best passage."""
    question = _given(question, batch, "QUESTION")
    filters = filters_from(options)
    footnote = open_library(ctx, options, build_from_seeds=True)

    def found(row: Mapping[str, Any]) -> dict[str, Any]:
        hits = footnote.search(_text(row, "question"), k=k, filters=filters, history=history_of(row))
        return {"id": row.get("id"), "question": row["question"], "hits": [hit.to_dict() for hit in hits]}

    if batch is not None:
        return _batch(batch, found)
    if as_json:
        click.echo(json.dumps(found({"question": question}), ensure_ascii=False))
        return 0
    click.echo(terminal.hits_text(footnote.search(question, k=k, filters=filters)))
    return 0


@click.command(epilog='Example: footnote check "PERL needs more memory than RLHF" --source 002_dd4b9b65b304c986.txt#5')
@click.argument("claim", required=False)
@click.option("--source", help="Check against this paper: its source, id, arXiv id, DOI or title.")
@click.option(
    "--evidence",
    type=click.File("r", encoding="utf-8", errors="replace"),
    help="Check against this text, - for stdin.",
)
@click.option("--batch", type=click.File("r", encoding="utf-8", errors="replace"), help=BATCH_HELP)
@json_option
@model_options
@click.pass_context
def check(
    ctx: click.Context,
    /,
    claim: str | None,
    source: str | None,
    evidence: TextIO | None,
    batch: TextIO | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Judge whether CLAIM is supported, by default by the whole library.

    Batch lines: {"id", "claim", "evidence"?: "text", "source"?: "file.txt#6"}.
    """
    claim = _given(claim, batch, "CLAIM")
    if batch is not None and (source is not None or evidence is not None):
        raise click.UsageError("with --batch, each line names its own source or evidence: leave out the option")
    footnote = open_library(ctx, options, build_from_seeds=True)

    def checked(row: Mapping[str, Any]) -> dict[str, Any]:
        against = {name: _text(row, name) for name in ("source", "evidence") if row.get(name) is not None}
        return {**footnote.check(_text(row, "claim"), **against).to_dict(), "id": row.get("id")}

    if batch is not None:
        return _batch(batch, checked)
    row = {"claim": claim, "source": source, "evidence": evidence.read() if evidence else None}
    if as_json:
        click.echo(json.dumps(checked(row), ensure_ascii=False))
        return 0
    click.echo(terminal.check_text(footnote.check(claim, source=source, evidence=row["evidence"])))
    return 0


def stream_to_terminal(footnote: Footnote | Conversation, question: str, **options: Any) -> Answer:
    """Ask; on a terminal show the stages and the unchecked draft until the answer replaces them."""
    live = terminal.LiveDraft()
    try:
        for event in footnote.stream(question, **options):
            if isinstance(event, Progress):
                live.stage(event.stage)
            elif isinstance(event, Delta):
                live.write(event.text)
            else:
                return event
    finally:
        live.close()
    raise AssertionError("a stream ends with an answer")


def documents_of(footnote: Footnote, answer: Answer) -> dict[str, Document]:
    """The documents that an answer cites, or an abstention names, by id."""
    cited = [citation.doc_id for citation in answer.citations]
    named = cited or [hit.chunk.doc_id for hit in answer.hits[: terminal.NEAREST]]
    return {document.id: document for document in footnote.library.documents(list(dict.fromkeys(named)))}


def history_of(row: Mapping[str, Any]) -> list[Turn]:
    """The earlier turns of a batch line; an abstention may be a turn without an answer. Raises BadInputError."""
    turns = [] if row.get("history") is None else row["history"]
    if not isinstance(turns, list) or not all(map(_is_turn, turns)):
        raise BadInputError('history must be a list of {"question": text, "answer": text}')
    return [Turn(turn["question"], turn.get("answer") or "") for turn in turns]


def _asked(footnote: Footnote, row: Mapping[str, Any], filters: Any) -> dict[str, Any]:
    answer = footnote.ask(_text(row, "question"), history=history_of(row), filters=filters)
    return {**answer.to_dict(), "id": row.get("id")}


def _batch(lines: TextIO, answer: Callable[[Mapping[str, Any]], dict[str, Any]]) -> int:
    """One JSON object out a line in, in order, flushed as made; a failing line tells its error.

    Returns the exit code: 1 when every line failed, else 0.
    """
    failed = answered = 0
    for number, row in _rows(lines):
        if isinstance(row, FootnoteError):
            result: dict[str, Any] = {"id": None, "error": str(row)}
        else:
            try:
                result = answer(row)
            except FootnoteError as error:
                at = "" if row.get("id") is not None else f"line {number}: "
                result = {"id": row.get("id"), "error": f"{at}{error}"}
        failed += "error" in result
        answered += "error" not in result
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    if failed:
        click.echo(f'{failed} of {failed + answered} lines failed; see their "error"', err=True)
    return 1 if failed and not answered else 0


def _rows(lines: TextIO) -> Iterator[tuple[int, Mapping[str, Any] | FootnoteError]]:
    for number, line in enumerate(lines, start=1):
        if not (line := line.lstrip("\ufeff").strip()):
            continue
        try:
            row = json.loads(line)
            row = json.loads(whole(json.dumps(row, ensure_ascii=False, allow_nan=False)))
        except (ValueError, RecursionError):  # ValueError: a number that is none, or of thousands of digits, too
            mend = "save it as UTF-8" if "\0" in line else "write one object a line"
            yield number, BadInputError(f"line {number}: not JSON; {mend}")
            continue
        yield number, row if isinstance(row, dict) else BadInputError(f"line {number}: not a JSON object")


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise BadInputError(f'"{key}" is missing or not a text')
    return value


def _is_turn(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("question"), str)
        and isinstance(value.get("answer"), str | None)
    )


def _given(argument: str | None, batch: object, name: str) -> str:
    """The argument, empty with a batch; one of the two must be given."""
    if (argument is None) == (batch is None):
        raise click.UsageError(f"give {name} or --batch FILE{', not both' if batch else ''}")
    return whole(argument or "")
