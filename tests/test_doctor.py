"""Planted damage: each is named by the doctor, and what can be mended is mended."""

import os
import shutil

import pytest

from rag.errors import LibraryDamagedError
from rag.library import Library
from rag.library.doctor import store_faults
from rag.library.store import HNSW, Entry
from tests.library_parts import IDENTITY, contents, disagreements, paper, put, vector


@pytest.fixture
def library(tmp_path, monkeypatch):
    # So that Chroma has vectors on disk that can be damaged.
    monkeypatch.setattr("rag.library.store.HNSW", {**HNSW, "sync_threshold": 20, "batch_size": 10})
    with Library.open_or_create(tmp_path / ".footnote", identity=IDENTITY) as opened:
        put(opened, "a.txt", [paper(n) for n in range(60)])
        yield opened


def garble(path):
    path.write_bytes(os.urandom(path.stat().st_size))


def halve(path):
    os.truncate(path, path.stat().st_size // 2)


def vectors_on_disk(folder, name):
    return next(path for path in (folder / "chroma").glob(f"*/{name}") if path.stat().st_size)


DAMAGE = {
    "chroma deleted": ("chroma", lambda f: shutil.rmtree(f / "chroma")),
    "chroma database cut": ("chroma", lambda f: halve(f / "chroma/chroma.sqlite3")),
    "chroma database garbled": ("chroma", lambda f: garble(f / "chroma/chroma.sqlite3")),
    "chroma header cut": ("chroma", lambda f: halve(vectors_on_disk(f, "header.bin"))),
    "chroma vectors cut": ("chroma", lambda f: halve(vectors_on_disk(f, "data_level0.bin"))),
    "chroma vectors garbled": ("chroma", lambda f: garble(vectors_on_disk(f, "data_level0.bin"))),
    "chroma ids gone": ("chroma", lambda f: vectors_on_disk(f, "index_metadata.pickle").unlink()),
    "lexical deleted": ("lexical", lambda f: shutil.rmtree(f / "lexical")),
    "lexical meta garbled": ("lexical", lambda f: garble(f / "lexical/meta.json")),
    "lexical meta cut": ("lexical", lambda f: halve(f / "lexical/meta.json")),
    "lexical words gone": ("lexical", lambda f: [path.unlink() for path in f.glob("lexical/*.term")]),
    "description gone": ("library.json", lambda f: (f / "library.json").unlink()),
    "description garbled": ("library.json", lambda f: garble(f / "library.json")),
    "leftover": (".new-x", lambda f: (f / ".new-x").mkdir()),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_mended(library, monkeypatch, name):
    part, damage = DAMAGE[name]
    if part != "chroma":  # only Chroma needs to be looked at by another process, which takes a second
        monkeypatch.setattr("rag.library.doctor._store_faults_aside", store_faults)
    before = contents(library)
    library.close()
    damage(library.folder)
    with Library.open(library.folder) as opened:
        findings = opened.doctor()
        assert [finding.part for finding in findings][:1] == [part]
        assert not any(finding.mended for finding in findings)
        assert all("footnote doctor --repair" in finding.mend for finding in findings)
        assert all(finding.mended for finding in opened.doctor(repair=True))
        assert contents(opened) == before
        assert disagreements(opened) == []


@pytest.mark.parametrize("name", [n for n, (part, _) in DAMAGE.items() if part == "chroma" and "vectors garb" not in n])
def test_damaged_vectors_are_never_searched_silently(library, name):
    library.close()
    DAMAGE[name][1](library.folder)
    with Library.open(library.folder) as opened, pytest.raises(LibraryDamagedError, match="doctor --repair"):
        opened.nearest("abstract", vector("x"), 3)


def test_a_library_in_order_has_no_findings(library):
    assert library.doctor() == []
    assert library.doctor(repair=True) == []


def test_foreign_and_missing_entries_are_found_both_ways(library):
    ghost = paper(1000)
    chunk = library.chunks("d1", "abstract")[0]
    with library._indexes.store() as store:
        store.upsert("abstract", [Entry(type(chunk)("d1000", 0, 3, "abc"), ghost, vector("ghost"))])
        store.delete("window", [library.chunks("d2", "window")[0].id])
    with library._indexes.words() as words:
        words.write(gone=["d5"], documents=[ghost])
    assert library.nearest("abstract", vector("ghost"), 1)[0][0].doc_id != "d1000"
    assert "d1000" not in dict(library.bm25("circuits", 100))
    problems = {(finding.part, finding.problem) for finding in library.doctor()}
    assert problems == {
        ("chroma", "abstract index: 1 entries do not belong there"),
        ("chroma", "window index: 1 entries are missing"),
        ("lexical", "index: 1 entries do not belong there"),
        ("lexical", "index: 1 entries are missing"),
    }
    assert all(finding.mended for finding in library.doctor(repair=True))
    assert disagreements(library) == []


def test_vectors_that_differ_from_the_catalog_are_found(library):
    chunk = library.chunks("d1", "abstract")[0]
    with library._indexes.store() as store:
        store.upsert("abstract", [Entry(chunk, paper(1), vector("something else"))])
    assert [f.problem for f in library.doctor()] == ["abstract index: 1 vectors are not those of the catalog"]


def test_loose_rows_in_the_catalog_are_found_and_mended(library):
    library._catalog.run("DELETE FROM records WHERE doc_id = 'd3'")
    library._catalog.run("UPDATE chunks SET vectors = x'00000000' WHERE doc_id = 'd7' AND kind = 'window'")
    problems = [finding.problem for finding in library.doctor() if finding.part == "catalog"]
    assert problems == ["1 documents that no file has", "1 chunks whose vectors do not fit"]
    assert all(f.mended for f in library.doctor(repair=True) if f.part != "documents")
    assert [f.problem for f in library.doctor()] == ["1 papers wait for their vectors"]


def test_papers_that_lost_their_vectors_or_their_row_come_back(library):
    before = contents(library)
    library._catalog.run("UPDATE chunks SET vectors = x'00000000' WHERE rowid = (SELECT min(rowid) FROM chunks)")
    library._catalog.run("DELETE FROM chunks WHERE doc_id = 'd3'")
    library._catalog.run("DELETE FROM documents WHERE id = 'd7'")
    problems = [finding.problem for finding in library.doctor(repair=True) if finding.part == "catalog"]
    assert problems == [
        "2 chunks of documents that do not exist",
        "1 chunks whose vectors do not fit",
        "1 documents whose vectors are gone",
        "1 records whose document is gone",
    ]
    assert library.pending_count() == 2
    assert [f.part for f in library.doctor()] == ["files", "documents"]
    put(library, "a.txt", [paper(n) for n in range(60)])
    assert contents(library) == before
    assert not library.doctor()


def test_a_damaged_catalog_is_not_mended_but_named(library):
    library.close()
    path = library.folder / "catalog.sqlite3"
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 8))
    with Library.open(library.folder) as opened:
        finding = opened.doctor(repair=True)[0]
    assert (finding.part, finding.mended) == ("catalog", False)
    assert "footnote ingest --rebuild" in finding.mend


def test_unfinished_work_is_named(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.txt").touch()

    def records():
        yield paper(100)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        library.stage("b.txt", "x", records())
    library.stage("c.txt", "x", [paper(101)])
    problems = [finding.problem for finding in library.doctor()]
    assert problems[0].endswith("b.txt was not read to its end")
    assert problems[1:] == ["1 papers wait for their vectors"]
