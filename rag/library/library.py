"""One library folder: the catalog, and the indexes that are kept in step with it.

`library.json`    what the library was built with, for people; the catalog has the same
`catalog.sqlite3` the truth: what was read, the documents, their chunks and vectors
`chroma/`, `lexical/`  indexes that can be rebuilt from it
`write.lock`      held by the one process that writes; `index.lock` by it for the moments in which the
                  indexes change, and shared by those who search

Killed at any moment, the library works for the next command, which finishes what was left. What reading
files, cutting and embedding mean is left to others.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rag.errors import (
    DocumentNotFoundError,
    LibraryBusyError,
    LibraryMismatchError,
    LibraryMissingError,
)
from rag.library import founding, lookup
from rag.library.catalog import FILE_NAME, KINDS, Catalog, command
from rag.library.doctor import Finding, examine
from rag.library.founding import Founding
from rag.library.indexing import Indexes, Progress
from rag.library.lexical import terms
from rag.library.locks import WriteLock
from rag.library.lookup import Filters
from rag.library.matching import BY_ID, Matching, Merged, StageCounts
from rag.library.nearest import nearest
from rag.library.packing import Vector, document_from
from rag.library.staging import Staging, content_hash, write_document
from rag.types import JSON, Chunk, Document

__all__ = ["Filters", "Finding", "IndexedDocument", "Library", "Matching", "Merged", "StageCounts"]


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """A document with its chunks of both kinds, each with its vector `(d,)`."""

    document: Document
    abstracts: Sequence[tuple[Chunk, Vector]]
    windows: Sequence[tuple[Chunk, Vector]]


class Library:
    """An open library; may be used by several threads, and by other processes at the same time."""

    def __init__(self, folder: Path, catalog: Catalog, matching: Matching, lock_timeout_s: float) -> None:
        self.folder = folder
        self.identity: JSON = json.loads(catalog.get("identity", "{}"))
        self.store_url = catalog.get("store_url")
        self.id = catalog.get("library_id")
        self._catalog = catalog
        self._staging = Staging(catalog, matching)
        self._write_lock = WriteLock(folder, writable=catalog.writable, timeout_s=lock_timeout_s)
        self._indexes = Indexes(folder, catalog)

    # -- open and close -------------------------------------------------------------------------

    @staticmethod
    def saved_settings(folder: Path | str) -> JSON:
        """The settings that a library was made with; none where there is no library, or one that cannot be read."""
        return founding.saved_settings(Path(folder))

    @classmethod
    def open(
        cls,
        folder: Path | str,
        *,
        identity: Mapping[str, object] | None = None,
        matching: Matching = BY_ID,
        store_url: str | None = None,
        lock_timeout_s: float = 600.0,
    ) -> Library:
        """Open an existing library; `identity` and `store_url`, where given, must be what it was built with.

        Raises LibraryMissingError, LibraryMismatchError, LibraryDamagedError.
        """
        folder = Path(folder)
        if not (folder / FILE_NAME).is_file():
            raise LibraryMissingError(
                f"there is no library in {folder}; make one with: {command(folder, 'ingest PATH')}"
            )
        library = cls(folder, Catalog(folder, writable=founding.is_writable(folder)), matching, lock_timeout_s)
        given: dict[str, object] = {**(identity or {})}
        saved: dict[str, object] = {**library.identity}
        if store_url is not None:
            given["store"], saved["store"] = store_url, library.store_url
        differing = [name for name, value in given.items() if saved.get(name) != value]
        if differing:
            library.close()
            name = differing[0]
            raise LibraryMismatchError(
                f"library {folder} was built with {name} {saved.get(name)!r}, settings say {given[name]!r}; "
                f"rebuild with: {command(folder, 'ingest --rebuild')}"
            )
        return library

    @classmethod
    def open_or_create(
        cls,
        folder: Path | str,
        *,
        identity: Mapping[str, object],
        settings: Mapping[str, object] | None = None,
        matching: Matching = BY_ID,
        store_url: str | None = None,
        lock_timeout_s: float = 600.0,
    ) -> Library:
        """Open a library, made if there is none, with `settings` saved in it; two processes may do this at once."""
        made_with = Founding(identity, store_url or "", settings or {})
        founding.create(Path(folder), made_with, lock_timeout_s=lock_timeout_s)
        return cls.open(
            folder, identity=identity, matching=matching, store_url=store_url, lock_timeout_s=lock_timeout_s
        )

    @classmethod
    def rebuild(
        cls,
        folder: Path | str,
        *,
        identity: Mapping[str, object],
        settings: Mapping[str, object] | None = None,
        matching: Matching = BY_ID,
        store_url: str = "",
        lock_timeout_s: float = 600.0,
    ) -> Library:
        """Give a library a new identity: all files count as unread, all documents as not indexed.

        The records stay, so nothing is lost if the files are not at hand or this is interrupted; removed
        documents come back with the next reading. A catalog that cannot be opened is set aside as
        `catalog.damaged-*`, and the library begins empty.
        """
        founding.rebuild(Path(folder), Founding(identity, store_url, settings or {}), lock_timeout_s=lock_timeout_s)
        return cls.open(folder, matching=matching, lock_timeout_s=lock_timeout_s)

    def close(self) -> None:
        """Give back files and clients."""
        self._indexes.close()
        self._catalog.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing --------------------------------------------------------------------------------

    @contextmanager
    def writing(self, *, on_wait: Callable[[], None] | None = None, timeout_s: float | None = None) -> Iterator[None]:
        """Hold the write lock; may be nested. `on_wait` is called once if another process has it.

        Every method that writes does this by itself; holding it around many spares the waiting. In the
        end the indexes are up to date, unless an exception ends it: then the next command sees to that.
        Raises LibraryBusyError after the lock's timeout, LibraryError where the folder is read-only.
        """
        with self._write_lock.held(on_wait=on_wait, timeout_s=timeout_s) as is_outermost:
            yield
            if is_outermost:
                self._indexes.apply()

    def files(self) -> list[Path]:
        """The files that it was made from, in order; they may be gone."""
        return [Path(path) for (path,) in self._catalog.rows("SELECT path FROM files ORDER BY path")]

    def unchanged(self, path: Path | str, digest: str) -> bool:
        """Whether the file was read to its end with this content."""
        return bool(self._catalog.value("SELECT digest FROM files WHERE path = ?", _key(path)) == digest)

    def stage(
        self, path: Path | str, digest: str, records: Iterable[Document], *, rebuild: bool = False
    ) -> StageCounts:
        """Read a file's records in; what they change waits in `pending`. See `rag.library.staging`.

        With `rebuild`, documents that were removed come back though the file has not changed.
        """
        with self.writing():
            return self._staging.stage(_key(path), digest, records, revive=rebuild)

    def prune(self, under: Iterable[Path | str], seen: Iterable[Path | str]) -> int:
        """Delete the records of files at or below `under` that are gone; returns their number.

        A file among `seen`, or one that is there and could not be read, is not gone.
        """
        with self.writing():
            return self._staging.prune([_key(path) for path in under], {_key(path) for path in seen})

    def remove(self, doc_ids: Sequence[str]) -> int:
        """Take documents out. They come back when one of their files changes, or with a rebuild."""
        with self.writing():
            return self._staging.remove(doc_ids)

    def pending(self, limit: int) -> list[Document]:
        """Documents whose text has no vectors yet, in their order."""
        rows = self._catalog.rows(
            "SELECT coalesce(staged, json) FROM documents WHERE indexed = 0 OR staged IS NOT NULL ORDER BY seq LIMIT ?",
            limit,
        )
        return [document_from(stored) for (stored,) in rows]

    def pending_count(self) -> int:
        """How many documents `pending` would give."""
        return int(self._catalog.value("SELECT count(*) FROM documents WHERE indexed = 0 OR staged IS NOT NULL"))

    def index(self, items: Sequence[IndexedDocument]) -> None:
        """Write chunks and vectors, searchable when this returns.

        A document that has changed since it was taken from `pending` stays there.
        """
        with self.writing():
            with self._catalog.transaction():
                for item in items:
                    self._index_one(item)
            self._indexes.apply()

    def _index_one(self, item: IndexedDocument) -> None:
        rows = self._catalog.rows("SELECT coalesce(staged, json) FROM documents WHERE id = ?", item.document.id)
        current = document_from(rows[0][0]) if rows else None
        if current is None or content_hash(current) != content_hash(item.document):
            return
        write_document(self._catalog, current)
        self._catalog.run("UPDATE documents SET indexed = 1 WHERE id = ?", current.id)
        for kind, chunks in zip(KINDS, (item.abstracts, item.windows), strict=True):
            self._catalog.put_chunks(current.id, kind, chunks)

    def finish(self, on_progress: Progress | None = None) -> None:
        """Bring the indexes up to date with the catalog, also after a writer was killed."""
        with self.writing():
            self._indexes.apply(on_progress)

    # -- documents ------------------------------------------------------------------------------

    def document(self, doc_id: str) -> Document:
        """The document with this id; raises DocumentNotFoundError."""
        if found := self._catalog.documents([doc_id]):
            return found[0]
        raise DocumentNotFoundError(f"no paper in the library has the id {doc_id}; see: footnote list")

    def documents(self, doc_ids: Sequence[str]) -> list[Document]:
        """Documents in the order asked for; those that are gone are left out."""
        return self._catalog.documents(doc_ids)

    def resolve(self, reference: str, *, in_full: bool = False) -> Document:
        """The one document that an id, source, arXiv id, DOI or title stands for; see `rag.library.lookup`."""
        return lookup.resolve(self._catalog, reference, in_full=in_full)

    def list(
        self, offset: int = 0, limit: int = 50, filters: Filters | None = None, text: str = ""
    ) -> tuple[Sequence[Document], int]:
        """A page of documents in the order in which they came, and how many pass in all."""
        return lookup.page(self._catalog, offset, limit, filters, text)

    def every(self) -> Iterator[Document]:
        """All documents in the order in which they came, read a page at a time."""
        offset = 0
        while page := self.list(offset, 1_000)[0]:
            yield from page
            offset += len(page)

    def count(self) -> int:
        """How many documents there are."""
        return int(self._catalog.value("SELECT count(*) FROM documents"))

    def years(self) -> Sequence[tuple[int, int]]:
        """Each year with its number of documents, in order."""
        return lookup.years(self._catalog)

    def allowed(self, filters: Filters | None) -> frozenset[str] | None:
        """The ids of the documents that pass; None where nothing is filtered."""
        return lookup.allowed(self._catalog, filters) if filters else None

    def chunks(self, doc_id: str, kind: str) -> Sequence[Chunk]:
        """The chunks of a document, in order."""
        return [chunk for chunk, _ in self._catalog.vectors([doc_id], kind)]

    def vectors(self, doc_ids: Sequence[str], kind: str) -> Sequence[tuple[Chunk, Vector]]:
        """The chunks of documents with their vectors, in the order of the ids and of the text."""
        return self._catalog.vectors(doc_ids, kind)

    # -- searching ------------------------------------------------------------------------------

    def nearest(
        self, kind: str, vector: Vector, k: int, allowed: Collection[str] | None = None
    ) -> Sequence[tuple[Chunk, float]]:
        """The `k` chunks nearest to a vector with their cosine similarity, best first, ties by chunk id."""
        self._settle()
        return nearest(self._catalog, self._indexes, kind, vector, k, allowed)

    def bm25(self, question: str, k: int, allowed: Collection[str] | None = None) -> Sequence[tuple[str, float]]:
        """The ids of the `k` documents with the highest BM25 score, best first, ties by id."""
        self._settle()
        if not self._indexes.exist:
            return []
        with self._indexes.words() as words:
            found = words.search(question, k, allowed)
        ids = json.dumps([doc_id for doc_id, _ in found])
        existing = {
            doc_id
            for (doc_id,) in self._catalog.rows(
                "SELECT id FROM documents WHERE indexed = 1 AND id IN (SELECT value FROM json_each(?))", ids
            )
        }
        return [pair for pair in found if pair[0] in existing]

    def bm25_bound(self, question: str) -> float:
        """What no document can score for this question; 0 where it has no known word."""
        if not self._indexes.exist:
            return 0.0
        with self._indexes.words() as words:
            return words.bound(terms(question))

    def idf(self, words: Sequence[str]) -> dict[str, float]:
        """How much each analyzed term (see `rag.library.lexical.terms`) tells documents apart; 0 where unknown."""
        if not self._indexes.exist:
            return dict.fromkeys(words, 0.0)
        with self._indexes.words() as index:
            return index.idf(words)

    def _settle(self) -> None:
        """Finish what a killed writer left, unless somebody is writing or the folder is read-only."""
        if self._catalog.writable and self._indexes.have_work:
            with suppress(LibraryBusyError), self.writing(timeout_s=0):
                pass

    def doctor(self, *, repair: bool = False, on_progress: Progress | None = None) -> Sequence[Finding]:
        """What is wrong with the library; with `repair` mended where it can be. See `rag.library.doctor`."""
        if not self._catalog.writable and not repair:
            return examine(self.folder, self._catalog, self._indexes, repair=False)
        try:
            with self._write_lock.held(timeout_s=None if repair else 0):
                return examine(self.folder, self._catalog, self._indexes, repair=repair, on_progress=on_progress)
        except LibraryBusyError:
            return [Finding("write.lock", "another process is writing", "wait for it, then: footnote doctor")]

    # -- state ----------------------------------------------------------------------------------

    def fingerprint(self) -> str:
        """16 hex digits that change when the searchable contents change."""
        state = self._catalog.rows(
            "SELECT (SELECT group_concat(value, '|') FROM (SELECT value FROM meta "
            "WHERE key IN ('library_id', 'generation') ORDER BY key)), "
            "(SELECT count(*) FROM documents), (SELECT count(*) FROM outbox)"
        )
        return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def _key(path: Path | str) -> str:
    """The one name of a file in the catalog, however it was come by; bytes that are no text are spelt out."""
    return os.fsencode(os.path.realpath(path)).decode("utf-8", "backslashreplace")
