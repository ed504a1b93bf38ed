"""The models of an open library: objects of the caller's, or what the settings name.

Says also which of them may do what: rank papers, weigh how likely a question is, be trusted with words
of their own. Loading is left to `rag.models`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rag import settings as configuring
from rag.models import (
    Embedder,
    Entailer,
    Generator,
    QueryLikelihood,
    load_embedder,
    load_entailer,
    load_generator,
    load_reader,
)
from rag.models.reader import NONE as NO_READER
from rag.models.reader import OWN as OWN_READER
from rag.models.reader import Reader
from rag.models.weights import OWN_GENERATOR, SMALL, generator_is_here
from rag.overlap import UNTRAINED, OverlapEntailer
from rag.sentences import SentenceVectors
from rag.settings import Settings

_ROLES = ("embedder", "reader", "generator", "entailer")  # settings that may be objects


@dataclass
class Models:
    """The models, loaded when first needed and kept; `given` are the caller's, by role."""

    settings: Settings
    given: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def choose(cls, arguments: Mapping[str, Any]) -> Models:
        """Tell objects from names among the arguments; nothing is loaded. Raises SettingsError."""
        given = {role: arguments[role] for role in _ROLES if not isinstance(arguments.get(role), str | None)}
        named = {name: value for name, value in arguments.items() if name not in given}
        return cls(configuring.load(named), given)

    @property
    def embedder_name(self) -> str:
        """The embedder's name, without loading it."""
        embedder: Embedder | None = self.given.get("embedder")
        return embedder.name if embedder else self.settings.embedder

    @cached_property
    def embedder(self) -> Embedder:
        """What turns text into vectors."""
        return self.given.get("embedder") or load_embedder(self.settings)

    @cached_property
    def sentences(self) -> SentenceVectors:
        """The embedder's vectors of sentences, as far as they were needed."""
        return SentenceVectors(self.embedder)

    @cached_property
    def reader(self) -> Reader | None:
        """What reads question and text together; `None` goes without."""
        given: Reader | None = self.given.get("reader")
        if given or self.settings.reranker == NO_READER:
            return given
        return load_reader(self.settings.reranker, device=self.settings.device)

    @cached_property
    def reranker(self) -> Reader | None:
        """A reader that also ranks: any but Footnote's own, which adds nothing to the ranking (measured)."""
        if "reader" not in self.given and self.settings.reranker == OWN_READER:
            return None  # not loaded for a search
        return None if self.reader is None or self.reader.knows_none else self.reader

    @cached_property
    def generator(self) -> Generator:
        """What writes the draft."""
        return self.given.get("generator") or load_generator(self.settings)

    @property
    def generator_is_small(self) -> bool:
        """Whether the generator is one that is too small to be trusted with words of its own."""
        return not self.settings.llm_url and self.settings.llm in SMALL

    @property
    def generator_is_trained(self) -> bool:
        """Whether the generator was trained for Footnote, so that it needs no instructions."""
        return not self.settings.llm_url and self.settings.llm == OWN_GENERATOR

    @property
    def likelihood(self) -> QueryLikelihood | None:
        """The generator, if it is one of the small ones and there: a search fetches none, and a large one is slow."""
        small = self.generator_is_small and self.settings.reranker == OWN_READER
        if not small or "reader" in self.given or not ("generator" in self.given or generator_is_here()):
            return None
        return self.generator if isinstance(self.generator, QueryLikelihood) else None

    @cached_property
    def entailer(self) -> Entailer:
        """What judges whether a text carries a claim."""
        given: Entailer | None = self.given.get("entailer")
        if given:
            return given
        if self.settings.entailer == UNTRAINED:
            return OverlapEntailer()
        return load_entailer(self.settings.entailer, device=self.settings.device)
