"""Files to documents: find the files, read each record, tell which records are the same paper.

What a user names goes in; `Document`s and `Rejection`s come out, one after the other. Nothing here
keeps state, knows a library or an index.
"""

from rag.ingest.files import READER_VERSION, file_digest, find_files
from rag.ingest.identity import document_id, identity_keys, merge
from rag.ingest.reading import read_file
from rag.ingest.records import Rejection

__all__ = [
    "READER_VERSION",
    "Rejection",
    "document_id",
    "file_digest",
    "find_files",
    "identity_keys",
    "merge",
    "read_file",
]
