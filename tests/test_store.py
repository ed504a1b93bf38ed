"""Chroma: what goes in comes out, for us, for other processes, on a server, and for llama-index."""

import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.errors import LibraryDamagedError, ServerError
from rag.library import Library
from rag.library.store import PAGE, Entry, Store, discard, signature
from rag.types import Chunk
from tests.library_parts import IDENTITY, contents, cut, disagreements, paper, put, vector


def entries(numbers):
    return [
        Entry(Chunk(paper(n).id, 0, 9, paper(n).text[:9]), paper(n, year=2000 + n), vector(f"text {n}"))
        for n in numbers
    ]


@pytest.fixture
def store(tmp_path):
    with closing(Store(tmp_path / "chroma", "x", create=True)) as opened:
        yield opened


def test_upsert_query_and_delete(store):
    store.upsert("window", entries(range(20)))
    store.upsert("window", entries(range(5)))
    found = store.query("window", vector("text 7"), 100)
    assert len(found) == store.count("window") == 20
    assert found[0] == ("d7:0-9", pytest.approx(1.0, abs=1e-5))
    expected = sorted((float(vector(f"text {n}") @ vector("text 7")) for n in range(20)), reverse=True)
    assert [similarity for _, similarity in found] == pytest.approx(expected, abs=1e-5)
    store.delete("window", ["d7:0-9", "unknown"])
    assert "d7:0-9" not in dict(store.query("window", vector("text 7"), 100))
    assert store.count("abstract") == 0
    assert store.query("abstract", vector("x"), 3) == []


def test_more_rows_than_one_call_takes(store):
    store.upsert("window", entries(range(PAGE + 1)))
    assert len(dict(store.vectors("window"))) == PAGE + 1
    assert dict(store.vectors("window"))["d3:0-9"] == pytest.approx(vector("text 3"), abs=1e-6)
    store.delete("window", [entry.chunk.id for entry in entries(range(PAGE + 1))])
    assert store.count("window") == 0


def test_two_clients_of_one_process_do_not_share_their_memory(store):
    """What makes opening anew show what others have written."""
    store.upsert("abstract", entries([1]))
    with closing(Store(store.place, "x")) as reader:
        reader.query("abstract", vector("text 1"), 1)
        store.upsert("abstract", entries([2]))
        assert dict(reader.query("abstract", vector("text 2"), 2)).keys() == {"d1:0-9"}  # Chroma's, not ours
    with closing(Store(store.place, "x")) as reader:
        assert dict(reader.query("abstract", vector("text 2"), 2)).keys() == {"d1:0-9", "d2:0-9"}


def test_a_signature_changes_when_vectors_are_saved(tmp_path, monkeypatch):
    monkeypatch.setattr("rag.library.store.HNSW", {"space": "cosine", "sync_threshold": 20, "batch_size": 10})
    with closing(Store(tmp_path / "chroma", "x", create=True)) as store:
        store.upsert("window", entries(range(15)))
        before = signature(tmp_path / "chroma")
        store.query("window", vector("x"), 1)
        assert signature(tmp_path / "chroma") == before
        store.upsert("window", entries(range(15, 40)))
        assert signature(tmp_path / "chroma") != before


def test_a_missing_or_useless_folder_is_named(tmp_path):
    with pytest.raises(LibraryDamagedError, match=r"doctor --repair"):
        Store(tmp_path / "chroma", "x")
    (tmp_path / "chroma").mkdir()
    (tmp_path / "chroma/chroma.sqlite3").write_bytes(b"nothing" * 1000)
    with pytest.raises(LibraryDamagedError, match=r"doctor --repair"):
        Store(tmp_path / "chroma", "x")
    discard(tmp_path / "chroma")
    Store(tmp_path / "chroma", "x", create=True).close()


def test_an_unreachable_server_is_named():
    with pytest.raises(ServerError, match="http://localhost:9"):
        Store("http://localhost:9", "x")


# -- a server -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chroma = Path(sys.executable).with_name("chroma")
    folder = tmp_path_factory.mktemp("server")
    command = [chroma, "run", "--path", folder, "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield url
        process.kill()


def test_a_library_on_a_server_works_the_same(server, tmp_path):
    libraries = [
        Library.open_or_create(tmp_path / name, identity=IDENTITY, store_url=url)
        for name, url in {"one": server, "two": server, "local": ""}.items()
    ]
    for library in libraries:
        put(library, "a.txt", [paper(n) for n in range(30)])
        put(library, "a.txt", [paper(n, text=f"Other text {n * n}." if n % 2 else None) for n in range(20)])
        assert disagreements(library) == []
    one, two, local = libraries
    assert contents(one) == contents(two) == contents(local)
    two.remove(["d1"])
    assert one.nearest("abstract", vector(one.document("d1").text), 1)[0][0].doc_id == "d1"
    one._indexes.rebuild()
    assert disagreements(one) == disagreements(two) == []
    assert not (tmp_path / "one/chroma").exists()
    for library in libraries:
        library.close()


# -- llama-index --------------------------------------------------------------------------------------


def test_a_stock_llama_index_store_opens_the_abstracts(tmp_path):
    import chromadb
    from llama_index.core import MockEmbedding, VectorStoreIndex
    from llama_index.core.schema import QueryBundle
    from llama_index.vector_stores.chroma import ChromaVectorStore

    with Library.open_or_create(tmp_path / "l", identity=IDENTITY) as library:
        put(library, "a.txt", [paper(n, year=1990 + n, venue="Nature") for n in range(9)])
        expected = cut(paper(4)).abstracts[0][0]
    collection = chromadb.PersistentClient(str(tmp_path / "l/chroma")).get_collection("abstracts")
    index = VectorStoreIndex.from_vector_store(
        ChromaVectorStore(chroma_collection=collection), embed_model=MockEmbedding(embed_dim=16)
    )
    query = QueryBundle("x", embedding=np.asarray(vector(expected.text)).tolist())
    node = index.as_retriever(similarity_top_k=2).retrieve(query)[0].node
    assert (node.node_id, node.ref_doc_id) == (expected.id, "d4")
    assert node.text == expected.text
    assert (node.start_char_idx, node.end_char_idx) == (expected.start, expected.end)
    assert node.metadata == {
        "doc_id": "d4",
        "title": paper(4).title,
        "source": "a.txt#4",
        "year": 1994,
        "venue": "Nature",
        "start": 0,
        "end": len(expected.text),
    }
    assert node.get_content("llm").count("\n") == 2  # the title, a blank line, the text
