"""The reader: how well a text answers a question, and how likely none of some texts does.

Footnote's own is trained with "none of them" as an option whose logit is 0, so that its logits are
comparable between questions. A reranker of the hub ranks as well, but its zero has no such meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models.cross_encoder import CrossEncoder, load, load_trained
from rag.text import fold

OWN = "footnote-reader"
NONE = "none"  # the setting that goes without a reader


class Reader(Protocol):
    """A judge of (question, text) pairs."""

    @property
    def name(self) -> str:
        """What a fingerprint says about who ranked."""
        ...

    @property
    def knows_none(self) -> bool:
        """Whether its logits are the log odds against "none of them"; only then may it decide on abstention."""
        ...

    def read(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """A logit for each text, `(texts,)`, higher where the text answers better."""
        ...


class CrossEncoderReader:
    """Footnote's own reader, or a reranker with one output."""

    def __init__(self, encoder: CrossEncoder, name: str) -> None:
        if len(encoder.labels) != 1:
            raise ModelError(f"reranker {name!r} has {len(encoder.labels)} outputs, not one: name one that ranks")
        self.name = name
        self.knows_none = name == OWN
        self._encoder = encoder

    def read(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """One logit a text, in order."""
        return np.asarray(self._encoder.logits([(question, text) for text in texts])[:, 0], np.float32)


def titled(title: str, text: str) -> str:
    """A part of a paper as a reader sees it: under the paper's title."""
    return f"{fold(title)}. {fold(text)}" if title else fold(text)


def load_reader(setting: str, *, device: str = "") -> Reader:
    """Footnote's own reader, or the reranker of that hub id or folder. Raises ModelError."""
    if setting == OWN:
        return CrossEncoderReader(load_trained("reader", device=device), OWN)
    return CrossEncoderReader(load(setting, what="reranker", device=device), setting)
