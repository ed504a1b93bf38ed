"""Keeps the two indexes, Chroma and tantivy, in step with the catalog.

The catalog notes in `outbox` (documents) and `stale` (chunk ids) what the indexes have yet to be told,
in the transaction that makes it true. `apply` tells them, with the index lock held alone, and crosses it
off. Every step may be repeated, so after a kill the next writer just does the rest.

`meta.dirty` says that an index is being written. Found after a kill it holds what Chroma's files looked
like before: if they have changed, the kill may have left half a file and Chroma is rebuilt from the
vectors in the catalog; else it goes on. `meta.generation` tells other processes to open anew.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile

import numpy as np
from numpy.typing import NDArray

from rag.errors import LibraryDamagedError
from rag.library import lexical, store
from rag.library.catalog import KINDS, Catalog, command
from rag.library.lexical import Lexical
from rag.library.locks import FileLock
from rag.library.store import Entry, Store
from rag.types import Document

PORTION = 200  # documents told at once: readers wait for less than a second
REBUILD = "rebuild"  # a value of `meta.dirty`: everything must be made anew

Progress = Callable[[int, int], None]


class Indexes:
    """Chroma and tantivy of one library; opened when first needed and again when others have written."""

    def __init__(self, folder: Path, catalog: Catalog, *, timeout_s: float = 600.0) -> None:
        self.store_folder = folder / "chroma"
        self.lexical_folder = folder / "lexical"
        self._catalog = catalog
        self._library_id = catalog.get("library_id")
        self._url = catalog.get("store_url")
        self._timeout_s = timeout_s
        self._lock = FileLock(folder / "index.lock")
        self._mutex = threading.RLock()  # a client must not be closed while another thread uses it
        self._generation = -1
        self._store: Store | None = None
        self._lexical: Lexical | None = None
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Give back the clients."""
        with self._mutex:
            if self._store:
                self._store.close()
            self._store = self._lexical = None
            self._generation = -1
            if self._copy:
                self._copy.cleanup()
                self._copy = None

    # -- reading --------------------------------------------------------------------------------

    @property
    def exist(self) -> bool:
        """Whether anything was ever indexed."""
        return self._catalog.get("generation", "0") != "0"

    @property
    def have_work(self) -> bool:
        """Whether a writer has left something undone, or is at it right now."""
        return bool(
            self._catalog.value(
                "SELECT EXISTS (SELECT 1 FROM outbox) OR EXISTS (SELECT 1 FROM stale) "
                "OR EXISTS (SELECT 1 FROM meta WHERE key = 'dirty' AND value <> '')"
            )
        )

    def nearest(self, kind: str, vector: NDArray[np.float32], k: int) -> list[tuple[str, float]] | None:
        """Chunk ids by cosine similarity out of Chroma, or None where it cannot be used at the moment."""
        if not self._catalog.writable and not self._url:
            return None
        with self._reading():
            # Still dirty with the lock in our hands: its writer was killed, and the files may be broken.
            return None if self._catalog.get("dirty") else self._opened_store().query(kind, vector, k)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Chroma, as it is now."""
        with self._reading():
            yield self._opened_store()

    def _opened_store(self) -> Store:
        if self._store is None:
            self._store = self._open_store()
        return self._store

    @contextmanager
    def words(self) -> Iterator[Lexical]:
        """The word index, as it is now."""
        with self._reading():
            if self._lexical is None:
                self._lexical = Lexical(self._readable(self.lexical_folder))
            yield self._lexical

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._mutex, self._lock.shared(timeout_s=self._timeout_s):
            generation = int(self._catalog.get("generation", "0"))
            if generation != self._generation:
                self.close()
                self._generation = generation
            yield

    def _readable(self, folder: Path) -> Path:
        """The folder, or a copy of it where tantivy could not make its lock file, nor Chroma open its database."""
        if self._catalog.writable or not folder.is_dir():
            return folder
        if self._copy is None:
            self._copy = tempfile.TemporaryDirectory(prefix="footnote-")
        copy = Path(self._copy.name) / folder.name
        for file in folder.rglob("*"):
            if file.is_file():
                target = copy / file.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                copyfile(file, target)
        return copy

    def store_damage(self) -> str:
        """What can be seen to be wrong with Chroma's files without opening them, or nothing."""
        known = self._catalog.get("store_files")
        if self._url or not known or known == store.sizes(self.store_folder):
            return ""
        mend = command(self.store_folder.parent, "doctor --repair")
        return f"files in {self.store_folder} are cut short or gone; mend it with: {mend}"

    def _open_store(self, *, create: bool = False) -> Store:
        if not create and (damage := self.store_damage()):
            raise LibraryDamagedError(damage)
        return Store(self._url or self._readable(self.store_folder), self._library_id, create=create)

    def documents(self) -> list[str]:
        """The ids of the documents that should be in the indexes."""
        return [doc_id for (doc_id,) in self._catalog.rows("SELECT id FROM documents WHERE indexed = 1 ORDER BY seq")]

    # -- writing: the caller holds the write lock -----------------------------------------------

    def apply(self, on_progress: Progress | None = None) -> None:
        """Tell the indexes what they have yet to be told; finishes what a killed writer left."""
        if not self.have_work:
            return
        dirty = self._catalog.get("dirty")
        if dirty and (dirty == REBUILD or self._is_suspect(dirty)):
            self.rebuild(on_progress)
        while self.have_work:
            with self._writing():
                self._apply_portion()

    def rebuild(self, on_progress: Progress | None = None) -> None:
        """Make both indexes anew from the catalog."""
        with self._mutex, self._lock.exclusive(timeout_s=self._timeout_s):
            self._catalog.put("dirty", REBUILD)
            self.close()
            if self._url:
                with self._fresh_store() as fresh:
                    fresh.clear()
            else:
                store.discard(self.store_folder)
            lexical.discard(self.lexical_folder)
            self._store = self._open_store(create=True)
            self._lexical = Lexical(self.lexical_folder, create=True)
            ids = self.documents()
            for start in range(0, len(ids), PORTION):
                self._tell(self._catalog.documents(ids[start : start + PORTION]), (), {})
                if on_progress:
                    on_progress(min(start + PORTION, len(ids)), len(ids))
            self._cross_off("1", ())

    @contextmanager
    def _fresh_store(self) -> Iterator[Store]:
        opened = self._open_store(create=True)
        try:
            yield opened
        finally:
            opened.close()

    def _is_suspect(self, dirty: str) -> bool:
        return not self._url and dirty != store.signature(self.store_folder)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The indexes open for writing, in the state that the catalog knows."""
        with self._mutex, self._lock.exclusive(timeout_s=self._timeout_s):
            if int(self._catalog.get("generation", "0")) != self._generation:
                self.close()
            self._catalog.put("dirty", store.signature(self.store_folder) or "[]")
            self._store = self._store or self._open_store(create=not self.exist)
            self._lexical = self._lexical or Lexical(self.lexical_folder, create=not self.exist)
            yield

    def _apply_portion(self) -> None:
        ids = [doc_id for (doc_id,) in self._catalog.rows("SELECT doc_id FROM outbox ORDER BY doc_id LIMIT ?", PORTION)]
        stale: dict[str, list[str]] = {kind: [] for kind in KINDS}
        for kind, chunk_id in self._catalog.rows("SELECT kind, chunk_id FROM stale LIMIT ?", PORTION * 10):
            stale[kind].append(chunk_id)
        indexed = {
            doc_id
            for (doc_id,) in self._catalog.rows(
                "SELECT id FROM documents WHERE indexed = 1 AND id IN (SELECT value FROM json_each(?))",
                json.dumps(ids),
            )
        }
        self._tell(self._catalog.documents([i for i in ids if i in indexed]), set(ids) - indexed, stale)
        self._cross_off("doc_id IN (SELECT value FROM json_each(?))", (json.dumps(ids),), stale)

    def _tell(self, documents: list[Document], gone: Collection[str], stale: dict[str, list[str]]) -> None:
        assert self._store is not None
        assert self._lexical is not None
        by_id = {document.id: document for document in documents}
        for kind in KINDS:
            self._store.delete(kind, stale.get(kind, []))
            pairs = self._catalog.vectors(list(by_id), kind)
            self._store.upsert(kind, [Entry(chunk, by_id[chunk.doc_id], vector) for chunk, vector in pairs])
        self._lexical.write(gone=gone, documents=documents)

    def _cross_off(self, condition: str, values: tuple[str, ...], stale: dict[str, list[str]] | None = None) -> None:
        with self._catalog.transaction():
            self._catalog.run(f"DELETE FROM outbox WHERE {condition}", *values)
            if stale is None:
                self._catalog.run("DELETE FROM stale")
            else:
                rows = [(kind, chunk_id) for kind, ids in stale.items() for chunk_id in ids]
                self._catalog.run_many("DELETE FROM stale WHERE kind = ? AND chunk_id = ?", rows)
            self._catalog.put("dirty", "")
            self._catalog.put("store_files", "" if self._url else store.sizes(self.store_folder))
            self._generation = self._catalog.count_up("generation")
