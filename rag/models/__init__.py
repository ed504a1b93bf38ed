"""Models by what they do: the embedder, the reader, the asker, the generator, the entailer.

Each is named by a setting (a default, a hub id, a local folder, a GGUF file, or a server's URL) and
loaded by `load_embedder`, `load_reader`, `load_generator` or `load_entailer`; the asker is Footnote's own.
"""

from __future__ import annotations

from pathlib import Path

from rag.models import weights
from rag.models.asker import Asker, QueryLikelihood
from rag.models.embedder import Embedder, TransformerEmbedder
from rag.models.entailer import Entailer, Entailment, NliEntailer, load_entailer
from rag.models.fetching import Say
from rag.models.generator import Generator, TransformerGenerator, check_place, load_causal, without_thoughts
from rag.models.reader import Reader, load_reader
from rag.models.server import ServerEmbedder, ServerGenerator, check_url
from rag.settings import Settings

__all__ = [
    "Asker",
    "Embedder",
    "Entailer",
    "Entailment",
    "Generator",
    "NliEntailer",
    "QueryLikelihood",
    "Reader",
    "ServerEmbedder",
    "ServerGenerator",
    "TransformerEmbedder",
    "TransformerGenerator",
    "check_generator",
    "load_asker",
    "load_embedder",
    "load_entailer",
    "load_generator",
    "load_reader",
    "without_thoughts",
]


def load_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name. Raises ModelError."""
    if settings.embed_url:
        return ServerEmbedder(settings.embed_url, settings.embedder, settings.api_key)
    if settings.embedder == weights.DEFAULT_EMBEDDER:
        return TransformerEmbedder(weights.embedder_folder(), settings.embedder, device=settings.device)
    return TransformerEmbedder(settings.embedder, settings.embedder, device=settings.device)


def load_asker(settings: Settings) -> Asker:
    """Footnote's own query likelihood: the default generator, trained to ask. Raises ModelError."""
    adapter = weights.read_packed("asker")
    return Asker(*load_causal(weights.generator_folder(), "footnote-asker", adapter=adapter, device=settings.device))


def check_generator(settings: Settings) -> None:
    """Refuse a generator that cannot be there, before a question has waited for it. Raises ModelError."""
    if settings.llm_url:
        check_url(settings.llm_url)
    elif settings.llm not in weights.SMALL:
        check_place(settings.llm)


def load_generator(settings: Settings, *, say: Say | None = None) -> Generator:
    """The generator that the settings name, fetched if it is the default and not there. Raises ModelError."""
    check_generator(settings)
    if settings.llm_url:
        return ServerGenerator(settings.llm_url, settings.llm, settings.api_key)
    if settings.llm == weights.DEFAULT_GENERATOR:
        return TransformerGenerator(weights.generator_folder(say=say), settings.llm, device=settings.device)
    if settings.llm == weights.OWN_GENERATOR:
        adapter, folder = weights.read_packed(weights.OWN[settings.llm]), weights.generator_folder(say=say)
        return TransformerGenerator(folder, settings.llm, adapter=adapter, device=settings.device)
    place = Path(settings.llm)
    if place.suffix == ".gguf":
        return TransformerGenerator(place.parent, place.stem, gguf=place.name, device=settings.device)
    return TransformerGenerator(settings.llm, settings.llm, device=settings.device)
