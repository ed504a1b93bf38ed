"""The library: papers in, cited and checked answers out.

    import rag

    papers = rag.build(["seeds"])
    answer = papers.ask("How many refusal categories are there?")

Names are imported when first used, so that `import rag` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.checking import Check as Check
    from rag.errors import FootnoteError as FootnoteError
    from rag.library import Filters as Filters
    from rag.pipeline import Footnote as Footnote
    from rag.types import Abstention as Abstention
    from rag.types import Answer as Answer
    from rag.types import Citation as Citation
    from rag.types import Claim as Claim
    from rag.types import Document as Document
    from rag.types import Hit as Hit
    from rag.types import Turn as Turn
    from rag.types import Verdict as Verdict

_HOMES = {
    "rag.errors": ("FootnoteError",),
    "rag.library": ("Filters",),
    "rag.checking": ("Check",),
    "rag.pipeline": ("Footnote",),
    "rag.types": ("Abstention", "Answer", "Citation", "Claim", "Document", "Hit", "Turn", "Verdict"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = ["build", "open", *sorted(_HOME_OF)]


def build(paths: Any, library: Any = None, **settings: Any) -> Footnote:
    """Open a library, made if there is none, with `paths` read into it. See `Footnote.build`."""
    from rag.pipeline import Footnote

    return Footnote.build(paths, library, **settings)


def open(library: Any = None, **settings: Any) -> Footnote:  # noqa: A001
    """Open an existing library. See `Footnote.open`."""
    from rag.pipeline import Footnote

    return Footnote.open(library, **settings)


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(importlib.import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'rag' has no attribute {name!r}")
