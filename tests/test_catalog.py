"""The catalog: whole transactions, several processes, read-only folders, and looking papers up."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rag.errors import (
    BadInputError,
    DocumentNotFoundError,
    LibraryBusyError,
    LibraryDamagedError,
    LibraryMismatchError,
)
from rag.library import Filters, Library
from rag.library.catalog import Catalog
from rag.library.locks import FileLock, held_alone
from rag.library.packing import chunk_from, document_from, document_to
from tests.library_parts import IDENTITY, cut, paper, put, vector


@pytest.fixture
def catalog(tmp_path):
    opened = Catalog.create(tmp_path, {"a": "b"})
    yield opened
    opened.close()


def test_a_document_is_stored_as_it_is():
    document = paper(1, text="“Naïve”\u00a0text 𝔘\n\x00", authors=["Ü"], year=1)
    assert document_from(document_to(document)) == document


def test_chunks_come_back_with_exact_text_and_vectors(catalog):
    document = paper(1, text="Zwölf Boxkämpfer 𝔘𝔫 here. And there.")
    catalog.run(
        "INSERT INTO documents VALUES (1, 'd1', ?, '', 1, NULL, '', '', 1, '', '', '', '')", document_to(document)
    )
    item = cut(document)
    catalog.put_chunks("d1", "window", item.windows)
    found = catalog.vectors(["nothing", "d1"], "window")
    assert [chunk for chunk, _ in found] == [chunk for chunk, _ in item.windows]
    assert all((a == b).all() for (_, a), (_, b) in zip(found, item.windows, strict=True))
    assert chunk_from(found[1][0].id, document.text) == found[1][0]
    catalog.put_chunks("d1", "window", item.windows[:1])
    assert catalog.rows("SELECT * FROM stale") == [("window", item.windows[1][0].id)]
    catalog.put_chunks("d1", "window", item.windows)
    assert catalog.rows("SELECT * FROM stale") == []


def test_a_transaction_is_whole_or_nothing(catalog):
    def fail():
        with catalog.transaction():
            catalog.put("a", "c")
            with catalog.transaction():
                catalog.put("d", "e")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (catalog.get("a"), catalog.get("d", "nothing")) == ("b", "nothing")


def test_another_version_says_what_to_do(catalog):
    catalog.run("PRAGMA user_version = 999")
    with pytest.raises(LibraryMismatchError, match=r"format 999.*footnote .*ingest --rebuild"):
        Catalog(catalog.path.parent)
    catalog.run("PRAGMA application_id = 7")
    with pytest.raises(LibraryDamagedError, match="not a catalog"):
        Catalog(catalog.path.parent)


def test_a_lock_of_somebody_else_is_named(catalog, monkeypatch):
    monkeypatch.setattr("rag.library.catalog.BUSY_S", 0.05)
    second = Catalog(catalog.path.parent)
    with catalog.transaction(), pytest.raises(LibraryBusyError, match="another process"):
        second.put("x", "y")
    second.close()


# -- read-only ----------------------------------------------------------------------------------------

SEARCH = """
import os, sys, tempfile
import chromadb, portalocker, tantivy  # while this process may read them
chromadb.PersistentClient(tempfile.mkdtemp())  # and what Chroma imports only now
from rag.library import Library
from rag.library.doctor import store_faults
from tests.library_parts import paper, put, vector
query = vector(paper(3).text)
if os.getuid() == 0:  # nothing is read-only for root
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
library = Library.open(sys.argv[1])
print(library.nearest("abstract", query, 1)[0][0].doc_id, library.bm25("thing5", 1)[0][0])
try:
    put(library, "b.txt", [paper(9)])
except Exception as error:
    print(error)
print(store_faults(sys.argv[1]))
"""


@pytest.mark.skipif(os.name != "posix", reason="rights are those of POSIX")
@pytest.mark.parametrize("is_killed", [False, True])
def test_a_read_only_folder_can_be_searched(is_killed):
    """Also when its last transactions are still beside the catalog, as a kill leaves them."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "library"
        library = Library.open_or_create(folder, identity=IDENTITY)
        put(library, "a.txt", [paper(n) for n in range(9)])
        if is_killed:
            shutil.copytree(folder, Path(root) / "killed")
            folder = Path(root) / "killed"
            assert (folder / "catalog.sqlite3-wal").stat().st_size
        library.close()
        for path in (Path(root), *folder.rglob("*"), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        environment = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "HOME": "/"}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SEARCH, folder],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd="/",
        )
        for path in (Path(root), folder, *folder.rglob("*")):
            path.chmod(0o755)
    assert done.stdout.splitlines()[:1] == ["d3 d5"], done.stderr
    assert "can be searched but not ingested" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


