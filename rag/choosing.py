"""The models of an open library: objects of the caller's, or what the settings name.

Says also which of them may do what: rank papers, weigh how likely a question is, be trusted with words
of their own. Loading is left to `rag.models`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rag import answer as answering
from rag import settings as configuring
from rag.library import Library
from rag.models import (
    Embedder,
    Entailer,
    Generator,
    NliEntailer,
    QueryLikelihood,
    load_asker,
    load_embedder,
    load_entailer,
    load_generator,
    load_reader,
)
from rag.models.entailer import OWN as OWN_ENTAILER
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
        """Tell objects from names among the arguments; nothing is loaded. Raises SettingsError.

        What neither they nor the environment name is as the library was made, if there is one.
        """
        told = {name: str(value) if isinstance(value, Path) else value for name, value in arguments.items()}
        given = {role: told[role] for role in _ROLES if not isinstance(told.get(role), str | None)}
        named = {name: value for name, value in told.items() if name not in given}
        saved = Library.saved_settings(configuring.load({"library": told.get("library")}).library)
        return cls(configuring.load(named, saved=saved), given)

    @property
    def embedder_name(self) -> str:
        """The embedder's name, without loading it."""
        embedder: Embedder | None = self.given.get("embedder")
        return embedder.name if embedder else self.settings.embedder

    @property
    def of_library(self) -> Mapping[str, str]:
        """The settings that a library which is made with these models keeps.

        An embedder that is on this machine, or a hub: where a server is, only its user says, or a library that was
        given away could have questions sent there.
        """
        own = self.settings
        return {} if "embedder" in self.given or own.embed_url else {"embedder": own.embedder}

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
        """Whether the default generator writes, trained or not: too small to be trusted with words of its own."""
        return "generator" not in self.given and not self.settings.llm_url and self.settings.llm in SMALL

    @property
    def instructions(self) -> str:
        """What the generator is told ahead of evidence and question."""
        if self.generator_is_trained:
            return answering.SYSTEM_TRAINED
        return answering.SYSTEM_SMALL if self.generator_is_small else answering.SYSTEM

    @property
    def max_new_tokens(self) -> int:
        """How long a draft may be: three seconds of a small generator's; another knows when it has said enough."""
        return self.settings.max_new_tokens or (96 if self.generator_is_small else 512)

    @property
    def generator_is_trained(self) -> bool:
        """Whether the generator was trained for Footnote, so that it needs no instructions."""
        return self.generator_is_small and self.settings.llm == OWN_GENERATOR

    def asker(self, *, fetch: bool = False) -> QueryLikelihood | None:
        """What tells how likely a question is; `None` without Footnote's own reader, with which its say is weighed.

        Also where the default generator that it is made of is not there, unless it writes and `fetch` allows to have
        it now rather than for the answer; and beside models of the caller's, unless it is one of them.
        """
        given: QueryLikelihood | None = self.given.get("asker")
        if self.settings.reranker != OWN_READER or "reader" in self.given:
            return None
        if given or "generator" in self.given:
            return given
        return self._asker if generator_is_here() or (fetch and self.generator_is_small) else None

    @cached_property
    def _asker(self) -> QueryLikelihood:
        return load_asker(self.settings)

    @cached_property
    def entailer(self) -> Entailer:
        """What judges whether a text carries a claim."""
        given: Entailer | None = self.given.get("entailer")
        if given:
            return given
        if self.settings.entailer == UNTRAINED:
            return OverlapEntailer()
        return load_entailer(self.settings.entailer, device=self.settings.device)

    @property
    def own_entailer(self) -> NliEntailer | None:
        """The entailer if it is Footnote's own: what it makes of a question is weighed by constants fitted on it."""
        if "entailer" not in self.given and self.settings.entailer != OWN_ENTAILER:
            return None  # not loaded before there is something to judge
        entailer = self.entailer
        return entailer if isinstance(entailer, NliEntailer) and entailer.name == OWN_ENTAILER else None
