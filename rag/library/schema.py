"""The tables of a library's catalog.

`files`, `records`, `keys`: what was read. `documents`, `chunks`: what it amounts to. `outbox`, `stale`:
what the indexes have yet to be told. `meta`: single facts, by name:

library_id, identity, store_url   what the library was built with
settings     those that it was made with and is opened with unless told otherwise, JSON
run          counts the readings of files
generation   counts the changes of the indexes; 0 until there are any
dirty        says that an index is being written, see `rag.library.indexing`
store_files  sizes of Chroma's files after the last change
"""

FORMAT = 1  # raise it when an older Footnote could not work with the file

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY,
    digest TEXT,              -- NULL until the file has been read to its end
    reading TEXT NOT NULL,    -- the digest of the content that the records come from
    run INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL,
    source TEXT NOT NULL,
    run INTEGER NOT NULL,     -- the reading that last saw it
    hash TEXT NOT NULL,
    json TEXT NOT NULL,
    removed TEXT,             -- digest of the file content that a person removed it from
    doc_id TEXT,
    UNIQUE (path, source)
);
CREATE INDEX records_document ON records (doc_id);
CREATE INDEX records_source ON records (source);
CREATE TABLE keys (
    key TEXT NOT NULL,
    record INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    rank INTEGER NOT NULL,    -- 0 for the strongest key of the record
    PRIMARY KEY (key, record)
) WITHOUT ROWID;
CREATE INDEX keys_record ON keys (record);
CREATE TABLE documents (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    json TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    indexed INTEGER NOT NULL DEFAULT 0,
    staged TEXT,
    source TEXT NOT NULL,
    title TEXT NOT NULL,      -- this and the rest folded, to look up and to filter by
    year INTEGER,
    venue TEXT NOT NULL,
    authors TEXT NOT NULL,
    arxiv_id TEXT NOT NULL,
    doi TEXT NOT NULL
);
CREATE INDEX documents_title ON documents (title);
CREATE INDEX documents_source ON documents (source);
CREATE INDEX documents_arxiv ON documents (arxiv_id);
CREATE INDEX documents_doi ON documents (doi);
CREATE INDEX documents_pending ON documents (seq) WHERE indexed = 0 OR staged IS NOT NULL;
CREATE TABLE chunks (
    doc_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    spans BLOB NOT NULL,      -- int32 (m, 2)
    vectors BLOB NOT NULL,    -- float32 (m, d)
    PRIMARY KEY (doc_id, kind)
);
CREATE TABLE outbox (doc_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE stale (kind TEXT NOT NULL, chunk_id TEXT NOT NULL, PRIMARY KEY (kind, chunk_id)) WITHOUT ROWID;
"""
