"""Files that a visitor gives → what taking them in would do → the library.

Nothing is written before the visitor has seen the preview. What is taken in is kept in the library's folder
under `uploads/`, so that a library is still one folder that can be copied.
"""

from __future__ import annotations

import queue
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from rag.errors import BadInputError, LibraryError
from rag.ingest import Rejection, file_digest, identity_keys, read_file
from rag.ingest.kinds import KIND_OF_SUFFIX
from rag.ingesting import IngestReport
from rag.library import Library, Merged
from rag.library.matching import Record, mergers
from rag.pipeline import Footnote
from rag.types import Document

FOLDER = "uploads"
SUFFIXES = sorted({suffix for suffix in KIND_OF_SUFFIX if suffix} | {".gz"})
# what two records share that are one paper, by what their key begins with; see `rag.ingest.identity`
KEYS = {"doi": "DOI", "arxiv": "arXiv id", "pmid": "PubMed number", "title": "title and year", "text": "text"}
MAX_FILES = 20
MAX_RECORDS = 20_000  # of one preview: more are for the command line


@dataclass(frozen=True, slots=True)
class Preview:
    """What taking files in would do; `duplicates` name the paper that each is the same as."""

    files: tuple[Path, ...]
    new: tuple[Document, ...]
    duplicates: tuple[Merged, ...]
    rejected: tuple[Rejection, ...]


def preview(library: Library, files: Sequence[Path]) -> Preview:
    """Read files without writing anything. Raises BadInputError for too much at once."""
    if len(files) > MAX_FILES:
        raise BadInputError(f"{len(files)} files at once; at most {MAX_FILES} are read here: use footnote ingest")
    documents: list[Document] = []
    rejected: list[Rejection] = []
    for file in files:
        for outcome in read_file(file):
            if isinstance(outcome, Rejection):
                rejected.append(Rejection(Path(outcome.file).name, outcome.place, outcome.reason))
            else:
                documents.append(outcome)
            if len(documents) + len(rejected) > MAX_RECORDS:
                raise BadInputError(f"more than {MAX_RECORDS:,} records: take them in with footnote ingest")
    merged = _same(library, documents)
    new = tuple(document for place, document in enumerate(documents) if place not in merged)
    return Preview(tuple(files), new, tuple(merged.values()), tuple(rejected))


def _same(library: Library, documents: Sequence[Document]) -> dict[int, Merged]:
    """The documents, by place, that are papers of the library, or of each other, as the library would match them."""
    held = list(library.every())
    together = [*held, *documents]
    records = [  # named by their place: two files may have one name
        Record(place, "", document.id, replace(document, source=str(place)), tuple(identity_keys(document)))
        for place, document in enumerate(together)
    ]
    found = mergers(records, range(len(held), len(records)))
    named = [(int(item.source), int(item.into), item.key) for item in found]
    return {one - len(held): Merged(together[one].source, together[into].source, key) for one, into, key in named}


def take_in(footnote: Footnote, files: Sequence[Path]) -> Iterator[tuple[int, int] | IngestReport]:
    """Keep the files and ingest them; gives (done, total) papers on the way and the report in the end.

    Each is read though its content may be known, so that papers which were removed come back.

    Raises LibraryError where nothing can be written, and what ingest raises.
    """
    kept = [_kept(footnote.library.folder / FOLDER, file) for file in files]
    told: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    with ThreadPoolExecutor(1, "ingest") as pool:
        job = pool.submit(footnote.ingest, kept, rebuild=True, on_progress=lambda done, total: told.put((done, total)))
        while not job.done():
            try:
                yield told.get(timeout=0.2)
            except queue.Empty:
                continue
        yield job.result()


def outcome(report: IngestReport) -> str:
    """What taking in has done, in a few words."""
    merged, rejected = len(report.merged), len(report.rejected)
    added = max(0, report.new - merged)
    told = f"{added} paper{'' if added == 1 else 's'} added" if added else "No paper is new"
    if merged:
        told += f", {merged} duplicate{'' if merged == 1 else 's'} merged"
    return told + (f", {rejected} record{'' if rejected == 1 else 's'} rejected" if rejected else "")


def _kept(folder: Path, file: Path) -> Path:
    """The file's copy in the folder: under its name, with a number where another file has that."""
    name = file.name.lstrip(".") or "papers.txt"
    endings = "".join(Path(name).suffixes[-2:])  # .bib.gz
    stem = name.removesuffix(endings)
    try:
        folder.mkdir(exist_ok=True)
        for number in range(1, 10_000):
            target = folder / (name if number == 1 else f"{stem}-{number}{endings}")
            if not target.exists():
                shutil.copyfile(file, target)
                return target
            if file_digest(target) == file_digest(file):
                return target
    except OSError as error:
        raise LibraryError(f"{file.name} cannot be kept in {folder}: {error.strerror}") from error
    raise LibraryError(f"{folder} has too many files of the name {file.name}")
