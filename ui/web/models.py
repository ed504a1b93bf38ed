"""Loads the models in the background, so that the page is there before they are."""

from __future__ import annotations

import logging
import threading

from rag.errors import FootnoteError
from rag.models import weights
from rag.pipeline import Footnote


class Loading:
    """Loads embedder, generator and judge in a thread; `text` tells what is being loaded."""

    def __init__(self, footnote: Footnote) -> None:
        self._footnote = footnote
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._load, name="models", daemon=True)
        self.text = "loading models"
        self.error = ""

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether nothing is being loaded any more."""
        return self._ready.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for at most so long; returns whether nothing is being loaded any more."""
        return self._ready.wait(seconds)

    def _load(self) -> None:
        settings = self._footnote.settings
        try:
            self.text = f"loading {settings.embedder}"
            _ = self._footnote.embedder
            self.text = f"loading {settings.llm}"
            if not settings.llm_url and settings.llm == weights.DEFAULT_GENERATOR:
                weights.generator_folder(say=self._say)
            _ = self._footnote.generator, self._footnote.entailer
        except FootnoteError as error:  # told again, and tried again, with the next question
            self.error = str(error)
        except Exception:
            logging.getLogger(__name__).exception("a model could not be loaded")
            self.error = "a model could not be loaded; the terminal says why"
        finally:
            self._ready.set()

    def _say(self, text: str) -> None:
        self.text = text
