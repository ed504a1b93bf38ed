"""Small papers with vectors made from their text, and what must hold of every library."""

import hashlib
import multiprocessing
from dataclasses import replace

import numpy as np

from rag.library import IndexedDocument, Library, Matching, doctor, store
from rag.types import Chunk, Document

IDENTITY = {"embedder": "by hash", "window_sentences": 1}
DIMENSIONS = 16


def vector(text, dimensions=DIMENSIONS):
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    numbers = np.random.default_rng(seed).normal(size=dimensions).astype(np.float32)
    return numbers / np.linalg.norm(numbers)


def paper(n, *, file="a.txt", text=None, title=None, **metadata):
    title = f"Paper {n} on circuits" if title is None else title
    text = f"We study model number{n} here. It finds thing{n} in circuits." if text is None else text
    return Document(f"d{n}", title, text, f"{file}#{n}", metadata)


def cut(document):
    """One chunk for the abstract, one for each half, as ingest would give them."""
    n = len(document.text)
    spans = [(0, n // 2), (n // 2, n)]
    whole = Chunk(document.id, 0, n, document.text)
    parts = [Chunk(document.id, a, b, document.text[a:b]) for a, b in spans if a < b]
    return IndexedDocument(document, [(whole, vector(whole.text))], [(part, vector(part.text)) for part in parts])


def index_all(library, batch=64):
    while documents := library.pending(batch):
        library.index([cut(document) for document in documents])


def put(library, path, documents, digest=None, **options):
    """Stage a file and index what it changes."""
    digest = digest or hashlib.sha256(repr(documents).encode()).hexdigest()
    counts = library.stage(path, digest, documents, **options)
    index_all(library)
    return counts


def by_keys():
    """Records are one paper when they share a word of `keys`; the first leads, its first key is the id."""

    def keys(document):
        return tuple(document.metadata["keys"])

    def merge(documents):
        texts = max(documents, key=lambda document: len(document.text))
        return replace(documents[0], text=texts.text, id=min(key for d in documents for key in keys(d)))

    return Matching(keys, merge)


def disagreements(library):
    """Where Chroma or tantivy does not have exactly what the catalog has."""
    faults = doctor.store_faults(library.folder) if library._indexes.exist else []
    rows = library._catalog.rows("SELECT id FROM documents WHERE indexed = 1 ORDER BY id")
    if library._indexes.exist:
        with library._indexes.words() as words:
            if words.ids() != [doc_id for (doc_id,) in rows]:
                faults.append("tantivy has other documents")
    return faults


def contents(library):
    """All that a library amounts to, without ids and orders that depend on its history."""
    documents, total = library.list(0, 10_000)
    ids = sorted(document.id for document in documents)
    assert len(ids) == total
    return {
        "documents": sorted((d.id, d.title, d.text, d.source, str(d.metadata)) for d in documents),
        "chunks": {
            kind: [(chunk, row.tobytes()) for chunk, row in library.vectors(ids, kind)]
            for kind in ("abstract", "window")
        },
        "found": {i: [c.doc_id for c, _ in library.nearest("abstract", vector(f"probe {i}"), 5)] for i in range(5)},
        "files": library._catalog.rows("SELECT path, digest FROM files ORDER BY path"),
    }


def version_of(file, version):
    """Twelve papers of a file, of which each version changes some and leaves some out."""
    return [
        paper(n, file=file, text=f"Text {n} of {file}, state {(version + n) // 3}. It has a second sentence.")
        for n in range(12)
        if (version + n) % 5
    ]


def ingest_version(library, version, files=("a.txt", "b.txt", "c.txt")):
    for file in files:
        documents = [replace(d, id=f"{file[0]}{d.id}") for d in version_of(file, version)]
        library.stage(file, f"{file} {version}", documents)
        index_all(library, batch=5)


def write_forever(folder, started):
    """Ingest one version after the other until killed, saving vectors to disk all the time."""
    store.HNSW = {**store.HNSW, "sync_threshold": 10, "batch_size": 5}
    library = Library.open_or_create(folder, identity=IDENTITY)
    started.set()
    for version in range(1000):
        ingest_version(library, version)


def write_file(folder, file, started):
    """Ingest ten versions of one file."""
    started.set()
    library = Library.open_or_create(folder, identity=IDENTITY)
    for version in range(10):
        ingest_version(library, version, [file])


def processes():
    """Fresh processes that have the heavy libraries loaded already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["chromadb", "tantivy", "tests.library_parts"])
    return context
