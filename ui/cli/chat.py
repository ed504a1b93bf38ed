"""`chat`: questions in turns, with follow-ups, stable footnote numbers, sources and export."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from rag.conversation import Conversation
from rag.errors import BadInputError, FootnoteError
from rag.export import FORMATS, about, ending_of, write
from rag.models import check_generator
from rag.text import whole
from ui.cli import terminal
from ui.cli.options import filter_options, filters_from, json_option, model_options, open_library
from ui.cli.questions import documents_of, stream_to_terminal

COMMANDS = """\
/sources          the papers cited so far
/history          the questions asked so far
/export FILE      write the chat: .md, .tex (with .bib beside it), .csl.json or .json
/clear            forget what was said; no export has it then
/help             this list
/quit             leave (also Ctrl-D, or Ctrl-C at the prompt)"""


@click.command(epilog="Example: footnote chat --export talk.md")
@click.option("--export", "export_to", type=click.Path(path_type=Path), help="Write the chat to this file at the end.")
@json_option
@filter_options
@model_options
@click.pass_context
def chat(ctx: click.Context, /, export_to: Path | None, as_json: bool, **options: Any) -> int:
    """Ask in turns; follow-ups understand what was said before.

    Reads one question a line from a pipe, too; exit code 1 if something fails and none is answered. Type /help for
    what else can be done.
    """
    filters = filters_from(options)
    is_new = bool(export_to and not export_to.exists())
    if export_to:
        _check_writable(export_to)
    footnote = open_library(ctx, options, build_from_seeds=True)
    check_generator(footnote.settings)
    conversation = Conversation(footnote, filters=filters)
    try:
        all_failed = _converse(conversation, as_json=as_json)
    finally:
        if export_to and conversation.answers:  # a chat that never was takes no file's place
            write(conversation.answers, conversation.documents(), export_to)
        elif export_to and is_new:
            export_to.unlink(missing_ok=True)
    return int(all_failed)


def _check_writable(path: Path) -> None:
    """Refuse, before anything is asked, a file that the chat could not be written to. Raises BadInputError."""
    ending_of(path)
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise BadInputError(f"cannot write {path}: {error.strerror}") from error


def _converse(conversation: Conversation, *, as_json: bool) -> bool:
    """Read lines to their end; returns whether there were some in a pipe and every one of them failed."""
    interactive = sys.stdin.isatty()
    failed = answered = 0
    if interactive:
        with suppress(ImportError):  # not on every system
            import readline  # noqa: F401  # gives `input` its arrow keys and what was typed before
        click.echo("Ask a question; /help lists what else can be done.", err=True)
    while (line := _next_line(interactive)) is not None:
        if not line:
            continue
        try:
            if line.startswith("/"):
                if _command(conversation, line):
                    break
            else:
                _turn(conversation, line, as_json=as_json)
                answered += 1
        except FootnoteError as error:
            failed += 1
            if as_json and not line.startswith("/"):
                click.echo(json.dumps({"question": line, "error": str(error)}, ensure_ascii=False))
            click.echo(f"error: {terminal.clean(str(error))}", err=True)
        except KeyboardInterrupt:
            if not interactive:
                raise  # nobody is there to ask something else
            click.echo("stopped", err=True)
    return bool(failed and not answered and not interactive)


def _next_line(interactive: bool) -> str | None:
    """The next line; `None` when there is none, or Ctrl-C says so."""
    try:
        if interactive and sys.stdout.isatty():
            return whole(input("? ")).strip()
        if interactive:
            click.echo("? ", nl=False, err=True)  # `input` would write it among the answers
        line = sys.stdin.readline()
        return whole(line).strip() if line else None
    except (EOFError, KeyboardInterrupt):
        return None


def _turn(conversation: Conversation, question: str, *, as_json: bool) -> None:
    answer = stream_to_terminal(conversation, question)
    if as_json:
        click.echo(json.dumps(answer.to_dict(), ensure_ascii=False))
    else:
        click.echo(terminal.answer_text(answer, documents_of(conversation.footnote, answer)) + "\n")


def _command(conversation: Conversation, line: str) -> bool:
    """Run a /command; returns whether to leave."""
    name, _, argument = line.partition(" ")
    if name in {"/quit", "/exit"}:
        return True
    if name == "/sources":
        numbers = conversation.numbers
        for doc_id, document in conversation.documents().items():
            click.echo(
                terminal.wrapped(document.title or document.source, first=f"[{numbers[doc_id]}] ", indent="    ")
            )
            click.echo(terminal.style(terminal.wrapped(about(document), indent="    "), dim=True))
        if not numbers:
            click.echo("nothing cited yet")
    elif name == "/history":
        for number, answer in enumerate(conversation.answers, start=1):
            click.echo(terminal.wrapped(answer.question, first=f"{number}. "))
    elif name == "/export" and argument.strip():
        if not conversation.answers:
            raise BadInputError("nothing has been asked yet, so there is nothing to export")
        path = Path(argument.strip().strip("\"'")).expanduser()
        for written in write(conversation.answers, conversation.documents(), path):
            click.echo(f"wrote {written}", err=True)
    elif name == "/export":
        click.echo(f"error: /export needs a file, ending in {', '.join(FORMATS)}", err=True)
    elif name == "/clear":
        conversation.clear()
    else:
        click.echo(COMMANDS)
    return False
