"""`export`: an answer or chat, as `ask --json` or `chat --json` printed it, for a manuscript."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

import click

from rag import export as exporting
from rag.errors import BadInputError
from rag.text import json_lines
from rag.types import Answer, Document
from ui.cli.options import open_library

KINDS = {
    "markdown": exporting.to_markdown,
    "latex": exporting.to_latex,
    "bibtex": exporting.to_bibtex,
    "csl-json": exporting.to_csl,
}


@click.command(epilog='Example: footnote ask "…" --json > a.json && footnote export a.json -o a.tex')
@click.argument("answers", type=click.File("rb"), default="-")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File; its ending names the format (.tex writes .bib too).",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(list(KINDS)),
    default="markdown",
    show_default=True,
    help="Format on stdout.",
)
@click.pass_context
def export(ctx: click.Context, /, answers: BinaryIO, output: Path | None, kind: str) -> int:
    """Write ANSWERS (JSON from ask or chat, - for stdin) as Markdown, LaTeX with .bib, or CSL-JSON."""
    read = _answers(answers)
    footnote = open_library(ctx, {})
    cited = list(dict.fromkeys(citation.doc_id for answer in read for citation in answer.citations))
    documents: dict[str, Document] = {d.id: d for d in footnote.library.documents(cited)}
    gone = len(cited) - len(documents)
    if gone:
        click.echo(f"{gone} cited papers are no longer in the library: their entries have the title alone", err=True)
    if output is None:
        click.echo(KINDS[kind](read, documents), nl=False)
        return 0
    for path in exporting.write(read, documents, output):
        click.echo(f"wrote {path}", err=True)
    return 0


def _answers(file: BinaryIO) -> list[Answer]:
    """Answers from one JSON object, a list of them, or JSON Lines; lines of a batch that failed are passed over."""
    content = file.read()
    try:
        rows = _rows(content.decode(json.detect_encoding(content)))  # Windows shells write UTF-16, or a BOM
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"{file.name}: not JSON; give what `footnote ask --json` printed") from error
    try:
        answers = [Answer.from_dict(row) for row in rows if not (isinstance(row, dict) and "error" in row)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(f"{file.name}: not an answer; give what `footnote ask --json` printed") from error
    if not answers:
        raise BadInputError(f"{file.name}: holds no answer; give what `footnote ask --json` printed")
    return answers


def _rows(text: str) -> list[Any]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError:
        rows = [json.loads(line) for line in json_lines(text) if line.strip()]
    return rows if isinstance(rows, list) else [rows]
