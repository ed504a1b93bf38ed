"""The truth of a library: one SQLite file. Home of sqlite3.

Holds what was read (files, records), what it amounts to (documents), and what was computed from it
(chunks with their vectors), so that every index can be rebuilt from here without a model. Which records
make a document is decided in `staging`, what an index needs in `indexing`, how a column is written in
`packing`.

A document has a version that is searched (`json`) and, after its text has changed, a newer one that
waits for its vectors (`staged`). `outbox` and `stale` list what the indexes have yet to be told.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.errors import LibraryBusyError, LibraryDamagedError, LibraryError, LibraryMismatchError, told_by
from rag.library.packing import Vector, chunk_ids, chunks_from, chunks_to, document_from, folded
from rag.library.schema import FORMAT, SCHEMA
from rag.types import Chunk, Document

FILE_NAME = "catalog.sqlite3"
KINDS = ("abstract", "window")
APPLICATION_ID = 0x466F6F74  # "Foot", so that `file` and we can tell whose file it is
_DISK_FULL = re.compile("disk is full|no space left|storagefull|quota exceeded", re.IGNORECASE)
_LEAST_FREE = 2**20  # bytes
BUSY_S = 60  # SQLite's own lock, held for the length of one small transaction


class Catalog:
    """An open catalog; each thread gets a connection of its own.

    A folder that cannot be written is read from as it is, or, when a killed writer left its last
    transactions beside the file, from a copy.
    """

    def __init__(self, folder: Path, *, writable: bool = True) -> None:
        self.path = folder / FILE_NAME
        self.writable = writable
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        with _translated(self.path):
            self._check_version()

    @classmethod
    def create(cls, folder: Path, meta: dict[str, str]) -> Catalog:
        """Make a catalog, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        with _translated(folder), tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as new:
            connection = sqlite3.connect(Path(new) / FILE_NAME, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
            connection.close()
            (Path(new) / FILE_NAME).replace(folder / FILE_NAME)
        return cls(folder)

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._local = threading.local()
        if self._copy:
            self._copy.cleanup()

    # -- statements -----------------------------------------------------------------------------

    @property
    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connect()
            self._opened.append(self._local.connection)
        connection: sqlite3.Connection = self._local.connection
        return connection

    def _connect(self) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode=rw"
        if not self.writable:
            wal = self.path.with_name(self.path.name + "-wal")
            if wal.exists() and wal.stat().st_size:
                uri = f"{self._copied().as_uri()}?mode=rw"
            else:
                uri = f"{self.path.absolute().as_uri()}?immutable=1"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S, check_same_thread=False)
        connection.create_function("folded", 1, folded, deterministic=True)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut, too
        return connection

    def _copied(self) -> Path:
        if self._copy is None:
            self._copy = tempfile.TemporaryDirectory(prefix="footnote-")
            for suffix in ("", "-wal"):
                file = self.path.with_name(self.path.name + suffix)
                shutil.copyfile(file, Path(self._copy.name) / file.name)
        return Path(self._copy.name) / self.path.name

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with _translated(self.path):
            return self._connection.execute(sql, values).fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        rows = self.rows(sql, *values)
        return rows[0][0] if rows else None

    def run(self, sql: str, *values: Any) -> int:
        """Execute a statement; returns the number of rows it changed."""
        with _translated(self.path):
            return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, *values: Any) -> int:
        """Insert one row; returns its number."""
        with _translated(self.path):
            return int(self._connection.execute(sql, values).lastrowid or 0)

    def run_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        """Execute a statement for each row of values."""
        with _translated(self.path):
            self._connection.executemany(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another one, part of that."""
        if self._connection.in_transaction:
            yield
            return
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        with _translated(self.path):
            self._connection.commit()

    # -- small facts ----------------------------------------------------------------------------

    def get(self, key: str, default: str = "") -> str:
        """A value of `meta`."""
        found = self.value("SELECT value FROM meta WHERE key = ?", key)
        return default if found is None else str(found)

    def put(self, key: str, value: str) -> None:
        """Set a value of `meta`."""
        self.run(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            key,
            value,
        )

    def count_up(self, key: str) -> int:
        """Add one to a counter in `meta` and return it."""
        number = int(self.get(key, "0")) + 1
        self.put(key, str(number))
        return number

    def faults(self) -> list[str]:
        """What SQLite finds wrong with the file."""
        found = [str(row[0]) for row in self.rows("PRAGMA integrity_check(5)")]
        return [fault for fault in found if fault != "ok"]

    def _check_version(self) -> None:
        application, version = self.value("PRAGMA application_id"), self.value("PRAGMA user_version")
        if application != APPLICATION_ID:
            raise LibraryDamagedError(
                f"{self.path} is not a catalog of Footnote; build the library anew: "
                + command(self.path.parent, "ingest --rebuild")
            )
        if version != FORMAT:
            raise LibraryMismatchError(
                f"library {self.path.parent} has format {version}, this Footnote works with {FORMAT}; "
                f"rebuild with: {command(self.path.parent, 'ingest --rebuild')}"
            )

    # -- documents and chunks -------------------------------------------------------------------

    def documents(self, doc_ids: Sequence[str]) -> list[Document]:
        """The searched versions, in the order asked for; unknown ids are left out."""
        found = dict(
            self.rows(
                "SELECT id, json FROM documents WHERE id IN (SELECT value FROM json_each(?))",
                json.dumps(doc_ids),
            )
        )
        return [document_from(found[doc_id]) for doc_id in doc_ids if doc_id in found]

    def vectors(self, doc_ids: Sequence[str], kind: str) -> list[tuple[Chunk, Vector]]:
        """The chunks of a kind with their vectors `(d,)`, in the order of the ids and of the text."""
        rows = self.rows(
            "SELECT c.doc_id, c.spans, c.vectors, json_extract(d.json, '$.text') "
            "FROM json_each(?) w JOIN chunks c ON c.doc_id = w.value JOIN documents d ON d.id = c.doc_id "
            "WHERE c.kind = ? ORDER BY w.key",
            json.dumps(list(doc_ids)),
            kind,
        )
        return [pair for doc_id, spans, vectors, text in rows for pair in chunks_from(doc_id, spans, vectors, text)]

    def put_chunks(self, doc_id: str, kind: str, chunks: Sequence[tuple[Chunk, Vector]]) -> None:
        """Replace the chunks of a kind; those that are gone are noted in `stale`."""
        self.drop_chunks(doc_id, kind)
        if chunks:
            self.run("INSERT INTO chunks VALUES (?, ?, ?, ?)", doc_id, kind, *chunks_to(chunks))
            self.run_many(
                "DELETE FROM stale WHERE kind = ? AND chunk_id = ?", [(kind, chunk.id) for chunk, _ in chunks]
            )

    def drop_chunks(self, doc_id: str, kind: str) -> None:
        """Delete the chunks of a kind and note them in `stale`."""
        blob = self.value("SELECT spans FROM chunks WHERE doc_id = ? AND kind = ?", doc_id, kind)
        if blob is not None:
            ids = chunk_ids(doc_id, blob)
            self.run_many("INSERT OR IGNORE INTO stale VALUES (?, ?)", [(kind, chunk_id) for chunk_id in ids])
            self.run("DELETE FROM chunks WHERE doc_id = ? AND kind = ?", doc_id, kind)


def command(folder: Path, verb: str) -> str:
    """The command line of a verb for the library in a folder, as somebody here and now has to write it."""
    is_default = folder.resolve() == Path(".footnote").resolve()
    return f"footnote {'' if is_default else f'--library {shlex.quote(str(folder))} '}{verb}"


def index_error(writer: str, place: Path, error: BaseException) -> LibraryError:
    """What to tell of an index of the library, in `place`, that `writer` cannot use."""
    if _DISK_FULL.search(str(error)) or shutil.disk_usage(place.parent).free < _LEAST_FREE:
        return LibraryError(f"{writer} cannot write {place}: the disk is full; make room and run the command again")
    return LibraryDamagedError(
        f"{writer} cannot use {place} ({told_by(error)}); mend it with: {command(place.parent, 'doctor --repair')}"
    )


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise  # a fault of ours, not of the file
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise LibraryBusyError(f"{path} is in use by another process; try again when it has ended") from error
        if code in {
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_CANTOPEN,
        }:
            raise LibraryError(f"{path} cannot be used: {error}; look after the disk and the rights") from error
        raise LibraryDamagedError(
            f"{path} is damaged ({error}); put back a copy, or build it anew: "
            + command(path.parent, "ingest --rebuild")
        ) from error
