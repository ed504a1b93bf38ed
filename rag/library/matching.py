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


WEAK = "title:"  # keys that begin so link only what nothing stronger tells apart

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
    """Records linked by shared keys, in their order.

    A weak key (a title) does not link records that have different strong keys of one kind (two DOIs):
    editorials of one journal and year share their title.
    """
    parent = {record.id: record.id for record in records}
    strong: dict[int, dict[str, set[str]]] = {record.id: _by_kind(record.keys) for record in records}

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    def link(one: int, other: int) -> None:
        one, other = root(one), root(other)
        if one != other:
            parent[one] = other
            for kind, values in strong[one].items():
                strong[other].setdefault(kind, set()).update(values)

    for weak in (False, True):
        holders: dict[str, list[int]] = defaultdict(list)
        for record in records:
            for key in record.keys:
                if key.startswith(WEAK) is weak:
                    holders[key].append(record.id)
        for ids in holders.values():
            for position, record_id in enumerate(ids):
                agreeing = (
                    o for o in ids[:position] if not (weak and _conflict(strong[root(o)], strong[root(record_id)]))
                )
                if (other := next(agreeing, None)) is not None:
                    link(record_id, other)
    groups: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        groups[root(record.id)].append(record)
    yield from groups.values()


def _by_kind(keys: Sequence[str]) -> dict[str, set[str]]:
    """The strong keys of a record by what stands before their colon."""
    kinds: dict[str, set[str]] = {}
    for key in keys:
        if not key.startswith(WEAK):
            kinds.setdefault(key.partition(":")[0], set()).add(key)
    return kinds


def _conflict(one: dict[str, set[str]], other: dict[str, set[str]]) -> bool:
    return any(not values & other[kind] for kind, values in one.items() if kind in other)


def mergers(records: Sequence[Record], fresh: Sequence[int]) -> list[Merged]:
    """For each fresh record the first other one that shares a key; of two fresh ones, the later tells."""
    by_key: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        for key in record.keys:
            by_key[key].append(record)
    group_of = {record.id: number for number, group in enumerate(components(records)) for record in group}
    age = {record_id: number for number, record_id in enumerate(fresh)}
    by_id = {record.id: record for record in records}
    found = []
    for record_id in dict.fromkeys(fresh):
        record = by_id[record_id]
        partners = (
            (other, key)
            for key in record.keys
            for other in by_key[key]
            if other.id != record_id
            and group_of[other.id] == group_of[record_id]
            and age.get(other.id, -1) < age[record_id]
        )
        if partner := next(partners, None):
            found.append(Merged(record.document.source, partner[0].document.source, partner[1]))
    return found
