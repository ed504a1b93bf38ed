"""Files as they come: missing, empty, binary, cut off, bombs, wrong encodings, and random bytes."""

import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import IngestError
from rag.ingest import Rejection, file_digest, find_files, read_file
from rag.types import Document

_ROW = {
    "title": "Ferns",
    "abstract": "Ferns grow in shade. We asked why.",
    "authors": ["Ada Reed"],
    "year": 2020,
}
_ATOM = (
    '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Ferns</title>'
    "<summary>Ferns grow.</summary><author><name>Ada Reed</name></author></entry></feed>"
)
_PUBMED = (
    "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article>"
    "<ArticleTitle>Ferns</ArticleTitle>"
    '<Abstract><AbstractText Label="AIM">Ferns &amp; moss.</AbstractText></Abstract>'
    "</Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
)
SAMPLES = {
    name: text.encode()
    for name, text in {
        "a.txt": "Ferns\n\nSome Letters\n\n" + "Ferns grow in shade. " * 20 + "\n\n\nAbstract:Moss grows. It is green.",
        "a.md": "# Ferns\n\nFerns grow in shade.",
        "a.jsonl": json.dumps(_ROW) + "\n" + json.dumps({"abstract_inverted_index": {"Ferns": [0], "grow.": [1]}}),
        "a.json": json.dumps({"papers": [_ROW, _ROW]}, indent=1),
        "a.bib": '@article{reed, title={F{\\"e}rns}, author={Reed, A and Li, B}, abstract={Ferns \\& moss.}}',
        "a.ris": "TY  - JOUR\nTI  - Ferns\nAU  - Reed, Ada\nAB  - Ferns grow.\nUR  - x\nER  - \n",
        "a.nbib": "PMID- 1\nTI  - Ferns\nAB  - Ferns grow\n      in shade.\nFAU - Reed, Ada\n",
        "a.csv": 'title,abstract,year\nFerns,"Ferns, and moss.",2020\n',
        "a.tsv": "title\tabstract\nFerns\tFerns grow.\n",
        "a.xml": _ATOM,
        "b.xml": _PUBMED,
    }.items()
}
LINE = json.dumps({"title": "Ferns", "abstract": "Ferns grow in shade. We asked why."}) + "\n"
FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    outcomes = list(read_file(path))
    assert all(isinstance(outcome, Document | Rejection) for outcome in outcomes)
    documents = [outcome for outcome in outcomes if isinstance(outcome, Document)]
    return documents, [outcome for outcome in outcomes if isinstance(outcome, Rejection)]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"", "file is empty"),
        ("a.jsonl", b" \n\r\n\t", "file is empty"),
        ("a.bib", b"\xef\xbb\xbf", "file is empty"),
        ("a.txt.gz", gzip.compress(b""), "file is empty"),
        ("a.txt", b"%PDF-1.7\n%\xe2\xe3", "PDFs are not read, abstracts are"),
        ("a.csv", b"PK\x03\x04rest", "zip"),
        ("a.txt", b"words\x00with\x00nul", "binary"),
        ("a.md", bytes(range(256)) * 9, "binary"),
        ("a.json.gz", gzip.compress(gzip.compress(b"{}")), "compressed twice"),
        ("a.txt", b"<!DOCTYPE html><html><body>Text</body></html>", "HTML is not read"),
        ("a.xml", b"<?xml version='1.0'?><rss><channel/></rss>", "another kind (<rss>)"),
        ("a.json", b'{"title": "x", "abstract": ', "not valid JSON"),
        ("a.json", b"[" * 100_000, "not valid JSON"),
        ("a.jsonl", b"[1]\n", "must be a JSON object"),
        ("a.jsonl", b"not json at all\n", "not valid JSON"),
        ("a.json", b'{"abstract": ' + b"9" * 5000 + b"}", "not usable JSON"),
        ("a.jsonl", b'{"abstract": "x", "year": ' + b"[" * 900 + b"]" * 900 + b"}", "nested too deeply"),
        ("a.bib", b"no entries here", "no record found"),
        ("a.ris", b"no records here", "no record found"),
        ("a.nbib", b"no records here", "no record found"),
        ("a.csv", b"a,b\n1,2\n", "no header"),
        ("a.txt", b"*** --- ***", "no abstract"),
        ("a.txt", b"x " * 150_000, "at most 200,000"),
        ("a.xyz", b"unknown text", "unknown kind of file (.xyz)"),
    ],
)
def test_bad_file_is_one_rejection_with_its_reason(tmp_path, name, data, reason):
    documents, (rejection,) = read(tmp_path / name, data)
    assert not documents
    assert reason in rejection.reason
    assert rejection.file == str(tmp_path / name)
    assert "\n" not in str(rejection)


def test_what_the_disk_refuses_is_not_taken_for_an_empty_file(tmp_path):
    for path in (tmp_path / "absent.txt", tmp_path):
        with pytest.raises((FileNotFoundError, IsADirectoryError)):
            next(read_file(path))
    with pytest.raises(IngestError, match="too long"):
        find_files([tmp_path / ("n" * 300)])


