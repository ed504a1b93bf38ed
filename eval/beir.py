"""Retrieval on outside collections with judged questions: the BEIR layout, or TREC's files.

`corpus.jsonl`, `queries.jsonl` and `qrels/*.tsv`, each gzipped or not; or `queries.tsv` (id, text) and
`qrels.txt` (query, 0, document, grade) in place of the latter two. The corpus goes through the same
ingest as anybody's papers, every query through the same search, and the run is written in TREC's format.

Source of the layout: Thakur et al., BEIR, NeurIPS 2021 (arXiv:2104.08663).
"""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.metrics import retrieval
from eval.statistics import mean_interval
from rag.errors import EvalError
from rag.pipeline import MAX_QUESTION_CHARACTERS, Footnote
from rag.types import JSON, Hit

DEPTH = 100


@dataclass(frozen=True, slots=True)
class Collection:
    """A corpus file, queries by id, and grades by query and document."""

    corpus: Path
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]


def read_collection(folder: Path) -> Collection:
    """Read a collection; only judged queries are kept. Raises EvalError that says which file is missing or wrong."""
    corpus = _one(folder, "corpus.jsonl")
    qrels = _qrels(folder)
    queries: dict[str, str] = {}
    for key, text in _queries(folder):
        if key in qrels and queries.setdefault(key, text) != text:
            raise EvalError(f"{folder}: there are two queries {key!r}")
    if not queries:
        raise EvalError(f"{folder}: no query of the queries file is judged in the qrels")
    if silent := [key for key, text in queries.items() if not text.strip()]:
        raise EvalError(f"{folder}: queries without a text: {', '.join(silent[:10])}")
    return Collection(corpus, queries, qrels)


def search_all(
    footnote: Footnote,
    collection: Collection,
    *,
    k: int = DEPTH,
    on_query: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, list[Hit]]:
    """The hits of every query; a query that is too long is cut."""
    found = {}
    for done, (key, text) in enumerate(collection.queries.items(), start=1):
        found[key] = footnote.search(text[:MAX_QUESTION_CHARACTERS], k=k)
        on_query(done, len(collection.queries))
    return found


def names_of(footnote: Footnote) -> dict[str, str]:
    """The collection's own id of each document of the library, by document id."""
    return {d.id: str(d.metadata.get("external_id") or d.source) for d in footnote.library.every()}


def tables(ranked: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]], *, k: int = 100) -> JSON:
    """nDCG@10, recall@100 (at `k`, if that is fewer), success@1 and @5 and MRR over the queries, with intervals.

    A query with judgements but no hit has 0 and stays in the mean.
    """
    measures: dict[str, retrieval.Measure] = {
        "ndcg@10": lambda found, grades: retrieval.ndcg(found, grades, k=10),
        f"recall@{min(k, 100)}": lambda found, grades: retrieval.recall(found, grades, k=min(k, 100)),
        "success@1": lambda found, grades: retrieval.success(found, grades, k=1),
        "success@5": lambda found, grades: retrieval.success(found, grades, k=5),
        "mrr": lambda found, grades: retrieval.reciprocal_rank(found, grades),
    }
    rows: JSON = {}
    for name, measure in measures.items():
        values = [measure(ranked[key], qrels[key]) for key in ranked]
        known = [value for value in values if value is not None]
        interval = mean_interval(values)
        rows[name] = {
            "value": sum(known) / len(known) if known else None,
            "low": interval.low if interval else None,
            "high": interval.high if interval else None,
            "n": len(known),
        }
    return rows


def write_run(path: Path, found: Mapping[str, Sequence[Hit]], names: Mapping[str, str], *, tag: str) -> None:
    """Write a run in TREC's format: query Q0 document rank score tag.

    trec_eval goes by the score, so one that is above those before it is written as the least of them.
    """
    lines = [
        f"{key} Q0 {names[hit.chunk.doc_id]} {hit.rank} {score:.6f} {tag}"
        for key, hits in found.items()
        for hit, score in zip(hits, itertools.accumulate((hit.score for hit in hits), min), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _one(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.exists():
            return path
    raise EvalError(f"{folder} has no {name} (or {name}.gz): a BEIR collection has corpus, queries and qrels")


def _queries(folder: Path) -> Iterator[tuple[str, str]]:
    for name in ("queries.tsv", "topics.tsv"):
        if (folder / name).exists():
            for _, line in _lines(folder / name):
                key, _, text = line.partition("\t")
                yield key.strip(), text.strip()
            return
    path = _one(folder, "queries.jsonl")
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EvalError(f"{path}, line {number}: {error}") from error
        if not isinstance(row, dict) or "_id" not in row or not isinstance(row.get("text"), str):
            raise EvalError(f"{path}, line {number}: no _id or no text")
        yield str(row["_id"]), row["text"]


def _qrels(folder: Path) -> dict[str, dict[str, int]]:
    tsv = sorted([*(folder / "qrels").glob("*.tsv"), *(folder / "qrels").glob("*.tsv.gz")])
    chosen = next((p for p in tsv if p.name.startswith("test.")), tsv[0] if tsv else folder / "qrels.txt")
    if not chosen.exists():
        raise EvalError(f"{folder} has neither qrels/*.tsv nor qrels.txt")
    grades: dict[str, dict[str, int]] = {}
    for place, (number, line) in enumerate(_lines(chosen)):
        try:
            parts = next(csv.reader([line], delimiter="\t")) if "\t" in line else line.split()
        except csv.Error as error:
            raise EvalError(f"{chosen}, line {number}: {error}") from error
        is_grade = bool(re.fullmatch("-?[0-9]{1,9}", parts[-1]))
        if not place and not is_grade:
            continue  # the header of the BEIR layout
        if len(parts) not in (3, 4) or not is_grade:
            raise EvalError(f"{chosen}, line {number}: not (query, document, grade) nor (query, 0, document, grade)")
        if grades.setdefault(parts[0], {}).setdefault(parts[-2], int(parts[-1])) != int(parts[-1]):
            raise EvalError(f"{chosen}, line {number}: another grade for query {parts[0]!r} and document {parts[-2]!r}")
    return grades


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig") as lines:
            yield from ((number, line.rstrip("\n")) for number, line in enumerate(lines, start=1) if line.strip())
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise EvalError(f"{path} cannot be read: {error}") from error
