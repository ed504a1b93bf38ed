"""What is wrong with a library, and mending it: every index is compared with the catalog, both ways.

Chroma is looked into by a process of its own, because files with wrong content can crash it.
"""

from __future__ import annotations

import itertools
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import rmtree

import numpy as np
from numpy.typing import NDArray

from rag.errors import FootnoteError, LibraryDamagedError
from rag.library import founding
from rag.library.catalog import KINDS, Catalog, command
from rag.library.indexing import REBUILD, Indexes, Progress
from rag.library.packing import chunk_ids, document_of
from rag.library.store import Store
from rag.types import JSON

PAGE = 500  # chunks compared at once
SAMPLE = 200  # chunks that must find themselves
SAME = 1e-3  # vectors differ by less after Chroma has normalised them
PROPOSED = 100  # entries that a search asks the index for: a narrower search may miss the nearest
_CHILD = """
import json, sys
from rag.library.doctor import store_faults
sys.stdout.write(json.dumps(store_faults(sys.argv[1])))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: where, what, the command that mends it, and whether it has been mended."""

    part: str
    problem: str
    mend: str
    mended: bool = False

    def to_dict(self) -> JSON:
        """As a plain dict."""
        return asdict(self)


def examine(
    folder: Path, catalog: Catalog, indexes: Indexes, *, repair: bool, on_progress: Progress | None = None
) -> list[Finding]:
    """Look at everything; with `repair`, mend what can be. The caller holds the write lock.

    What needs the papers' files or the embedder is left to `footnote ingest`.
    """
    if faults := _catalog_faults(catalog):
        anew = f"put back a copy, or: {command(folder, 'ingest --rebuild')}"
        return [Finding("catalog", fault, anew) for fault in faults]
    repairing = command(folder, "doctor --repair")
    steps: list[tuple[Callable[[], Iterator[tuple[str, str]]], Callable[[], None]]] = [
        (lambda: _description(folder), lambda: founding.describe(folder, founding.description(folder))),
        (lambda: _leftovers(folder), lambda: _delete_leftovers(folder)),
        (lambda: _rows(catalog), lambda: _mend_rows(catalog)),
        (lambda: _unapplied(catalog, indexes), lambda: _apply(indexes, on_progress)),
        (lambda: _indexes(folder, indexes), lambda: indexes.rebuild(on_progress)),
    ]
    findings = []
    for look, mend in steps:
        found = [Finding(part, problem, repairing) for part, problem in look()]
        findings += _mended(found, mend) if found and repair else found
    return findings + list(_unfinished(folder, catalog))


def store_faults(folder: Path | str) -> list[str]:
    """Compare Chroma with the catalog; may crash the process when Chroma's files are garbled."""
    folder = Path(folder)
    catalog = Catalog(folder, writable=founding.is_writable(folder))
    indexes = Indexes(folder, catalog)
    try:
        with indexes.store() as store:
            return [fault for kind in KINDS for fault in _differences(catalog, store, kind)]
    except FootnoteError as error:
        return [str(error)]
    finally:
        indexes.close()
        catalog.close()


def _mended(found: Sequence[Finding], mend: Callable[[], None]) -> list[Finding]:
    try:
        mend()
    except FootnoteError as error:
        return [replace(finding, problem=f"{finding.problem}; not mended: {error}") for finding in found]
    return [replace(finding, mended=True) for finding in found]


# -- the catalog and the folder -----------------------------------------------------------------


def _catalog_faults(catalog: Catalog) -> list[str]:
    try:
        return catalog.faults()
    except LibraryDamagedError as error:
        return [str(error.__cause__)]


def _description(folder: Path) -> Iterator[tuple[str, str]]:
    try:
        is_right = json.loads((folder / founding.DESCRIPTION).read_bytes()) == founding.description(folder)
    except (OSError, ValueError):
        is_right = False
    if not is_right:
        yield founding.DESCRIPTION, "is missing or does not say what the catalog says"


def _leftovers(folder: Path) -> Iterator[tuple[str, str]]:
    for path in _leftover_paths(folder):
        yield path.name, "was left behind by a process that was killed"


def _delete_leftovers(folder: Path) -> None:
    for path in _leftover_paths(folder):
        if path.is_dir():
            rmtree(path)
        else:
            path.unlink()


def _leftover_paths(folder: Path) -> list[Path]:
    return sorted([*folder.glob(".new-*"), *folder.glob(f"{founding.DESCRIPTION}.new")])


_LOOSE_CHUNKS = "doc_id NOT IN (SELECT id FROM documents WHERE indexed = 1)"
_LOOSE_DOCUMENTS = "id NOT IN (SELECT doc_id FROM records WHERE doc_id IS NOT NULL)"
_UNEVEN_VECTORS = (
    "length(vectors) = 0 OR length(spans) % 8 <> 0 OR length(vectors) * 8 <> length(spans) * "
    "(SELECT length(vectors) * 8 / length(spans) AS size FROM chunks GROUP BY size ORDER BY count(*) DESC LIMIT 1)"
)
_BARE_DOCUMENTS = "indexed = 1 AND id NOT IN (SELECT doc_id FROM chunks WHERE kind = 'abstract')"
_LOST_RECORDS = "doc_id NOT IN (SELECT id FROM documents)"


def _rows(catalog: Catalog) -> Iterator[tuple[str, str]]:
    for table, condition, problem in (
        ("chunks", _LOOSE_CHUNKS, "chunks of documents that do not exist"),
        ("documents", _LOOSE_DOCUMENTS, "documents that no file has"),
        ("chunks", _UNEVEN_VECTORS, "chunks whose vectors do not fit"),
        ("documents", _BARE_DOCUMENTS, "documents whose vectors are gone"),
        ("records", _LOST_RECORDS, "records whose document is gone"),
    ):
        if count := catalog.value(f"SELECT count(*) FROM {table} WHERE {condition}"):
            yield "catalog", f"{count} {problem}"


