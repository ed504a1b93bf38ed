"""`export`: an answer or chat, as `ask --json` or `chat --json` printed it, for a manuscript."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

import click

from rag import export as exporting
from rag.errors import BadInputError
from rag.text import json_lines, whole
from rag.types import Answer, Document
from ui.cli.options import open_papers

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
    help="Format on stdout: markdown if not given.",
)
@click.pass_context
def export(ctx: click.Context, /, answers: BinaryIO, output: Path | None, kind: str | None) -> int:
    """Write ANSWERS (JSON from ask or chat, - for stdin) as Markdown, LaTeX with .bib, or CSL-JSON."""
    if output and kind:
        raise click.UsageError("the ending of -o FILE names its format: leave --format out")
    read = _answers(answers)
    library = open_papers(ctx)
    cited = list(dict.fromkeys(citation.doc_id for answer in read for citation in answer.citations))
    documents: dict[str, Document] = {d.id: d for d in library.documents(cited)}
    gone = len(cited) - len(documents)
    if gone:
        click.echo(f"{gone} cited papers are no longer in the library: their entries have the title alone", err=True)
    if output is None:
        click.echo(KINDS[kind or "markdown"](read, documents), nl=False)
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
        answers = [_answer(row) for row in rows if not (isinstance(row, dict) and "error" in row)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(f"{file.name}: not an answer; give what `footnote ask --json` printed") from error
    if not answers:
        raise BadInputError(f"{file.name}: holds no answer; give what `footnote ask --json` printed")
    return answers


def _answer(row: Any) -> Answer:
    """The answer in a row. Raises KeyError, TypeError, ValueError or AttributeError where it is none."""
    answer = Answer.from_dict(row)
    cited = [text for c in answer.citations for text in (c.doc_id, c.source, c.title, c.quote)]
    if not all(isinstance(text, str) for text in (answer.question, *(claim.text for claim in answer.claims), *cited)):
        raise TypeError("what should be text is none")
    return answer


def _rows(text: str) -> list[Any]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError:
        rows = [json.loads(line) for line in json_lines(text) if line.strip()]
    rows = json.loads(whole(json.dumps(rows, ensure_ascii=False)))
    return rows if isinstance(rows, list) else [rows]
