"""Which records are the same paper: groups of records that are linked by shared keys.

What a key is and how a group becomes one document is given from outside, as a `Matching`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rag.types import Document


@dataclass(frozen=True, slots=True)
class Matching:
    """How records are recognised as the same paper, and made into one document with its id."""

    identity_keys: Callable[[Document], Sequence[str]]
    merge: Callable[[Sequence[Document]], Document]


BY_ID = Matching(lambda document: (document.id,), lambda documents: documents[0])


@dataclass(frozen=True, slots=True)
class Merged:
    """A record that is the same paper as an earlier one, and the key that says so."""

    source: str
    into: str
    key: str


@dataclass(slots=True)
class StageCounts:
    """Records of one file, counted; `removed` are those that the file no longer has."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    merged: list[Merged] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it is stored, with what links it to others."""

    id: int
    path: str
    doc_id: str | None
    document: Document
    keys: tuple[str, ...]

    @property
    def place(self) -> tuple[str, int, str]:
        """Files by name, records by number: the order in which records lead."""
        number = self.document.source.rpartition("#")[2]
        return self.path, int(number) if number.isdecimal() else 0, self.document.source


def components(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Records linked by shared keys, in their order."""
    parent = {record.id: record.id for record in records}

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    holder: dict[str, int] = {}
    for record in records:
        for key in record.keys:
            parent[root(record.id)] = root(holder.setdefault(key, record.id))
    groups: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        groups[root(record.id)].append(record)
    yield from groups.values()


def mergers(records: Sequence[Record], fresh: Sequence[int]) -> list[Merged]:
    """For each fresh record the first other one that shares a key; of two fresh ones, the later tells."""
    by_key: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        for key in record.keys:
            by_key[key].append(record)
    age = {record_id: number for number, record_id in enumerate(fresh)}
    by_id = {record.id: record for record in records}
    found = []
    for record_id in dict.fromkeys(fresh):
        record = by_id[record_id]
        partners = (
            (other, key)
            for key in record.keys
            for other in by_key[key]
            if other.id != record_id and age.get(other.id, -1) < age[record_id]
        )
        if partner := next(partners, None):
            found.append(Merged(record.document.source, partner[0].document.source, partner[1]))
    return found