def _mend_rows(catalog: Catalog) -> None:
    """Delete what belongs to nothing; documents without fitting vectors wait for new ones, lost records to be read."""
    with catalog.transaction():
        catalog.run(f"DELETE FROM documents WHERE {_LOOSE_DOCUMENTS}")
        catalog.run(f"UPDATE documents SET indexed = 0 WHERE id IN (SELECT doc_id FROM chunks WHERE {_UNEVEN_VECTORS})")
        catalog.run(f"UPDATE documents SET indexed = 0 WHERE {_BARE_DOCUMENTS}")
        catalog.run(f"DELETE FROM chunks WHERE {_LOOSE_CHUNKS}")
        catalog.run(f"UPDATE files SET digest = NULL WHERE path IN (SELECT path FROM records WHERE {_LOST_RECORDS})")
        catalog.run(f"UPDATE records SET doc_id = NULL, hash = '' WHERE {_LOST_RECORDS}")
        catalog.put("dirty", REBUILD)


def _unfinished(folder: Path, catalog: Catalog) -> Iterator[Finding]:
    for (path,) in catalog.rows("SELECT path FROM files WHERE digest IS NULL ORDER BY path"):
        if Path(path).exists():
            reading = command(folder, f"ingest {shlex.quote(path)}")
            yield Finding("files", f"{path} was not read to its end", reading)
        else:
            pruning = command(folder, f"ingest --prune {shlex.quote(str(Path(path).parent))}")
            yield Finding("files", f"{path} is gone; what was read of it is kept", f"put it back, or: {pruning}")
    if waiting := catalog.value("SELECT count(*) FROM documents WHERE indexed = 0 OR staged IS NOT NULL"):
        yield Finding("documents", f"{waiting} papers wait for their vectors", command(folder, "ingest"))


# -- the indexes --------------------------------------------------------------------------------


def _unapplied(catalog: Catalog, indexes: Indexes) -> Iterator[tuple[str, str]]:
    if indexes.have_work:
        count = catalog.value("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM stale)")
        yield "indexes", f"a writer was interrupted: {count} changes have not reached the indexes"


def _apply(indexes: Indexes, on_progress: Progress | None) -> None:
    try:
        indexes.apply(on_progress)
    except LibraryDamagedError:
        indexes.rebuild(on_progress)


def _indexes(folder: Path, indexes: Indexes) -> Iterator[tuple[str, str]]:
    """Skipped while there is work left, which would explain any difference."""
    if indexes.have_work or not indexes.exist:
        return
    faults = [fault] if (fault := indexes.store_damage()) else _store_faults_aside(folder)
    yield from (("chroma", fault) for fault in faults)
    try:
        with indexes.words() as words:
            found = words.ids()
    except FootnoteError as error:
        yield "lexical", str(error)
        return
    yield from (("lexical", fault) for fault in _compared(found, indexes.documents()))


def _store_faults_aside(folder: Path) -> list[str]:
    """`store_faults` in another process."""
    command = [sys.executable, "-c", _CHILD, str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    if done.returncode != 0:
        return [f"opening it crashes Chroma (status {done.returncode})"]
    faults: list[str] = json.loads(done.stdout)
    return faults


def _differences(catalog: Catalog, store: Store, kind: str) -> Iterator[str]:
    wanted = [
        chunk_id
        for doc_id, spans in catalog.rows("SELECT doc_id, spans FROM chunks WHERE kind = ?", kind)
        for chunk_id in chunk_ids(doc_id, spans)
    ]
    in_catalog = set(wanted)
    found = []
    differing = 0
    for rows in _pages(store.vectors(kind)):
        found += [chunk_id for chunk_id, _ in rows]
        doc_ids = sorted({document_of(chunk_id) for chunk_id, _ in rows})
        stored = {chunk.id: vector for chunk, vector in catalog.vectors(doc_ids, kind)}
        differing += sum(
            not np.allclose(_unit(vector), _unit(stored[chunk_id]), atol=SAME)
            for chunk_id, vector in rows
            if chunk_id in in_catalog
        )
    yield from (f"{kind} {fault}" for fault in _compared(found, wanted))
    if differing:
        yield f"{kind} index: {differing} vectors are not those of the catalog"
    common = sorted(in_catalog & set(found))
    if common and not differing and not _finds_itself(catalog, store, kind, common[:: len(common) // SAMPLE + 1]):
        yield f"{kind} index does not find its own chunks"


def _finds_itself(catalog: Catalog, store: Store, kind: str, sample: Sequence[str]) -> bool:
    wanted = set(sample)
    doc_ids = sorted({document_of(chunk_id) for chunk_id in sample})
    pairs = [pair for pair in catalog.vectors(doc_ids, kind) if pair[0].id in wanted]
    best = [store.query(kind, vector, PROPOSED) for _, vector in pairs]  # as wide as a search is
    return all(hits and hits[0][1] > 1 - SAME for hits in best)


def _compared(found: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    missing, foreign = set(wanted) - set(found), set(found) - set(wanted)
    if missing:
        yield f"index: {len(missing)} entries are missing"
    if foreign:
        yield f"index: {len(foreign)} entries do not belong there"
    if len(found) != len(set(found)):
        yield f"index: {len(found) - len(set(found))} entries are doubled"


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vector / (np.linalg.norm(vector) or 1.0), dtype=np.float32)


def _pages(
    items: Iterator[tuple[str, NDArray[np.float32]]],
) -> Iterator[list[tuple[str, NDArray[np.float32]]]]:
    while page := list(itertools.islice(items, PAGE)):
        yield page
