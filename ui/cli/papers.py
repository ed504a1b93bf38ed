"""`ingest`, `list`, `show`, `remove` and `doctor`: what is in the library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from rag.export import about
from rag.ingest import find_files
from rag.ingesting import IngestReport
from rag.library import Library
from rag.types import Document
from ui.cli import terminal
from ui.cli.options import (
    filter_options,
    filters_from,
    json_option,
    model_options,
    open_or_create,
    open_papers,
)


@click.command(epilog="Example: footnote ingest papers/ refs.bib dump.jsonl.gz")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--prune", is_flag=True, help="Also remove papers whose files are gone from PATHS.")
@click.option("--rebuild", is_flag=True, help="Read and embed everything again, with the settings of now.")
@json_option
@model_options
@click.pass_context
def ingest(
    ctx: click.Context, /, paths: tuple[Path, ...], prune: bool, rebuild: bool, as_json: bool, **options: Any
) -> int:
    """Read PATHS (files and folders) into the library.

    Without PATHS, seeds/; where that is not, or with --rebuild, what the library was made from.
    Takes text, JSON, JSON Lines, BibTeX, RIS, CSV, PubMed XML and arXiv Atom, gz or not. What has not
    changed costs nothing; duplicates are merged; what cannot be read is reported and the rest goes in.
    """
    if rebuild:
        find_files(paths)  # where one does not exist, the library stays as it is
    footnote = open_or_create(ctx, options, rebuild=rebuild)
    report = footnote.ingest(
        list(paths) or _usual_paths(footnote.library, rebuild=rebuild),
        prune=prune,
        rebuild=rebuild,
        on_progress=terminal.progress_bar("embedding"),
        on_wait=lambda: click.echo("another process is writing to this library: waiting for it", err=True),
    )
    if as_json:
        click.echo(json.dumps(report.to_dict(), ensure_ascii=False))
    else:
        _tell(report)
    return 0


def _usual_paths(library: Library, *, rebuild: bool) -> list[Path]:
    """What is read where no path is given."""
    seeds = Path("seeds")
    known = library.files()
    return [path for path in known if path.exists()] if known and (rebuild or not seeds.exists()) else [seeds]


def _tell(report: IngestReport) -> None:
    for rejection in report.rejected:
        click.echo(terminal.clean(f"rejected {rejection}"), err=True)
    for merged in report.merged:
        click.echo(terminal.clean(f"merged {merged.source} into {merged.into} (same {merged.key})"), err=True)
    click.echo(report.summary())


@click.command("list", epilog="Example: footnote list --year 2024 --author Bau")
@click.argument("text", required=False, default="")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10**9), help="How many rows.")
@click.option("--offset", default=0, show_default=True, type=click.IntRange(0, 10**9), help="Rows to pass over.")
@json_option
@filter_options
@click.pass_context
def list_papers(ctx: click.Context, /, text: str, limit: int, offset: int, as_json: bool, **options: Any) -> int:
    """List papers; where TEXT is given, those that have it in their title, authors or source."""
    filters = filters_from(options)
    rows, total = open_papers(ctx).list(offset, limit, filters, text=text)
    if as_json:
        for document in rows:
            click.echo(json.dumps(_record(document), ensure_ascii=False))
        return 0
    for document in rows:
        year = str(document.metadata.get("year") or "    ")
        click.echo(terminal.clean(f"{document.source}  {year}  {document.title or document.text[:70]}"))
    click.echo(f"{len(rows):,} of {total:,} papers", err=True)
    return 0


@click.command(epilog="Example: footnote show 2403.10704")
@click.argument("reference")
@json_option
@click.pass_context
def show(ctx: click.Context, /, reference: str, as_json: bool) -> int:
    """Show the paper REFERENCE: its source, id, arXiv id, DOI or title."""
    document = open_papers(ctx).resolve(reference)
    if as_json:
        click.echo(json.dumps({**_record(document), "text": document.text}, ensure_ascii=False))
        return 0
    click.echo(terminal.style(terminal.wrapped(document.title or "(no title)"), bold=True))
    click.echo(terminal.style(terminal.wrapped(about(document)), dim=True))
    click.echo("\n" + terminal.wrapped(document.text))
    return 0


@click.command(epilog="Example: footnote remove 002_dd4b9b65b304c986.txt#6")
@click.argument("references", nargs=-1, required=True)
@click.pass_context
def remove(ctx: click.Context, /, references: tuple[str, ...]) -> int:
    """Take papers out of the library. Their files are not touched; one that changes brings its papers back."""
    library = open_papers(ctx)
    documents = {
        document.id: document for reference in references for document in [library.resolve(reference, in_full=True)]
    }
    library.remove(list(documents))
    for document in documents.values():
        click.echo(terminal.clean(f"removed {document.source}  {document.title}"))
    return 0


@click.command(epilog="Example: footnote doctor --repair")
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, /, repair: bool, as_json: bool) -> int:
    """Find what is wrong with the library. Exit code 1 while something is."""
    from rag.pipeline import Footnote

    findings = Footnote.doctor((ctx.obj or {}).get("library"), repair=repair)
    if as_json:
        for finding in findings:
            click.echo(json.dumps(finding.to_dict(), ensure_ascii=False))
    else:
        for finding in findings:
            state = "mended" if finding.mended else f"to mend: {finding.mend}"
            click.echo(terminal.clean(f"{finding.part}: {finding.problem} ({state})"))
        if not findings:
            click.echo("the library is in order")
    return 0 if all(finding.mended for finding in findings) else 1


def _record(document: Document) -> dict[str, Any]:
    return {
        "doc_id": document.id,
        "source": document.source,
        "title": document.title,
        "metadata": dict(document.metadata),
    }
