"""Records in, documents out: which records of the files make which document, kept up to date.

A document is the merge of all records that are linked by shared identity keys. Records come file by
file, in small transactions; a file counts as read only when all of its records are in and those that
it no longer has are out, so after a kill it is read again and nothing is lost or doubled. What the
documents are depends on the records alone, never on the order in which they came.

A removed document stays out as long as its files do not change: `records.removed` notes the content
that a record was removed from.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import stat
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from rag.library.catalog import KINDS, Catalog
from rag.library.lookup import columns
from rag.library.matching import Matching, Record, StageCounts, components, mergers
from rag.library.packing import document_from, document_to
from rag.types import Document

BATCH = 500  # records a transaction: well under a second, and one wait for the disk


class Staging:
    """Writes records into a catalog and keeps its documents up to date."""

    def __init__(self, catalog: Catalog, matching: Matching) -> None:
        self._catalog = catalog
        self._matching = matching

    def stage(self, path: str, digest: str, records: Iterable[Document], *, revive: bool = False) -> StageCounts:
        """Read a file into the catalog; a record that has not changed is only looked at.

        With `revive`, removed records are like new. Should `records` raise, or the process end, the
        batches that are in stay, and the file counts as unread.
        """
        counts = StageCounts()
        if revive:
            self._catalog.run("UPDATE records SET removed = '' WHERE path = ? AND removed <> ''", path)
        with self._catalog.transaction():
            run = self._catalog.count_up("run")
            self._catalog.run(
                "INSERT INTO files VALUES (?, NULL, ?, ?) ON CONFLICT (path) DO UPDATE "
                "SET digest = NULL, reading = excluded.reading, run = excluded.run",
                path,
                digest,
                run,
            )
        iterator = iter(records)
        while batch := list(itertools.islice(iterator, BATCH)):
            with self._catalog.transaction():
                self._stage_batch(path, digest, run, batch, counts)
        with self._catalog.transaction():
            counts.removed = self._delete("path = ? AND run <> ? AND removed IS NULL", path, run)
            self._catalog.run("DELETE FROM records WHERE path = ? AND run <> ?", path, run)
            self._catalog.run("UPDATE files SET digest = ? WHERE path = ?", digest, path)
        return counts

    def prune(self, under: Sequence[str], seen: Collection[str]) -> int:
        """Delete the records of files at or below `under` that are not among `seen` and gone from the disk."""
        roots = [os.path.realpath(root) for root in under]
        count = 0
        for (path,) in self._catalog.rows("SELECT path FROM files"):
            real = Path(os.path.realpath(path))
            if path in seen or not any(real.is_relative_to(root) for root in roots) or _is_there(path):
                continue
            with self._catalog.transaction():
                count += self._delete("path = ?", path)
                self._catalog.run("DELETE FROM files WHERE path = ?", path)
        return count

    def remove(self, doc_ids: Sequence[str]) -> int:
        """Take documents out, until one of their files changes; returns how many there were."""
        wanted = json.dumps(list(doc_ids))
        with self._catalog.transaction():
            known = [
                doc_id
                for (doc_id,) in self._catalog.rows(
                    "SELECT id FROM documents WHERE id IN (SELECT value FROM json_each(?))", wanted
                )
            ]
            of_them = "doc_id IN (SELECT value FROM json_each(?))"
            self._catalog.run(f"DELETE FROM keys WHERE record IN (SELECT id FROM records WHERE {of_them})", wanted)
            self._catalog.run(
                "UPDATE records SET doc_id = NULL, removed = (SELECT coalesce(digest, reading) "
                f"FROM files f WHERE f.path = records.path) WHERE {of_them}",
                wanted,
            )
            for doc_id in known:
                self._drop(doc_id)
        return len(known)

    # -- records --------------------------------------------------------------------------------

    def _stage_batch(self, path: str, digest: str, run: int, batch: Sequence[Document], counts: StageCounts) -> None:
        known = {
            source: row
            for source, *row in self._catalog.rows(
                "SELECT source, id, hash, removed, doc_id FROM records "
                "WHERE path = ? AND source IN (SELECT value FROM json_each(?))",
                path,
                json.dumps([document.source for document in batch]),
            )
        }
        fresh: list[int] = []
        touched: set[str] = set()
        seen: list[tuple[int, int]] = []
        for document in batch:
            stored = document_to(document)
            hash_ = _sha256(stored)
            record_id, old_hash, removed, doc_id = known.get(document.source, (None, None, None, None))
            if record_id is not None and old_hash == hash_ and removed in {None, digest}:
                seen.append((run, record_id))
                counts.unchanged += 1
                continue
            record_id = self._write_record(record_id, path, run, hash_, document, stored)
            known[document.source] = [record_id, hash_, None, doc_id]
            fresh.append(record_id)
            if doc_id is not None:
                touched.add(doc_id)
            if old_hash is None or removed is not None:
                counts.new += 1
            else:
                counts.changed += 1
        self._catalog.run_many("UPDATE records SET run = ? WHERE id = ?", seen)
        self._recompute(touched, fresh, counts)

    def _write_record(
        self, record_id: int | None, path: str, run: int, hash_: str, document: Document, stored: str
    ) -> int:
        if record_id is None:
            record_id = self._catalog.insert(
                "INSERT INTO records (path, source, run, hash, json) VALUES (?, ?, ?, ?, ?)",
                path,
                document.source,
                run,
                hash_,
                stored,
            )
        else:
            self._catalog.run(
                "UPDATE records SET run = ?, hash = ?, json = ?, removed = NULL WHERE id = ?",
                run,
                hash_,
                stored,
                record_id,
            )
            self._catalog.run("DELETE FROM keys WHERE record = ?", record_id)
        keys = dict.fromkeys(self._matching.identity_keys(document))
        rows = [(key, record_id, rank) for rank, key in enumerate(keys)]
        self._catalog.run_many("INSERT INTO keys VALUES (?, ?, ?)", rows)
        return record_id

    def _delete(self, condition: str, *values: object) -> int:
        """Delete records; their documents are made anew from those that remain."""
        rows = self._catalog.rows(f"SELECT DISTINCT doc_id FROM records WHERE {condition}", *values)
        count = self._catalog.run(f"DELETE FROM records WHERE {condition}", *values)
        self._recompute({doc_id for (doc_id,) in rows if doc_id is not None}, [], StageCounts())
        return count

    # -- documents ------------------------------------------------------------------------------

    def _recompute(self, touched: set[str], fresh: Sequence[int], counts: StageCounts) -> None:
        """Make anew the documents of fresh records, those touched, and all that share a key with them, however far.

        Not all that share one are one document, so a record that comes or goes may join or part others.
        """
        linked = self._catalog.rows(
            "WITH RECURSIVE near (record) AS (SELECT value FROM json_each(?) "
            "UNION SELECT id FROM records WHERE doc_id IN (SELECT value FROM json_each(?)) "
            "UNION SELECT o.record FROM near JOIN keys k ON k.record = near.record JOIN keys o ON o.key = k.key) "
            "SELECT DISTINCT r.doc_id FROM near JOIN records r ON r.id = near.record WHERE r.doc_id IS NOT NULL",
            json.dumps(list(fresh)),
            json.dumps(sorted(touched)),
        )
        old = touched | {doc_id for (doc_id,) in linked}
        records = self._records(old, fresh)
        made: set[str] = set()
        for group in components(records):
            document = self._merged(group, old, made)
            made.add(document.id)
            moved = [(document.id, record.id) for record in group if record.doc_id != document.id]
            self._catalog.run_many("UPDATE records SET doc_id = ? WHERE id = ?", moved)
            self._put(document)
        for doc_id in sorted(old - made):
            self._drop(doc_id)
        counts.merged += mergers(records, fresh)

    def _records(self, doc_ids: set[str], fresh: Sequence[int]) -> list[Record]:
        rows = self._catalog.rows(
            "SELECT id, path, doc_id, json FROM records WHERE doc_id IN (SELECT value FROM json_each(?)) "
            "UNION SELECT id, path, doc_id, json FROM records WHERE id IN (SELECT value FROM json_each(?))",
            json.dumps(sorted(doc_ids)),
            json.dumps(list(fresh)),
        )
        keys: dict[int, list[str]] = defaultdict(list)
        for key, record_id in self._catalog.rows(
            "SELECT key, record FROM keys WHERE record IN (SELECT value FROM json_each(?)) ORDER BY rank",
            json.dumps([row[0] for row in rows]),
        ):
            keys[record_id].append(key)
        records = [
            Record(id_, path, doc_id, document_from(stored), tuple(keys[id_])) for id_, path, doc_id, stored in rows
        ]
        return sorted(records, key=lambda record: record.place)

    def _merged(self, group: Sequence[Record], old: set[str], made: set[str]) -> Document:
        """The document of linked records; should its id belong to unlinked ones, another id."""
        document = self._matching.merge([record.document for record in group])
        id_, number = document.id, 1
        while id_ in made or (id_ not in old and self._catalog.value("SELECT 1 FROM documents WHERE id = ?", id_)):
            number += 1
            id_ = f"{document.id}-{number}"
        return replace(document, id=id_)

    def _put(self, document: Document) -> None:
        """Write a document; new text waits as `staged` while the old is searched."""
        stored, hash_ = document_to(document), content_hash(document)
        row = self._catalog.rows("SELECT json, content_hash, indexed FROM documents WHERE id = ?", document.id)
        if not row:
            names, values = columns(document)
            marks = ", ".join("?" * (len(values) + 3))
            self._catalog.run(
                f"INSERT INTO documents (id, json, content_hash, {names}) VALUES ({marks})",
                document.id,
                stored,
                hash_,
                *values,
            )
            return
        (old, old_hash, is_indexed) = row[0]
        if is_indexed and hash_ != old_hash:
            self._catalog.run("UPDATE documents SET staged = ? WHERE id = ?", stored, document.id)
            return
        self._catalog.run("UPDATE documents SET staged = NULL WHERE id = ? AND staged IS NOT NULL", document.id)
        if stored != old:
            write_document(self._catalog, document)

    def _drop(self, doc_id: str) -> None:
        for kind in KINDS:
            self._catalog.drop_chunks(doc_id, kind)
        self._catalog.run("DELETE FROM documents WHERE id = ?", doc_id)
        self._catalog.run("INSERT OR IGNORE INTO outbox VALUES (?)", doc_id)


def _is_there(path: str) -> bool:
    """Whether this is the name of a file that exists, or may exist where nobody may look."""
    try:
        is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    # Else a folder has its name, or a link was put in its way, and the file has another name now.
    return not is_folder and os.path.realpath(path) == path


def write_document(catalog: Catalog, document: Document) -> None:
    """Replace the searched version of a document; the indexes will be told."""
    names, values = columns(document)
    assignments = ", ".join(f"{name} = ?" for name in names.split(", "))
    catalog.run(
        f"UPDATE documents SET json = ?, content_hash = ?, staged = NULL, {assignments} WHERE id = ?",
        document_to(document),
        content_hash(document),
        *values,
        document.id,
    )
    catalog.run("INSERT OR IGNORE INTO outbox VALUES (?)", document.id)


def content_hash(document: Document) -> str:
    """Of what is embedded: title and text."""
    return _sha256(f"{document.title}\0{document.text}")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
