"""tiktoken, offline: how long a text is where no model's own tokenizer is at hand."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

ENCODING = "cl100k_base"


def count(text: str) -> int:
    """Tokens of a text; what looks like a special token is text."""
    return len(_encoding().encode(text, disallowed_special=()))


@cache
def _encoding() -> Encoding:
    """The encoding out of the copy that llama-index installs, since tiktoken would download it."""
    import tiktoken

    given = os.environ.get("TIKTOKEN_CACHE_DIR")
    try:
        if given is None and (copy := _installed_copy()):
            os.environ["TIKTOKEN_CACHE_DIR"] = str(copy)
        return tiktoken.get_encoding(ENCODING)
    finally:
        if given is None:
            os.environ.pop("TIKTOKEN_CACHE_DIR", None)


def _installed_copy() -> Path | None:
    spec = importlib.util.find_spec("llama_index")
    for place in (spec.submodule_search_locations if spec else None) or []:
        folder = Path(place) / "core" / "_static" / "tiktoken_cache"
        if folder.is_dir():
            return folder
    return None
