"""Loads the models in the background, so that the page is there before they are.

It begins when somebody has the page before him, or soon when nobody comes: importing torch leaves no time
to a server that is just handing out its page.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable

from rag.errors import FootnoteError
from rag.models import weights
from rag.models.entailer import OWN as OWN_ENTAILER
from rag.pipeline import Footnote

MOST_OF_A_MODEL_S = 30.0
FOR_THE_PAGE_S = 3.0  # a browser that the user opens by hand comes later, and finds the models loading


class Loading:
    """Loads embedder, generator and judge in a thread, and opens the index; `text` tells what is being loaded."""

    def __init__(self, footnote: Footnote) -> None:
        self._footnote = footnote
        self._ready = threading.Event()
        self._page_is_there = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._load, name="models", daemon=True)
        self.text = "loading models"
        self.error = ""

    def start(self) -> None:
        """Begin, once the page is there or some seconds have passed; returns at once."""
        self._thread.start()
        atexit.register(self.end)

    def end(self) -> None:
        """Begin nothing more, and wait for what is being loaded: torch aborts the process that ends in its midst."""
        self._is_over.set()
        self.let()
        self._thread.join(MOST_OF_A_MODEL_S)

    def let(self) -> None:
        """Wait for the page no longer."""
        self._page_is_there.set()

    @property
    def ready(self) -> bool:
        """Whether nothing is being loaded any more."""
        return self._ready.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for at most so long; returns whether nothing is being loaded any more."""
        self.let()
        return self._ready.wait(seconds)

    def _load(self) -> None:
        self._page_is_there.wait(FOR_THE_PAGE_S)
        for load in (self._load_embedder, self._load_generator, self._load_judge, self._open_index):
            if self._is_over.is_set() or self.error:
                break
            self._tried(load)
        self._ready.set()

    def _tried(self, load: Callable[[], None]) -> None:
        try:
            load()
        except FootnoteError as error:  # told again, and tried again, with the next question
            self.error = str(error)
        except Exception:
            if self._is_over.is_set():  # the process is being taken down around it
                return
            logging.getLogger(__name__).exception("a model could not be loaded")
            self.error = "a model could not be loaded; the terminal says why"

    def _load_embedder(self) -> None:
        self.text = f"loading {self._footnote.settings.embedder}"
        _ = self._footnote.embedder

    def _load_generator(self) -> None:
        self.text = f"loading {self._footnote.settings.llm}"
        if self._footnote.models.generator_is_small:
            weights.generator_folder(say=self._say)
        _ = self._footnote.generator

    def _load_judge(self) -> None:
        name = self._footnote.settings.entailer
        self.text = f"loading {name}"
        if name == OWN_ENTAILER:
            weights.encoder_folder(say=self._say)
        _ = self._footnote.entailer

    def _open_index(self) -> None:
        self.text = "opening the index"
        if self._footnote.library.count():
            self._footnote.search("papers", k=1)  # what else the first question would wait for

    def _say(self, text: str) -> None:
        self.text = text
