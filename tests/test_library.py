"""A library folder: killed, shared, copied and damaged, it never loses or doubles anything."""

import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from rag.errors import LibraryBusyError, LibraryDamagedError, LibraryError, LibraryMismatchError, LibraryMissingError
from rag.library import Filters, Library, store
from rag.library.locks import held_alone
from tests.library_parts import (
    IDENTITY,
    by_keys,
    contents,
    cut,
    disagreements,
    index_all,
    ingest_version,
    paper,
    processes,
    put,
    vector,
    write_file,
    write_forever,
)


@pytest.fixture
def library(tmp_path):
    with Library.open_or_create(tmp_path / ".footnote", identity=IDENTITY) as opened:
        yield opened


def test_what_is_indexed_is_found_by_meaning_and_by_words(library):
    papers = [paper(n) for n in range(1, 31)]
    put(library, "a.txt", papers)
    chunk, similarity = library.nearest("abstract", vector(papers[6].text), 3)[0]
    assert (chunk.doc_id, chunk.text, round(similarity, 5)) == ("d7", papers[6].text, 1.0)
    window = cut(papers[8]).windows[1][0]
    assert library.nearest("window", vector(window.text), 1)[0][0] == window
    assert library.bm25("thing7?", 5)[0][0] == "d7"
    assert library.bm25("thing7?", 5)[0][1] < library.bm25_bound("thing7?")
    assert library.documents(["d3", "nothing", "d1"]) == [papers[2], papers[0]]
    assert disagreements(library) == []


def test_nearest_is_sorted_complete_and_exact_on_a_small_library(library):
    put(library, "a.txt", [paper(n) for n in range(120)])
    query = vector("a question")
    pairs = library.vectors([f"d{n}" for n in range(120)], "window")
    expected = sorted(((-float(v @ query), chunk.id) for chunk, v in pairs))
    found = library.nearest("window", query, 1000)
    assert [chunk.id for chunk, _ in found] == [chunk_id for _, chunk_id in expected]
    assert [s for _, s in found] == pytest.approx([-s for s, _ in expected], abs=1e-5)
    allowed = {"d3", "d99", "unknown"}
    among = [chunk_id for _, chunk_id in expected if chunk_id.split(":")[0] in allowed]
    assert [chunk.id for chunk, _ in library.nearest("window", query, 3, allowed)] == among[:3]
    assert library.nearest("window", query, 3, set()) == []


def test_a_filter_that_passes_many_still_gets_its_hits_from_chroma(library, monkeypatch):
    monkeypatch.setattr("rag.library.nearest.ONE_BY_ONE", 0)
    put(library, "a.txt", [paper(n) for n in range(200)])
    query = vector("a question")
    allowed = {f"d{n}" for n in range(0, 200, 9)}
    everything = library.nearest("abstract", query, 200)
    expected = [chunk for chunk, _ in everything if chunk.doc_id in allowed][:10]
    assert [chunk for chunk, _ in library.nearest("abstract", query, 10, allowed)] == expected


def test_changed_records_replace_and_missing_ones_leave_no_ghosts(library):
    put(library, "a.txt", [paper(n) for n in range(10)])
    before = library.fingerprint()
    changed = paper(3, text="Entirely new words about giraffes.")
    counts = put(library, "a.txt", [paper(1), changed])
    assert (counts.new, counts.changed, counts.unchanged, counts.removed) == (0, 1, 1, 8)
    assert library.count() == 2
    assert [doc_id for doc_id, _ in library.bm25("giraffes circuits", 10)] == ["d3", "d1"]
    assert {chunk.doc_id for chunk, _ in library.nearest("abstract", vector("x"), 50)} == {"d1", "d3"}
    assert library.bm25("thing3", 5) == []
    assert library.fingerprint() != before
    assert disagreements(library) == []


def test_the_old_text_is_searched_until_the_new_one_has_its_vectors(library):
    put(library, "a.txt", [paper(1)])
    library.stage("a.txt", "2", [paper(1, text="New text.")])
    assert library.document("d1") == paper(1)
    assert library.nearest("abstract", vector(paper(1).text), 1)[0][0].text == paper(1).text
    assert [document.text for document in library.pending(5)] == ["New text."]
    library.index([cut(paper(1, text="Outdated text."))])
    assert library.pending_count() == 1
    index_all(library)
    assert library.document("d1").text == "New text."