# -- looking up ---------------------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path):
    papers = [
        paper(1, title="Naïve Édges", year=2020, venue="NeurIPS", authors=["Ana Müller"], arxiv_id="2001.00001v2"),
        paper(2, title="Naive edges, continued", year=2021, venue="ICML", doi="10.1000/xyz"),
        paper(3, title="Something else", authors=["B. Smith", "C. Jones"], venue="Workshop at NeurIPS"),
        paper(4, title="", file="notes [draft].txt"),
    ]
    with Library.open_or_create(tmp_path / "l", identity=IDENTITY) as opened:
        put(opened, "a.txt", papers)
        yield opened


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("d2", "d2"),
        ("a.txt#3", "d3"),
        (" 2001.00001 ", "d1"),
        ("arXiv:2001.00001v7", "d1"),
        ("https://arxiv.org/abs/2001.00001", "d1"),
        ("https://arxiv.org/abs/2001.00001/", "d1"),
        ("[arXiv 2001.00001]", "d1"),
        ("https://doi.org/10.1000/XYZ", "d2"),
        ("naive EDGES", "d1"),
        ("somethi", "d3"),
        ("notes [draft].txt#4", "d4"),
    ],
)
def test_a_reference_is_resolved(library, reference, expected):
    assert library.resolve(reference).id == expected


def test_an_unknown_or_ambiguous_reference_names_the_nearest(library):
    with pytest.raises(DocumentNotFoundError, match=r"did you mean d3 .*Something else"):
        library.resolve("Some thing els")
    with pytest.raises(DocumentNotFoundError, match=r"ambiguous.*d1 .*d2 "):
        library.resolve("naive")
    with pytest.raises(DocumentNotFoundError, match="footnote list"):
        library.resolve("%_zzz' OR 1 --")
    with pytest.raises(DocumentNotFoundError, match="caf"):
        library.resolve("caf\udce9")
    with pytest.raises(DocumentNotFoundError, match="did you mean d3"):
        library.resolve("somethi", in_full=True)
    with pytest.raises(BadInputError):
        library.resolve("  ")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(year_from=2021), {"d2"}),
        (Filters(year_to=2020), {"d1"}),
        (Filters(venue="neurips"), {"d1", "d3"}),
        (Filters(author="muller"), {"d1"}),
        (Filters(author="Müller, Ana"), {"d1"}),
        (Filters(author="JONES", venue="icml"), set()),
        (Filters(source="notes [d"), {"d4"}),
        (Filters(source="*[draft]*#?"), {"d4"}),
        (Filters(source="A.TXT"), {"d1", "d2", "d3"}),
    ],
)
def test_filters(library, filters, expected):
    assert library.allowed(filters) == expected
    assert {document.id for document in library.list(0, 9, filters)[0]} == expected
    assert {chunk.doc_id for chunk, _ in library.nearest("abstract", vector("x"), 9, expected)} == expected


def test_no_filter_allows_everything(library):
    assert library.allowed(Filters()) is None
    assert library.allowed(None) is None
    assert [d.id for d in library.list(1, 2)[0]] == ["d2", "d3"]
    assert library.list(0, 9, text="edges NAIVE")[1] == 2
    assert list(library.years()) == [(2020, 1), (2021, 1)]


# -- locks --------------------------------------------------------------------------------------------


def test_readers_share_and_a_writer_is_alone(tmp_path):
    lock = FileLock(tmp_path / "index.lock")
    with lock.shared(timeout_s=0), lock.shared(timeout_s=0):
        with pytest.raises(LibraryBusyError), lock.exclusive(timeout_s=0.05):
            pass
        with lock.shared(timeout_s=0):
            pass
    with lock.exclusive(timeout_s=0), pytest.raises(LibraryBusyError), lock.shared(timeout_s=0.05):
        pass
    with lock.exclusive(timeout_s=0):
        pass


def test_a_lock_ends_with_its_process(tmp_path):
    code = f"""
import os, pathlib
from rag.library.locks import held_alone
with held_alone(pathlib.Path({str(tmp_path / "w")!r}), timeout_s=0):
    os.kill(os.getpid(), 9)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == -9
    with held_alone(tmp_path / "w", timeout_s=0):
        pass
