"""`ui`: the web page."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

import click

from rag.errors import FootnoteError, LibraryMissingError, SettingsError
from rag.models import check_generator
from rag.pipeline import Footnote
from ui.cli.options import model_options, open_library, open_or_create


@click.command(epilog="Example: footnote ui --port 7860")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for the network.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port (default: the first free one from 7860 on).")
@click.option("--auth", multiple=True, metavar="USER:PASSWORD", help="Ask for this password; @FILE has one a line.")
@click.option("--mcp", is_flag=True, help="Also offer ask, search, check and get_paper to agents over MCP.")
@click.option("--open", "in_browser", is_flag=True, help="Open the page in the browser.")
@model_options
@click.pass_context
def ui(
    ctx: click.Context,
    /,
    host: str,
    port: int | None,
    auth: tuple[str, ...],
    mcp: bool,
    in_browser: bool,
    **options: Any,
) -> int:
    """Serve the web page: ask, read each sentence beside its source, extend the corpus.

    It listens on this machine only, and asks nobody else for anything. Ctrl-C ends it.
    """
    from ui.web import quick, security

    pairs = security.credentials(auth)
    if mcp and pairs:
        raise SettingsError("--mcp has no passwords: leave out --auth, or --mcp")
    if warning := security.warning(host, has_password=bool(pairs)):
        click.echo(warning, err=True)
    footnote = _library(ctx, options)
    check_generator(footnote.settings)
    click.echo("starting the page ...", err=True)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported
    quick.import_gradio()
    from ui.web.app import serve

    with ExitStack() as running:
        try:
            page, address = running.enter_context(
                serve(footnote, host=host, port=port, credentials=pairs, mcp=mcp, in_browser=in_browser)
            )
        except OSError as error:
            raise FootnoteError(f"the page cannot be served on {host}, port {port or '7860-7959'}: {error}") from error
        click.echo(f"Footnote is at {address} (Ctrl-C ends it)", err=True)
        page.block_thread()
    return 0


def _library(ctx: click.Context, options: dict[str, Any]) -> Footnote:
    """The library, from the seed papers or, where one is named that is not there, empty."""
    try:
        return open_library(ctx, options, build_from_seeds=True)
    except LibraryMissingError:
        footnote = open_or_create(ctx, options)
        click.echo(f"made an empty library in {footnote.library.folder}: add papers on the Corpus tab", err=True)
        return footnote
