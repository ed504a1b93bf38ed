"""Options that several verbs share, and opening the library that they name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from rag import settings as configuring
from rag.errors import BadInputError, LibraryMissingError
from rag.library import Filters, Library, command
from rag.pipeline import Footnote
from ui.cli import terminal

MODEL_OPTIONS = ("llm", "llm_url", "embedder", "embed_url", "reranker", "entailer", "store")
FILTER_OPTIONS = ("year", "venue", "author", "source")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object (see README).")


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose models and store."""
    for option in reversed(
        [
            click.option("--llm", metavar="MODEL", help="Generator: a hub id, a local folder or a GGUF file."),
            click.option("--llm-url", metavar="URL", help="Generator on an OpenAI-compatible server."),
            click.option("--embedder", metavar="MODEL", help="Embedder: a hub id or a local folder."),
            click.option("--embed-url", metavar="URL", help="Embedder on an OpenAI-compatible server."),
            click.option("--reranker", metavar="MODEL", help="Reader: a reranker's hub id or folder, or none."),
            click.option("--entailer", metavar="MODEL", help="Judge of claims: a hub id or folder, or overlap."),
            click.option("--store", metavar="URL", help="A Chroma server instead of the library's folder."),
        ]
    ):
        command = option(command)
    return command


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that narrow the papers."""
    for option in reversed(
        [
            click.option("--year", metavar="YEARS", help="2024, 2020-2024, 2020- or -2024."),
            click.option("--venue", help="Part of the venue's name."),
            click.option("--author", help="Part of an author's name."),
            click.option("--source", "--in", "source", help="Part of the source, or a glob such as '002_*'."),
        ]
    ):
        command = option(command)
    return command


def filters_from(options: dict[str, Any]) -> Filters | None:
    """Take the filter options out of `options`."""
    given = {name: options.pop(name, None) for name in FILTER_OPTIONS}
    if not any(given.values()):
        return None
    first, last = years(given["year"]) if given["year"] else (None, None)
    return Filters(year_from=first, year_to=last, venue=given["venue"], author=given["author"], source=given["source"])


def years(text: str) -> tuple[int | None, int | None]:
    """Read `2024`, `2020-2024`, `2020-`, `-2024`. Raises BadInputError."""
    first, dash, last = text.strip().partition("-")
    if not re.fullmatch(r"\d{1,4}|\d{0,4}\s*-\s*\d{0,4}", text.strip(), re.ASCII) or not (first or last):
        raise BadInputError(f"--year {text!r} is no year or range: write 2024, 2020-2024, 2020- or -2024")
    start = int(first) if first.strip() else None
    end = int(last) if last.strip() else None
    if not dash:
        return start, start
    if start is not None and end is not None and start > end:
        raise BadInputError(f"--year {text!r} ends before it begins")
    return start, end


def open_library(ctx: click.Context, /, options: dict[str, Any], *, build_from_seeds: bool = False) -> Footnote:
    """Open the library that the command line names.

    With `build_from_seeds`, a missing default library is made from the checkout's `seeds/`, and stderr
    says so; it also says of papers that they cannot be found yet.
    """
    chosen = {name: options.get(name) for name in MODEL_OPTIONS}
    library = (ctx.obj or {}).get("library")
    try:
        footnote = Footnote.open(library, **chosen)
        _tell_of_pending(footnote.library)
        return footnote
    except LibraryMissingError:
        seeds = _seeds()
        named = library or os.environ.get("FOOTNOTE_LIBRARY")
        if not build_from_seeds or named or seeds is None:
            raise
        click.echo(f"no library yet: reading the papers in {seeds}", err=True)
        footnote = Footnote.create(library, **chosen)
        report = footnote.ingest([seeds], on_progress=terminal.progress_bar("embedding"))
        click.echo(f"{report.summary()}", err=True)
        return footnote


def open_papers(ctx: click.Context, /) -> Library:
    """Open the library that the command line names for what needs no model, whatever it was built with."""
    settings = configuring.load({"library": (ctx.obj or {}).get("library")})
    library = Library.open(settings.library, lock_timeout_s=settings.lock_timeout_s)
    _tell_of_pending(library)
    return library


def open_or_create(ctx: click.Context, /, options: dict[str, Any], *, rebuild: bool = False) -> Footnote:
    """Open the library to write to it, made if there is none; `rebuild` lets its settings change."""
    chosen = {name: options.get(name) for name in MODEL_OPTIONS}
    library = (ctx.obj or {}).get("library")
    if rebuild:
        try:
            return Footnote.rebuild(library, **chosen)
        except LibraryMissingError:
            pass
    return Footnote.create(library, **chosen)


def _tell_of_pending(library: Library) -> None:
    if waiting := library.pending_count():
        click.echo(
            f"papers that cannot be found yet: {waiting}; finish with: {command(library.folder, 'ingest')}", err=True
        )


def _seeds() -> Path | None:
    for folder in (Path("seeds"), Path(__file__).parents[2] / "seeds"):
        if folder.is_dir():
            return folder
    return None