def test_new_metadata_needs_no_new_vectors(library):
    put(library, "a.txt", [paper(1)])
    library.stage("a.txt", "2", [paper(1, year=1999)])
    assert library.pending_count() == 0
    assert library.allowed(Filters(year_from=1999)) == {"d1"}
    assert disagreements(library) == []


def test_a_removed_paper_stays_out_until_its_file_changes(library):
    papers = [paper(1), paper(2)]
    put(library, "a.txt", papers, "same")
    assert library.remove(["d1", "unknown"]) == 1
    assert library.unchanged("a.txt", "same")
    assert library.bm25("thing1", 5) == []
    put(library, "a.txt", papers, "same")
    assert library.count() == 1
    put(library, "a.txt", papers, "same", rebuild=True)
    assert library.count() == 2
    library.remove(["d1"])
    put(library, "a.txt", papers, "other")
    assert library.count() == 2
    assert disagreements(library) == []


def test_prune_deletes_only_what_is_gone_from_the_folders_named(library, tmp_path):
    for name in ("x/a.txt", "x/b.txt", "y/c.txt"):
        put(library, tmp_path / name, [paper(name[2])])
    assert library.prune([tmp_path / "x"], [tmp_path / "x/a.txt"]) == 1
    assert {document.id for document in library.list()[0]} == {"da", "dc"}
    assert library.prune([tmp_path], []) == 2
    assert disagreements(library) == []


def existing(file):
    file.parent.mkdir()
    file.touch()
    return file


def test_prune_leaves_what_is_there_and_could_not_be_read(library, tmp_path):
    file = existing(tmp_path / "x" / "a.txt")
    put(library, file, [paper("a")])
    assert library.prune([tmp_path / "x"], []) == 0
    file.unlink()
    assert library.prune([tmp_path / "x"], []) == 1


def test_prune_deletes_what_is_a_folder_now(library, tmp_path):
    file = existing(tmp_path / "x" / "notes")
    put(library, file, [paper("a")])
    file.unlink()
    existing(file / "b.txt")
    put(library, file / "b.txt", [paper("b")])
    assert library.prune([tmp_path / "x"], [file / "b.txt"]) == 1
    assert [document.id for document in library.list()[0]] == ["db"]


def test_a_file_is_one_file_however_it_is_named(library, tmp_path, monkeypatch):
    file = existing(tmp_path / "papers" / "a.txt")
    (tmp_path / "link").symlink_to(tmp_path / "papers")
    monkeypatch.chdir(tmp_path)
    put(library, file, [paper(1), paper(2)])
    assert put(library, "link/a.txt", [paper(1), paper(2)]).unchanged == 2
    assert put(library, "papers/../link/a.txt", [paper(1)]).removed == 1
    assert library.count() == 1
    file.unlink()
    assert library.prune(["link"], []) == 1


def test_a_file_name_that_is_no_text_is_a_name(library, tmp_path):
    put(library, os.fsdecode(bytes(tmp_path) + b"/caf\xe9.bib"), [paper(1)])
    assert library.count() == 1


def test_sources_and_names_are_found_without_case_and_accents(library):
    put(library, "ü.txt", [paper(1, file="Übersicht.bib", authors=["Łukasz Kaiser", "Jørgen Øre"])])
    for filters in (Filters(source="übersicht"), Filters(source="Ubersicht*"), Filters(author="lukasz")):
        assert library.list(filters=filters)[1] == 1
    assert library.list(text="ÜBER ore")[1] == 1


def test_duplicates_merge_across_files_and_part_again(tmp_path):
    with Library.open_or_create(tmp_path / "l", identity=IDENTITY, matching=by_keys()) as library:
        put(library, "a.txt", [paper(1, keys=["k1"]), paper(2, keys=["k2"])])
        counts = put(library, "b.txt", [paper(3, file="b.txt", keys=["k2", "k1"])])
        assert [(m.source, m.into, m.key) for m in counts.merged] == [("b.txt#3", "a.txt#2", "k2")]
        assert [document.id for document in library.list()[0]] == ["k1"]
        assert library.resolve("b.txt#3").id == library.resolve("a.txt#2").id == "k1"
        library.prune(["b.txt"], [])
        index_all(library)
        assert {document.id for document in library.list()[0]} == {"k1", "k2"}
        assert disagreements(library) == []


