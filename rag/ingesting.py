"""Files → library, step by step, so that a stop at any moment loses nothing.

Read and stage each changed file, take out what is gone, then embed and index whatever is pending, in
small batches. Every step is committed on its own; the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag import chunk as chunking
from rag import ingest as reading
from rag.errors import IngestError
from rag.ingest import Rejection
from rag.library import IndexedDocument, Library, Merged
from rag.models import Embedder
from rag.types import JSON, Document

BATCH = 256  # documents embedded and committed together: a second or two of work

Update = Callable[[int, int], None]


@dataclass
class IngestReport:
    """What an ingest did; counts are papers unless they say files."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    indexed: int = 0
    files_read: int = 0
    files_unchanged: int = 0
    papers: int = 0
    merged: list[Merged] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    def summary(self) -> str:
        """One line for people."""
        parts = [
            f"{self.new:,} new",
            f"{self.changed:,} changed",
            f"{self.unchanged:,} unchanged",
            f"{self.removed:,} removed",
        ]
        parts += [
            f"{_counted(len(self.merged), 'duplicate')} merged",
            f"{_counted(len(self.rejected), 'record')} rejected",
        ]
        files = f"{_counted(self.files_read, 'file')} read, {self.files_unchanged:,} unchanged"
        return f"{_counted(self.papers, 'paper')} in the library: {', '.join(parts)} ({files})"

    def to_dict(self) -> JSON:
        """Return it as JSON."""
        counts = {name: value for name, value in vars(self).items() if isinstance(value, int)}
        return {
            **counts,
            "merged": [{"source": m.source, "into": m.into, "key": m.key} for m in self.merged],
            "rejected": [{"file": r.file, "place": r.place, "reason": r.reason} for r in self.rejected],
        }


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ingest_into(
    library: Library,
    paths: Sequence[Path],
    *,
    embedder: Callable[[], Embedder],
    window_sentences: int,
    prune: bool = False,
    rebuild: bool = False,
    on_progress: Update | None = None,
    on_wait: Callable[[], None] | None = None,
) -> IngestReport:
    """Bring the library in step with `paths`.

    `embedder` is called only when something must be embedded. With `prune`, papers whose files under
    `paths` are gone are removed. `on_progress(done, total)` counts embedded papers.

    Raises IngestError when a path does not exist or nothing at all could be read, LibraryBusyError.
    """
    files, rejected = reading.find_files(paths)
    report = IngestReport(rejected=list(rejected))
    with library.writing(on_wait=on_wait):
        library.finish()
        for file in files:
            try:
                _stage(library, file, report, rebuild=rebuild)
            except IngestError as error:  # gone since it was listed, or not ours to read: what it gave before stays
                report.rejected.append(Rejection(str(file), "", str(error)))
        if prune:
            report.removed += library.prune(paths, files)
        _index_pending(library, embedder, window_sentences, report, on_progress)
    report.papers = library.count()
    if not report.papers and report.rejected:
        raise IngestError(
            f"no paper could be read; the first of {len(report.rejected)} rejections: {report.rejected[0]}"
        )
    return report


def _stage(library: Library, file: Path, report: IngestReport, *, rebuild: bool) -> None:
    digest = reading.file_digest(file)
    if not rebuild and library.unchanged(file, digest):
        report.files_unchanged += 1
        return
    report.files_read += 1
    counts = library.stage(file, digest, _accepted(file, report), rebuild=rebuild)
    report.new += counts.new
    report.changed += counts.changed
    report.unchanged += counts.unchanged
    report.removed += counts.removed
    report.merged += counts.merged


def _accepted(file: Path, report: IngestReport) -> Iterator[Document]:
    try:
        for record in reading.read_file(file):
            if isinstance(record, Rejection):
                report.rejected.append(record)
            else:
                yield record
    except OSError as error:
        raise IngestError(f"reading stopped: {error.strerror or error}") from error


def _index_pending(
    library: Library,
    embedder: Callable[[], Embedder],
    window_sentences: int,
    report: IngestReport,
    on_progress: Update | None,
) -> None:
    total = library.pending_count()
    while batch := library.pending(BATCH):
        library.index(embedded(batch, embedder(), window_sentences))
        report.indexed += len(batch)
        if on_progress:
            on_progress(report.indexed, max(total, report.indexed))


def embedded(documents: Sequence[Document], embedder: Embedder, window_sentences: int) -> list[IndexedDocument]:
    """Chunk and embed: one pass of the model over each passage gives its own vector and its windows'."""
    passages = [
        chunking.passages(
            document,
            count_tokens=embedder.count_tokens,
            max_tokens=embedder.max_tokens,
            window_sentences=window_sentences,
        )
        for document in documents
    ]
    flat = [passage for group in passages for passage in group]
    vectors = iter(
        embedder.encode_spans(
            [passage.text for passage in flat],
            [[(0, len(passage.text)), *passage.spans] for passage in flat],
        )
    )
    indexed = []
    for document, group in zip(documents, passages, strict=True):
        abstracts, windows = [], []
        for passage in group:
            whole, *parts = next(vectors)
            abstracts.append((passage.chunk, whole))
            windows += list(zip(passage.windows, parts, strict=True))
        indexed.append(IndexedDocument(document, abstracts, windows))
    return indexed
