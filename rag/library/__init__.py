"""One library folder: the truth in SQLite, and Chroma and tantivy kept in step with it.

`library`   the facade that the rest of Footnote uses; begin there
`catalog`, `schema`, `packing`  the truth: records, documents, chunks and vectors, in SQLite
`staging`, `matching`     records in, duplicates merged
`store`, `lexical`        the homes of Chroma and tantivy
`indexing`, `nearest`     what keeps the two up to date; nearest chunks, by Chroma or exactly
`lookup`                  documents by what is known about them: references, filters, titles
`founding`, `locks`, `doctor`  make and rebuild; one writer; find and mend
"""

from rag.library.catalog import command
from rag.library.library import Filters, Finding, IndexedDocument, Library, Matching, Merged, StageCounts

__all__ = ["Filters", "Finding", "IndexedDocument", "Library", "Matching", "Merged", "StageCounts", "command"]
