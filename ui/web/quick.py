"""Imports gradio in half the time: without the stubs for editors that it writes beside its own code.

For each of its component classes gradio reads and parses its sources, twice, to keep a `.pyi` file up to
date in the folder it is installed in: 1.3 s of 3.3 on two cores. For a class whose file is not known it
does nothing, and so no file is known while it is imported.
"""

from __future__ import annotations

import inspect
import sys


def import_gradio() -> None:
    """Import gradio; does nothing where that is done."""
    if "gradio" in sys.modules:
        return
    known = inspect.getfile

    def getfile(thing: object) -> str:
        if isinstance(thing, type) and thing.__module__.startswith("gradio."):
            raise OSError(f"not told while gradio is imported: the file of {thing}")
        return known(thing)  # type: ignore[arg-type]

    inspect.getfile = getfile  # type: ignore[assignment]
    try:
        import gradio  # noqa: F401
    finally:
        inspect.getfile = known
