"""Real parts, made once: the seed library, and models that the tests share.

The generator is a small honest class that copies or makes up what the test tells it: what matters here
is what Footnote does with a draft. One test file asks the real one.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import choosing
from rag.models import load_embedder
from rag.pipeline import Footnote
from rag.settings import Settings

SEEDS = Path(__file__).parents[1] / "seeds"


class ScriptedGenerator:
    """Writes the draft it is given, or what a function makes of the prompt."""

    name = "scripted"

    def __init__(self, draft=""):
        self.draft = draft
        self.prompts: list[str] = []

    def stream(self, system: str, prompt: str, *, max_new_tokens: int) -> Iterator[str]:
        self.prompts.append(prompt)
        draft = self.draft(prompt) if callable(self.draft) else self.draft
        for word in draft.split(" "):
            yield word + " "


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("FOOTNOTE_") and name != "FOOTNOTE_CACHE":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _small_models_are_loaded_once():
    """What is opened anew in hundreds of tests shares the reader and the entailer, which keep no state of a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("load_entailer", "load_reader"):
            patch.setattr(choosing, name, functools.cache(getattr(choosing, name)))
        yield


@pytest.fixture(scope="session")
def embedder():
    """The real MiniLM."""
    return load_embedder(Settings())


@pytest.fixture(scope="session")
def seed_folder(embedder, tmp_path_factory):
    """A library of the seed papers; copy it to write to it."""
    folder = tmp_path_factory.mktemp("seeds") / "library"
    footnote = Footnote.build([SEEDS], folder, embedder=embedder)
    footnote.library.close()
    return folder


@pytest.fixture
def seeds(seed_folder, embedder, tmp_path):
    """The seed papers in a library of the test's own, with a generator that it can script."""
    folder = tmp_path / "library"
    shutil.copytree(seed_folder, folder)
    footnote = Footnote.open(folder, embedder=embedder, generator=ScriptedGenerator())
    yield footnote
    footnote.library.close()