def test_a_reader_error_leaves_the_file_unfinished_and_keeps_what_came(library):
    def records():
        yield paper(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.stage("a.txt", "x", records())
    assert not library.unchanged("a.txt", "x")
    put(library, "a.txt", [paper(1), paper(2)], "x")
    assert library.unchanged("a.txt", "x")
    assert library.count() == 2


def test_a_missing_or_differing_library_says_what_to_do(tmp_path, library):
    with pytest.raises(LibraryMissingError, match="ingest PATH"):
        Library.open(tmp_path / "nowhere")
    with pytest.raises(LibraryMismatchError, match=r"embedder 'by hash', settings say 'b'.*--rebuild"):
        Library.open(library.folder, identity={"embedder": "b"})
    with pytest.raises(LibraryMismatchError, match="store"):
        Library.open(library.folder, store_url="http://localhost:1")


def test_rebuild_keeps_the_records_and_takes_the_new_identity(library):
    put(library, "a.txt", [paper(n) for n in range(20)], "x")
    library.remove(["d4"])
    library.close()
    with Library.rebuild(library.folder, identity={"embedder": "b"}) as anew:
        assert anew.identity == {"embedder": "b"}
        assert not anew.unchanged("a.txt", "x")
        assert anew.pending_count() == 19
        assert anew.nearest("abstract", vector("x"), 3) == []
        put(anew, "a.txt", [paper(n) for n in range(20)], "x")
        assert anew.count() == 20
        assert disagreements(anew) == []


def test_a_garbled_catalog_is_named_and_set_aside_by_a_rebuild(library):
    put(library, "a.txt", [paper(1)])
    library.close()
    (library.folder / "catalog.sqlite3").write_bytes(b"no database at all" * 400)
    with pytest.raises(LibraryDamagedError, match="--rebuild"):
        Library.open(library.folder)
    with Library.rebuild(library.folder, identity=IDENTITY) as anew:
        put(anew, "a.txt", [paper(2)])
        assert disagreements(anew) == []
    assert (library.folder / "catalog.damaged-1").exists()


def test_a_copied_folder_works(library, tmp_path):
    put(library, "a.txt", [paper(n) for n in range(20)])
    shutil.copytree(library.folder, tmp_path / "copy")
    with Library.open(tmp_path / "copy") as copy:
        assert contents(copy) == contents(library)
        put(copy, "b.txt", [paper(99)])
        assert disagreements(copy) == []
    assert library.count() == 20


@pytest.mark.parametrize("part", ["chroma", "lexical"])
def test_a_deleted_index_says_so(library, part):
    put(library, "a.txt", [paper(1)])
    library.close()
    shutil.rmtree(library.folder / part)
    with Library.open(library.folder) as opened:
        search = {
            "chroma": lambda: opened.nearest("abstract", vector("x"), 1),
            "lexical": lambda: opened.bm25("x", 1),
        }
        with pytest.raises(LibraryDamagedError, match="doctor --repair"):
            search[part]()
        with pytest.raises(LibraryDamagedError, match="doctor --repair"):
            put(opened, "b.txt", [paper(2)])


def test_an_index_saved_when_it_was_empty_may_be_made_anew_by_a_reader(library, monkeypatch):
    monkeypatch.setattr(store, "HNSW", {**store.HNSW, "sync_threshold": 10, "batch_size": 5})
    put(library, "a.txt", [paper(n) for n in range(12)])
    put(library, "a.txt", [paper(n, text=f"Another text {n}. It has two sentences.") for n in range(3)])
    library.close()
    for n in range(2):
        with Library.open(library.folder) as reader:
            assert len(reader.nearest("abstract", vector("x"), 5)) == 3 + n
        with Library.open(library.folder) as writer:
            put(writer, f"{n}.txt", [paper(100 + n, file=f"{n}.txt")])
            assert disagreements(writer) == []


def test_settings_are_saved_where_a_library_is_made(tmp_path):
    assert Library.saved_settings(tmp_path) == {}
    Library.open_or_create(tmp_path, identity=IDENTITY, settings={"embedder": "a"}).close()
    Library.open_or_create(tmp_path, identity=IDENTITY, settings={"embedder": "b"}).close()
    assert Library.saved_settings(tmp_path) == {"embedder": "a"}
    Library.rebuild(tmp_path, identity=IDENTITY, settings={"embedder": "b"}).close()
    assert Library.saved_settings(tmp_path) == {"embedder": "b"}
    (tmp_path / "catalog.sqlite3").write_bytes(b"no catalog")
    assert Library.saved_settings(tmp_path) == {}  # opening it says what is wrong


# -- several processes ------------------------------------------------------------------------------


def test_a_second_writer_waits_and_says_so(library):
    waited = []
    with library.writing(), Library.open(library.folder, lock_timeout_s=0.1) as other:
        writing = other.writing(on_wait=lambda: waited.append(1))
        with pytest.raises(LibraryBusyError, match="another process is writing"), writing:
            pass
        assert waited == [1]
        assert other.count() == 0  # readers need no lock


def test_a_search_works_while_another_process_has_yet_to_mend_what_a_kill_left(library):
    put(library, "a.txt", [paper(n) for n in range(50)])
    expected = library.nearest("window", vector("x"), 7)
    library.close()
    shutil.rmtree(library.folder / "chroma")
    with held_alone(library.folder / "write.lock", timeout_s=0), Library.open(library.folder) as reader:
        reader._catalog.put("dirty", "as a killed writer leaves it")
        found = reader.nearest("window", vector("x"), 7)
        assert [chunk for chunk, _ in found] == [chunk for chunk, _ in expected]
        assert reader.bm25("thing7", 1)[0][0] == "d7"
    with Library.open(library.folder) as reader:
        assert [chunk for chunk, _ in reader.nearest("window", vector("x"), 7)] == [c for c, _ in expected]
        assert disagreements(reader) == []


def test_twenty_kills_lose_and_double_nothing(tmp_path):
    folder = tmp_path / ".footnote"
    context = processes()
    moments = random.Random(7)
    for _ in range(20):
        started = context.Event()
        writer = context.Process(target=write_forever, args=(folder, started))
        writer.start()
        assert started.wait(30)
        time.sleep(moments.random() * 0.6)
        writer.kill()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        with Library.open(folder) as library:
            library.nearest("abstract", vector("x"), 3)  # the next command mends what was left
            library.finish()
            assert disagreements(library) == []
    with Library.open(folder) as library:
        ingest_version(library, 1234)
        with Library.open_or_create(tmp_path / "unkilled", identity=IDENTITY) as unkilled:
            ingest_version(unkilled, 1234)
            assert contents(library) == contents(unkilled)


def test_two_writers_and_a_reader_at_once(tmp_path):
    folder = tmp_path / ".footnote"
    context = processes()
    started = context.Event()
    writers = [context.Process(target=write_file, args=(folder, f, started)) for f in ("a.txt", "b.txt")]
    for writer in writers:
        writer.start()
    started.wait(30)
    with Library.open_or_create(folder, identity=IDENTITY) as reader:
        looks = 0
        while any(writer.is_alive() for writer in writers):
            for chunk, _ in reader.nearest("window", vector("x"), 10):
                assert chunk.text
            for doc_id, _ in reader.bm25("text sentence", 10):
                assert doc_id[0] in "ab"
            looks += 1
        assert [writer.exitcode for writer in writers] == [0, 0]
        assert looks > 5
        with Library.open_or_create(tmp_path / "one", identity=IDENTITY) as alone:
            ingest_version(alone, 9, ["a.txt", "b.txt"])
            assert contents(reader) == contents(alone)
            assert disagreements(reader) == []


@pytest.fixture
def small_disk(tmp_path):
    """Makes a disk of so many KiB, and takes it away again; only the administrator may."""
    place = tmp_path / "disk"
    place.mkdir()

    def mounted(size):
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", place], stderr=subprocess.DEVNULL
        ).returncode:
            pytest.skip("no disk can be mounted here")
        return place

    yield mounted
    subprocess.run(["umount", place], stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("size", [300, 900, 1500])
def test_a_full_disk_is_told_as_one_and_with_room_again_the_next_command_goes_on(small_disk, size):
    folder = small_disk(size) / "library"
    papers = [paper(n) for n in range(300)]
    with pytest.raises(LibraryError, match="is full"), Library.open_or_create(folder, identity=IDENTITY) as library:
        put(library, "a.txt", papers)
    subprocess.run(["mount", "-o", "remount,size=30m", folder.parent], check=True)
    with Library.open_or_create(folder, identity=IDENTITY) as library:
        put(library, "a.txt", papers)
        assert disagreements(library) == []
        assert len(library.bm25("circuits", 1000)) == 300
