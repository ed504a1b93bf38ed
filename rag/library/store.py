"""Vectors in two Chroma collections, embedded in the library folder or on a server. Home of chromadb.

`abstracts` can be opened by a stock llama-index `ChromaVectorStore`: ids, text and metadata are there
and `_node_content` is what it makes nodes from. `windows` has vectors only; its texts are in the
catalog. A query gives cosine similarities; distances stay in here.

What chromadb 1.5.9 does when processes share a folder, found by trying: a client goes on searching the
vectors that it had in memory when another process has written (its counts do change), so a reader must
open anew; and a process killed while vectors are saved to disk, every thousand rows, may leave a
truncated file that no client can open again, so `signature` tells whether a kill fell into that moment.
Clients are cached by path for a whole process: `_unshared` gives each its own.
"""

from __future__ import annotations

import itertools
import json
import pickle
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar, cast
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.errors import LibraryDamagedError, ServerError, told_by
from rag.library.catalog import command, index_error
from rag.types import JSON, Chunk, Document

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

COLLECTIONS = {"abstract": "abstracts", "window": "windows"}
# Exact up to some hundred chunks, for ef_search is above their number; .99 of the nearest 100 among 20,000
# at 2,700 inserts a second. Twice as careful (200 and 32) gives .997 at 1,000 a second.
HNSW = {"space": "cosine", "ef_construction": 100, "max_neighbors": 24, "ef_search": 400}
PAGE = 1000  # rows a call, under every limit of SQLite and Chroma (`get_max_batch_size` was 5,461)
SMALL = 1000  # bytes; the metadata of an index without a vector has 124
_clients = itertools.count()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A chunk as it goes into a collection."""

    chunk: Chunk
    document: Document
    vector: NDArray[np.float32]


class Store:
    """An open Chroma client with the two collections of a library.

    Raises LibraryDamagedError where the folder cannot be used, ServerError where a server cannot.
    """

    def __init__(self, place: Path | str, library_id: str, *, create: bool = False) -> None:
        self.place = place
        self._library_id = library_id
        self._client: Client | None = None
        if isinstance(place, Path) and not create and not (place / "chroma.sqlite3").is_file():
            raise LibraryDamagedError(
                f"{place} is missing or empty; mend it with: {command(place.parent, 'doctor --repair')}"
            )
        with self._translated():
            self._client = _connect(place)
            self._collections = {kind: self._collection(kind, create) for kind in COLLECTIONS}

    def close(self) -> None:
        """Give back the client; a second call does nothing."""
        client, self._client = self._client, None
        if client is None:
            return
        servers = [getattr(part, "_server", None) for part in (client, client._admin_client)]
        client.close()
        for server in servers:  # chromadb leaves connections to a server open
            if (session := getattr(server, "_session", None)) is not None:
                session.close()

    def upsert(self, kind: str, entries: Sequence[Entry]) -> None:
        """Write chunks, replacing those of the same id.

        They are deleted first: of vectors changed in place, one now and then is never found again (chromadb 1.5.9).
        """
        self.delete(kind, [row.chunk.id for row in entries])
        for rows in _pages(entries):
            with self._translated():
                self._collections[kind].upsert(
                    ids=[row.chunk.id for row in rows],
                    embeddings=np.stack([row.vector for row in rows]),
                    metadatas=[_metadata(row, with_node=kind == "abstract") for row in rows],
                    documents=[row.chunk.text for row in rows] if kind == "abstract" else None,
                )

    def delete(self, kind: str, chunk_ids: Sequence[str]) -> None:
        """Delete chunks; unknown ids are passed over."""
        for ids in _pages(chunk_ids):
            with self._translated():
                self._collections[kind].delete(ids=list(ids))

    def query(self, kind: str, vector: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        """The ids of the `k` nearest chunks with their cosine similarity, best first."""
        with self._translated():
            found = self._collections[kind].query(
                query_embeddings=vector[np.newaxis], n_results=k, include=["distances"]
            )
        distances = found["distances"] or [[]]
        return [(id_, 1.0 - distance) for id_, distance in zip(found["ids"][0], distances[0], strict=True)]

    def count(self, kind: str) -> int:
        """How many chunks the collection has."""
        with self._translated():
            return int(self._collections[kind].count())

    def vectors(self, kind: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """All ids with their vectors."""
        for offset in range(0, self.count(kind), PAGE):
            with self._translated():
                found = self._collections[kind].get(include=["embeddings"], limit=PAGE, offset=offset)
            embeddings = found["embeddings"]
            yield from zip(found["ids"], np.asarray(embeddings, dtype=np.float32), strict=True)

    def clear(self) -> None:
        """Empty both collections."""
        for kind in COLLECTIONS:
            with self._translated():
                self._the_client.delete_collection(self._name(kind))
                self._collections[kind] = self._collection(kind, True)

    @property
    def _the_client(self) -> Client:
        assert self._client is not None, "the store is closed"
        return self._client

    def _name(self, kind: str) -> str:
        is_local = isinstance(self.place, Path)
        return COLLECTIONS[kind] if is_local else f"footnote-{self._library_id}-{COLLECTIONS[kind]}"

    def _collection(self, kind: str, create: bool) -> Collection:
        if create:
            return self._the_client.get_or_create_collection(
                self._name(kind),
                embedding_function=None,
                configuration={"hnsw": HNSW},  # type: ignore[arg-type]
            )
        return self._the_client.get_collection(self._name(kind), embedding_function=None)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            # A panic of the Rust core arrives as a BaseException of its own.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            if isinstance(self.place, Path):
                raise index_error("Chroma", self.place, error) from error
            raise ServerError(
                f"the Chroma server {self.place} does not work as it should ({told_by(error)}); is it running? "
                "If it has lost the collections of this library: footnote doctor --repair"
            ) from error


def signature(folder: Path) -> str:
    """Changes whenever Chroma saves vectors to disk; sizes and times of the files that hold them."""
    files = [path for path in folder.glob("*/*") if path.is_file()]
    return json.dumps(
        sorted((str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    )


def sizes(folder: Path) -> str:
    """The sizes of the files that hold vectors; empty until Chroma has saved any.

    Chroma does not notice that one of them is cut short or gone: it finds less, or crashes. Files of an
    index that was saved with nothing in it do not count: whoever opens that, a reader too, makes it anew.
    """
    saved = [path.parent for path in folder.glob("*/index_metadata.pickle")]
    if not saved:
        return ""
    empty = [place for place in saved if _is_empty(place / "index_metadata.pickle")]
    files = [path for path in folder.glob("*/*") if path.is_file() and path.parent not in empty]
    return json.dumps(sorted((str(path.relative_to(folder)), path.stat().st_size) for path in files))


class _PlainUnpickler(pickle.Unpickler):
    """Reads numbers, strings and dicts; refuses everything else."""

    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module_name}.{global_name} in a file of Chroma")


def _is_empty(metadata: Path) -> bool:
    """Whether an index was saved without a vector; what cannot be read counts as full."""
    if metadata.stat().st_size > SMALL:
        return False
    try:
        with metadata.open("rb") as file:
            return not _PlainUnpickler(file).load()["id_to_label"]
    except (OSError, EOFError, pickle.UnpicklingError, KeyError, TypeError, ValueError, IndexError):
        return False


def discard(folder: Path) -> None:
    """Delete an embedded store."""
    if folder.exists():
        shutil.rmtree(folder)


def _connect(place: Path | str) -> Client:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if isinstance(place, Path):
        return cast("Client", chromadb.PersistentClient(_unshared(place), settings=settings))
    url = urlsplit(place if "//" in place else f"//{place}")
    is_secure = url.scheme == "https"
    client = chromadb.HttpClient(
        host=url.hostname or "localhost",
        port=url.port or (443 if is_secure else 8000),
        ssl=is_secure,
        settings=settings,
    )
    return cast("Client", client)


def _unshared(folder: Path) -> str:
    """The path of a folder in a spelling that no other client of this process uses."""
    number = next(_clients)
    return str(folder.absolute()) + "".join("/." if number >> bit & 1 else "//" for bit in range(24))


def _metadata(entry: Entry, *, with_node: bool) -> dict[str, str | int]:
    """Flat, as Chroma wants it; each key costs disk, so windows have only what Chroma insists on: one."""
    chunk, document = entry.chunk, entry.document
    if not with_node:
        return {"doc_id": chunk.doc_id}
    plain: dict[str, str | int] = {
        "doc_id": chunk.doc_id,
        "title": document.title,
        "source": document.source,
        **{key: document.metadata[key] for key in ("year", "venue") if document.metadata.get(key)},
        "start": chunk.start,
        "end": chunk.end,
    }
    node = json.dumps(_node(chunk, plain), ensure_ascii=False)
    return {**plain, "_node_content": node, "_node_type": "TextNode"}


def _node(chunk: Chunk, metadata: JSON) -> JSON:
    """A llama-index TextNode as it serializes itself, without its text (the collection has it).

    The generator and the embedder of a llama-index program see the title only.
    """
    bookkeeping = [key for key in metadata if key != "title"]
    return {
        "id_": chunk.id,
        "metadata": metadata,
        "excluded_embed_metadata_keys": bookkeeping,
        "excluded_llm_metadata_keys": bookkeeping,
        "relationships": {"1": {"node_id": chunk.doc_id, "class_name": "RelatedNodeInfo"}},
        "text": "",
        "start_char_idx": chunk.start,
        "end_char_idx": chunk.end,
        "class_name": "TextNode",
    }


def _pages(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), PAGE):
        yield items[start : start + PAGE]