def test_absurd_records_do_not_stop_the_others(tmp_path):
    rows = [
        {"title": "long", "abstract": "word " * 50_000},
        {"title": "t" * 9000, "abstract": "Short."},
        {"title": ["list"], "abstract": {"value": "In an object."}, "year": [[]], "authors": 7, "doi": {}},
        {"title": None, "abstract": None},
        {"title": 5, "abstract": ["Two", "parts."], "year": 20_000, "keywords": "a; b", "url": "x"},
    ]
    documents, rejections = read(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert [document.text for document in documents] == ["In an object.", "Two\nparts."]
    assert [document.title for document in documents] == ["list", "5"]
    assert [rejection.place for rejection in rejections] == ["line 1", "line 2", "line 4"]


@pytest.mark.parametrize("end", ["p in (0,1].", "w (and all of [0, 1))."])
def test_whole_abstracts_that_end_in_an_odd_bracket_are_not_truncated(tmp_path, end):
    (document,), _ = read(tmp_path / "a.jsonl", json.dumps({"abstract": f"We choose {end}"}))
    assert "truncated" not in document.metadata


def test_control_characters_and_surrogates(tmp_path):
    row = {
        "title": "A\u001b[31m\u0000B",
        "abstract": "one\x07two\x1b[0m\r\nthree\t\ud800four\x9bfive",
        "authors": ["\x1bAda"],
    }
    (document,), _ = read(tmp_path / "a.jsonl", json.dumps(row))
    assert document.title == "A [31m B"
    assert document.text == "one two [0m\nthree\t\ufffdfour five"
    assert document.metadata["authors"] == ["Ada"]


@pytest.mark.parametrize(
    "name", ["a.jsonl.gz", "a.txt.gz", "a.json.gz", "a.csv.gz", "a.bib.gz", "a.ris.gz", "a.xml.gz"]
)
def test_cut_archive_gives_what_came_before(tmp_path, name):
    kind = name.split(".")[1]
    many = {
        "jsonl": LINE * 3000,
        "json": "[" + ",".join([LINE] * 3000) + "]",
        "txt": "\n".join(f"Abstract:{'Ferns grow and grow. ' * 20}{n}." for n in range(300)),
        "csv": "title,abstract\n" + "Ferns,Ferns grow.\n" * 3000,
        "bib": "\n".join(f"@misc{{k{n}, title={{Ferns}}, abstract={{Ferns grow {n}.}}}}" for n in range(300)),
        "ris": "TY  - JOUR\nTI  - Ferns\nAB  - Ferns grow.\nER  - \n" * 3000,
        "xml": SAMPLES["a.xml"].decode().replace("</feed>", "") + "<entry><summary>Ferns.</summary></entry>" * 9000,
    }[kind]
    packed = gzip.compress(many.encode())
    documents, rejections = read(tmp_path / name, packed[: len(packed) * 3 // 4])
    assert len(documents) > 10
    assert "cut off" in rejections[-1].reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "latin-1"])
def test_encodings(tmp_path, encoding):
    text = "Ferns of São Tomé grow in shade. We asked Müller why they do, and he said that they like it there."
    data = text.encode(encoding)
    data = b"\xff\xfe" + data if encoding == "utf-16-le" else data
    (document,), _ = read(tmp_path / "a.txt", data)
    assert document.text == text


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        ("cp1251", "Мы изучаем большие языковые модели и их свойства"),
        ("shift_jis", "私たちは言語モデルを研究する。これは要約です"),
    ],
)
def test_other_scripts(tmp_path, encoding, word):
    (document,), _ = read(tmp_path / "a.txt", f"{word}.".encode(encoding))
    assert document.text == f"{word}."


def test_declared_encoding_of_xml(tmp_path):
    data = SAMPLES["a.xml"].decode().replace("utf-8", "iso-8859-2").replace("Ada Reed", "Łukasz Żak")
    (document,), _ = read(tmp_path / "a.xml", data.encode("iso-8859-2"))
    assert document.metadata["authors"] == ["Łukasz Żak"]


def test_a_damaged_byte_leaves_utf8_in_place(tmp_path):
    documents, _ = read(tmp_path / "a.jsonl", LINE.replace("Ferns", "Färne").encode() * 40 + b'{"abstract": "b\xffd."}')
    assert (documents[0].title, documents[-1].text) == ("Färne", "b\ufffdd.")


@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE feed [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><feed>&b;</feed>',
        '<!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/hostname">]><feed>&x;</feed>',
    ],
)
def test_entity_bombs_are_rejected(tmp_path, bomb):
    documents, (rejection,) = read(tmp_path / "a.xml", f"<?xml version='1.0'?>{bomb}")
    assert not documents
    assert "entity definitions" in rejection.reason


