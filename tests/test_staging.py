"""Records and documents: whatever happens in whatever order, the documents are what the records say."""

import itertools
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rag import ingest
from rag.library import Library, staging
from rag.library.catalog import Catalog
from rag.library.lookup import page
from rag.library.matching import Matching
from rag.library.staging import Staging
from rag.types import Document
from tests.library_parts import by_keys, paper

FILES = ("a.txt", "b.txt", "c.txt")
RECORDS = st.lists(
    st.tuples(st.integers(1, 4), st.sets(st.sampled_from("klmnop"), min_size=1, max_size=2), st.integers(0, 2)),
    max_size=4,
    unique_by=lambda row: row[0],
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("stage"), st.sampled_from(FILES), RECORDS),
        st.tuples(st.just("cut short"), st.sampled_from(FILES), RECORDS),
        st.tuples(st.just("prune"), st.sets(st.sampled_from(FILES))),
        st.tuples(st.just("remove"), st.sampled_from("klmnop")),
    ),
    max_size=8,
)


def documents_of(file, rows):
    return [paper(n, file=file, text=f"Text {variant} of {n}.", keys=sorted(keys)) for n, keys, variant in rows]


class Naive:
    """The same in dictionaries: per file its records, each with the content that it was removed from."""

    def __init__(self):
        self.files = {}
        self.digests = {}
        self.removed = {}

    def stage(self, file, digest, documents, *, is_whole):
        old = self.files.setdefault(file, {})
        fresh = {}
        for document in documents:
            was_removed = self.removed.get((file, document.source))
            if was_removed != digest or old.get(document.source) != document:
                self.removed.pop((file, document.source), None)
            fresh[document.source] = document
        gone = set(old) - set(fresh) if is_whole else set()
        for source in gone:
            self.removed.pop((file, source), None)
        self.files[file] = {source: d for source, d in {**old, **fresh}.items() if source not in gone}
        self.digests[file] = digest

    def prune(self, seen):
        for file in set(self.files) - seen:
            del self.files[file]
            self.removed = {place: d for place, d in self.removed.items() if place[0] != file}

    def remove(self, doc_id):
        for group in self.groups():
            if merged(group).id == doc_id:
                for file, document in group:
                    self.removed[file, document.source] = self.digests[file]

    def groups(self):
        groups = [
            [(file, document)]
            for file in sorted(self.files)
            for document in sorted(self.files[file].values(), key=lambda d: int(d.source.split("#")[1]))
            if (file, document.source) not in self.removed
        ]
        while pair := next((p for p in itertools.combinations(groups, 2) if keys(p[0]) & keys(p[1])), None):
            groups.remove(pair[1])
            pair[0].extend(pair[1])
            pair[0].sort(key=lambda row: (row[0], int(row[1].source.split("#")[1])))
        return groups


def keys(group):
    return {key for _, document in group for key in document.metadata["keys"]}


def merged(group):
    return by_keys().merge([document for _, document in group])


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_any_sequence_ends_like_the_naive_model(steps):
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog.create(Path(folder), {})
        staged, naive = Staging(catalog, by_keys()), Naive()
        for name, *values in steps:
            if name in {"stage", "cut short"}:
                file, rows = values
                documents, digest = documents_of(file, rows), repr(rows)
                is_whole = name == "stage"
                naive.stage(file, digest, documents, is_whole=is_whole)
                stage(staged, file, digest, documents, is_whole)
            elif name == "prune":
                naive.prune(values[0])
                staged.prune(["."], values[0])
            else:
                naive.remove(values[0])
                staged.remove(values)
            found, _ = page(catalog, 0, 100, None, "")
            expected = [merged(group) for group in naive.groups()]
            assert sorted(found, key=lambda d: d.id) == sorted(expected, key=lambda d: d.id)
        catalog.close()


def stage(staged, file, digest, documents, is_whole):
    def records():
        yield from documents
        if not is_whole:
            raise InterruptedError

    original, staging.BATCH = staging.BATCH, 1  # an interruption keeps whole batches
    try:
        staged.stage(file, digest, records())
    except InterruptedError:
        assert not is_whole
    finally:
        staging.BATCH = original


def test_two_groups_of_records_never_share_an_id(tmp_path):
    catalog = Catalog.create(tmp_path, {})
    matching = Matching(lambda d: d.metadata["keys"], lambda documents: documents[0])
    twins = [paper(1, file=file, keys=[file]) for file in FILES]  # all of them are called d1
    for twin in twins:
        Staging(catalog, matching).stage(twin.source, "x", [twin])
    assert sorted(d.id for d in page(catalog, 0, 9, None, "")[0]) == ["d1", "d1-2", "d1-3"]
    catalog.close()


def test_unchanged_records_are_not_written_again(tmp_path):
    catalog = Catalog.create(tmp_path, {})
    staged = Staging(catalog, by_keys())
    papers = [paper(n, keys=[f"k{n}"]) for n in range(1200)]
    assert staged.stage("a.txt", "1", papers).new == 1200
    before = catalog.rows("SELECT id, hash, json FROM records")
    counts = staged.stage("a.txt", "2", [*papers[:600], paper(600, keys=["k600"], year=1), *papers[601:]])
    assert (counts.new, counts.changed, counts.unchanged, counts.removed) == (0, 1, 1199, 0)
    after = catalog.rows("SELECT id, hash, json FROM records")
    assert sum(row not in set(before) for row in after) == 1
    catalog.close()


def test_what_is_left_when_a_record_goes_is_linked_again(tmp_path):
    def record(file, **metadata):
        return Document("", "Shared title", f"Text of {file}.", f"{file}#1", {"year": 2020, **metadata})

    matching = Matching(ingest.identity_keys, ingest.merge)
    with Library.open_or_create(tmp_path / "library", identity={}, matching=matching) as library:
        for file, doi in (("a", ""), ("b", "10.1/one"), ("c", "10.1/two")):
            library.stage(tmp_path / file, "digest", [record(file, **({"doi": doi} if doi else {}))])
        assert library.count() == 2
        library.prune([tmp_path], [tmp_path / "a", tmp_path / "c"])
        assert library.count() == 1


def test_papers_with_one_title_and_different_dois_stay_apart(tmp_path):
    def record(number, **metadata):
        text = f"Text number {number}."
        return Document("", "Editorial", text, f"f#{number}", {"year": 2020, **metadata})

    matching = Matching(ingest.identity_keys, ingest.merge)
    with Library.open_or_create(tmp_path / "library", identity={}, matching=matching) as library:
        records = [record(1, doi="10.1/a"), record(2, doi="10.1/b"), record(3, doi="10.1/a"), record(4)]
        counts = library.stage(tmp_path / "f", "digest", records)
        assert library.count() == 2
        assert [(merged.source, merged.into) for merged in counts.merged] == [("f#3", "f#1"), ("f#4", "f#1")]
