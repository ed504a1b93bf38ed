"""Settings: argument > `FOOTNOTE_*` environment > value saved in the library > default.

One frozen model with every knob, its reason beside it. Unknown names are errors.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.errors import SettingsError

PREFIX = "FOOTNOTE_"
CACHE = "FOOTNOTE_CACHE"  # the folder for fetched models: of the machine, not of a library


class Settings(BaseModel):
    """Every knob of Footnote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    library: Path = Path(".footnote")
    store: str = ""  # empty: Chroma embedded in the library folder; else the URL of a Chroma server
    embedder: str = "all-MiniLM-L6-v2"
    embed_url: str = ""  # an OpenAI-compatible server that embeds; empty: in this process
    llm: str = "SmolLM2-135M-Instruct"
    llm_url: str = ""  # an OpenAI-compatible server that generates; empty: in this process
    api_key: str = Field(default="", repr=False)  # for llm_url and embed_url, never saved
    reranker: str = "footnote-reader"  # reads question and text together; "none" goes without
    entailer: str = "footnote-entailer"  # judges what was written; "overlap" is the untrained judge
    device: str = ""  # empty: a GPU where there is one
    window_sentences: int = Field(default=3, ge=1)
    documents: int = Field(default=8, ge=1)  # papers handed to the answer stage
    max_answer_words: int = Field(default=120, ge=20)  # dev: .805 of the key facts, 110 words each; by 170, .815
    max_evidence_tokens: int = Field(default=700, ge=100)  # prefill of 1,024 tokens takes 0.4-1.1 s
    max_new_tokens: int | None = Field(default=None, ge=8)  # empty: as the generator is, see `Models.max_new_tokens`
    lock_timeout_s: float = Field(default=600.0, ge=0)  # a second ingest waits for the first


def load(
    arguments: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    saved: Mapping[str, Any] | None = None,
) -> Settings:
    """Merge the four sources; arguments that are `None` count as not given.

    Raises SettingsError for an unknown name or an unusable value, naming all of them at once.
    """
    environment = os.environ if environment is None else environment
    from_environment = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name != CACHE and value != ""
    }
    given = {name: value for name, value in (arguments or {}).items() if value is not None}
    try:
        return Settings(**{**(saved or {}), **from_environment, **given})
    except ValidationError as error:
        raise SettingsError(_explain(error, from_environment.keys() - given.keys())) from error


def _explain(error: ValidationError, from_environment: Collection[str]) -> str:
    lines = []
    for fault in error.errors():
        name = str(fault["loc"][0])
        where = f"{PREFIX}{name.upper()}" if name in from_environment else name
        if fault["type"] == "extra_forbidden":
            lines.append(f"unknown setting {where}; known: {', '.join(Settings.model_fields)}")
        else:
            lines.append(f"setting {where}: {fault['msg']} (got {fault['input']!r})")
    return "; ".join(lines)