def test_open_quotation_mark_in_a_table_does_not_swallow_the_rest(tmp_path):
    rows = ["title,abstract", 'Bad,"never closed', *("Ferns,Ferns grow." for _ in range(20_000))]
    documents, rejections = read(tmp_path / "a.csv", "\n".join(rows))
    assert len(documents) > 10_000
    assert "quotation mark" in rejections[0].reason


@FUZZ
@given(data=st.binary(max_size=400), name=st.sampled_from(sorted(SAMPLES)), gz=st.booleans())
def test_any_bytes_give_documents_and_rejections(tmp_path, data, name, gz):
    read(tmp_path / name, gzip.compress(data) if gz else data)


@FUZZ
@given(data=st.data(), name=st.sampled_from(sorted(SAMPLES)))
def test_mutations_of_valid_files_give_documents_and_rejections(tmp_path, data, name):
    sample = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(sample)))
        end = start + data.draw(st.integers(0, 12))
        sample[start:end] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"\n", b'"', b"}", b"<", b"{{", b"  - "])
        )
    documents, rejections = read(tmp_path / name, bytes(sample))
    assert documents or rejections
    for document in documents:
        assert document.text == document.text.strip() != ""
        json.dumps([document.title, document.text, dict(document.metadata)]).encode()
        f"{document.title}{document.text}{document.source}".encode()


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_samples_are_valid(tmp_path, name):
    documents, rejections = read(tmp_path / name, SAMPLES[name])
    assert documents
    assert not rejections


def test_missing_paths_are_named_together(tmp_path):
    with pytest.raises(IngestError, match=r"one.*two"):
        find_files([tmp_path / "one", tmp_path, tmp_path / "two"])


def test_found_files_are_sorted_once_each_and_known(tmp_path):
    (tmp_path / "sub" / ".git").mkdir(parents=True)
    for name in (
        "b.txt",
        "a.bib",
        "sub/c.jsonl",
        "sub/.git/d.txt",
        ".hidden.txt",
        "README.md",
        "e.png",
        "n.odd",
    ):
        (tmp_path / name).write_text(LINE if name == "n.odd" else "text")
    (tmp_path / "metadata.jsonl").write_text('{"source": "b.txt#1"}\n')
    (tmp_path / "p.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    (tmp_path / "again.txt").symlink_to(tmp_path / "b.txt")
    (tmp_path / "dangling.txt").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.txt")
    files, rejections = find_files([tmp_path, tmp_path / "b.txt"])
    assert [str(path.relative_to(tmp_path)) for path in files] == [
        "a.bib",
        "again.txt",
        "n.odd",
        "sub/c.jsonl",
    ]
    reasons = {Path(rejection.file).name: rejection.reason for rejection in rejections}
    assert sorted(reasons) == ["README.md", "dangling.txt", "e.png", "p.pdf", "pipe.txt"]
    assert "PDFs are not read" in reasons["p.pdf"]


def test_named_readme_is_read_and_named_sidecar_is_not(tmp_path):
    (tmp_path / "README.md").write_text("An abstract.")
    (tmp_path / "metadata.jsonl").write_text('{"source": "b.txt#1"}\n')
    files, (rejection, _) = find_files([tmp_path / "README.md", tmp_path / "metadata.jsonl"])
    assert [path.name for path in files] == ["README.md"]
    assert "describes the files beside it" in rejection.reason


def test_metadata_jsonl_that_holds_papers_is_a_file_like_others(tmp_path):
    (tmp_path / "metadata.jsonl").write_text(LINE)
    files, rejections = find_files([tmp_path])
    assert [path.name for path in files] == ["metadata.jsonl"]
    assert not rejections
    assert [document.title for document in read_file(files[0])] == ["Ferns"]


def test_papers_that_have_a_source_are_no_sidecar(tmp_path):
    rows = [{"title": "One", "abstract": "Ferns grow.", "source": "arxiv"}, {"title": "Two", "source": "arxiv"}]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (path,), rejections = find_files([tmp_path])
    assert not rejections
    document, rejection = read_file(path)
    assert (document.title, rejection.place) == ("One", "line 2")


def test_digest_follows_the_bytes_and_the_sidecar_lines_of_the_file(tmp_path):
    path, other, sidecar = tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "metadata.jsonl"
    path.write_text("One.")
    other.write_text("One.")
    seen = [file_digest(path)]
    assert file_digest(other) == seen[0]
    sidecar.write_text('{"source": "a.txt#1", "title": "A"}\n')
    seen.append(file_digest(path))
    sidecar.write_text('{"source": "a.txt#1", "title": "B!"}\n')
    seen.append(file_digest(path))
    sidecar.write_text('{"source": "a.txt#1", "title": "B!"}\n{"source": "b.txt#1", "title": "C"}\n')
    assert file_digest(path) == seen[-1]
    path.write_text("Two.")
    seen.append(file_digest(path))
    assert len(set(seen)) == len(seen)
    with pytest.raises(IngestError):
        file_digest(tmp_path / "absent")


def test_reading_stops_when_the_consumer_does(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(LINE * 100)
    stream = read_file(path)
    next(stream)
    stream.close()
